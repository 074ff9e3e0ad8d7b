"""Every command that the README, the docs, CONTRIBUTING and ``--help`` show is one that is accepted."""

import re
import shlex
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from bench.cli import cli
from docs.pages.site import commands_page
from tests.readme import fences, inline_code

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "results" / "README.md"]
PROGRAM: Final = re.compile(r"^(?:\$ )?(?:.*?[\s/])?(?:python -m bench|flagbench) (?=[a-z-])")
ALONE: Final = re.compile(r"^(?=[a-z-]+ )")
"""A command without the program, as the help shows it: each code of several words."""
MAKEFILE: Final = (ROOT / "Makefile").read_text("utf-8")
END: Final = re.compile(r"\s(?:#|>|\||&&).*$")
PLACEHOLDER: Final = re.compile(r"[A-Z]{1,}[A-Z_,]*|…")


def texts() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page, and those of the help of each command."""
    for page in PAGES:
        yield page.name, page.read_text("utf-8")
    help_of_all = "\n".join(commands_page())
    yield "--help", re.sub("^```.*$", "", help_of_all, flags=re.MULTILINE)


def shown(name: str, text: str) -> Iterator[str]:
    """Yield the words of each command of a text, without the program, as they are typed."""
    program = ALONE if name == "--help" else PROGRAM
    lines = [line for block in fences(text, "console") for line in block.replace("\\\n", " ").splitlines()]
    for code in (*lines, *inline_code(text)):
        if found := program.match(code):
            yield END.sub("", code[found.end() :])


def words_of(command: str) -> list[str]:
    """Split a command; of `[--option a|b]` the option with its first value is left."""
    return shlex.split(re.sub(r"\[([^\]]*)\]", r"\1", re.sub(r"\|[\w|]+", "", command)))


COMMANDS: Final = sorted({(name, command) for name, text in texts() for command in shown(name, text)})


def test_pages_show_commands() -> None:
    assert len(COMMANDS) > 60
    assert ("--help", "run default") in COMMANDS
    assert {words_of(command)[0] for _, command in COMMANDS} >= {
        "run",
        "ab",
        "gate",
        "report",
        "history",
        "view",
    }


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_command_is_accepted(page: str, command: str) -> None:  # noqa: ARG001  it is in the name of the test
    """With its options; what stands for something else, such as FILE, need not be a valid value."""
    with click.Context(cli) as context:
        accept(cli, "flagbench", words_of(command), context)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["run", "default", "--no-such-option"], click.NoSuchOption),
        (["history", "pin", "main", "--no-such-option"], click.NoSuchOption),
        (["gate", "--report"], click.BadOptionUsage),
        (["report", "last", "--format", "pdf"], click.BadParameter),
        (["no-such-command"], AssertionError),
    ],
)
def test_command_that_does_not_exist_is_noticed(words: list[str], error: type[Exception]) -> None:
    with click.Context(cli) as context, pytest.raises(error):
        accept(cli, "flagbench", words, context)


def accept(command: click.Command, name: str, words: list[str], parent: click.Context) -> None:
    """Parse words as the command would; a group hands the rest to one of its commands."""
    has_placeholder = any(PLACEHOLDER.fullmatch(word) for word in words)
    try:
        context = command.make_context(name, words, parent=parent)
    except (click.MissingParameter, click.exceptions.Exit):
        return  # a sentence that only mentions it; --help
    except click.BadParameter:
        if has_placeholder:
            return
        raise
    if isinstance(command, click.Group):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # there is no other way to the rest
            rest = [*context.protected_args, *context.args]
        if rest and not PLACEHOLDER.fullmatch(rest[0]):
            inner = command.get_command(context, rest[0])
            assert inner is not None, rest[0]
            accept(inner, rest[0], rest[1:], context)


def make_targets() -> list[str]:
    """Return the targets that the pages show."""
    lines = (
        line
        for page in PAGES
        for block in fences(page.read_text("utf-8"), "console")
        for line in block.splitlines()
    )
    return sorted({shlex.split(line, comments=True)[2] for line in lines if line.startswith("$ make ")})


@pytest.mark.parametrize("target", make_targets())
def test_target_of_make_exists(target: str) -> None:
    """With a rule: make is content with a folder of this name, or one that is only said to be no file."""
    assert re.search(rf"^(?!\.)[^:#=\n]*\b{re.escape(target)}\b[^:=\n]*:(?!=)", MAKEFILE, re.MULTILINE)


def test_targets_of_make_are_shown() -> None:
    assert {"run", "test", "docs", "answers"} <= set(make_targets())
