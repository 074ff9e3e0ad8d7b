"""Lay out the documentation site for Zensical: the pages of docs/, and those that are made from the code."""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click
from click.testing import CliRunner

from bench.cli import cli
from bench.config.catalog import find_clients, find_strategies
from docs.pages.api_page import api_lines
from docs.pages.evidence import ROOT

_DOCS: Final = ROOT / "docs"
_MOVED: Final = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages that are not in docs/, and their places on the site."""
_SETTINGS: Final = "zensical.toml"
_STYLE: Final = "site.css"
_SOURCES: Final = "sources.md"
_SHOWN: Final = (ROOT / "strategies", ROOT / "strategies" / "clients")
"""Folders whose files are shown on the page of sources, each below a heading of its name."""
_LINK: Final = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"(`[^`\n]+`)")
_FENCE: Final = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
_WIDTH: Final = 84


def lay_out(folder: Path) -> None:
    """Write all pages into ``docs`` in a folder, with the settings of Zensical beside it.

    Raises:
        ValueError: the folder has something else in it.
    """
    pages, settings = folder / "docs", folder / _SETTINGS
    if folder.exists() and any(folder.iterdir()) and not settings.is_file():
        raise ValueError(f"{folder} is not empty, and no site was laid out in it")
    if pages.exists():
        shutil.rmtree(pages)
    shutil.copytree(_DOCS / "pictures", pages / "pictures")
    shutil.copy(_DOCS / _STYLE, pages / _STYLE)
    shutil.copy(_DOCS / _SETTINGS, settings)
    for source in [*_DOCS.glob("*.md"), *(ROOT / name for name in _MOVED if name != "README.md")]:
        place = _MOVED.get(source.name, source.name)
        (pages / place).write_text(_with_links(source), encoding="utf-8")
    for name, lines in {"commands.md": commands_page(), _SOURCES: _sources(), "api.md": api_lines()}.items():
        (pages / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _with_links(source: Path) -> str:
    """Return a page, with links that lead to pages of the site; those to other files become their names."""

    def place(found: re.Match[str]) -> str:
        text, target = found[1], found[2]
        path, _, anchor = target.partition("#")
        if "://" in path or not path:
            return found[0]
        file = (source.parent / path).resolve()
        if not file.is_relative_to(ROOT):
            raise ValueError(f"{source.name}: {target} leads out of the project")
        name = _MOVED.get(str(file.relative_to(ROOT))) or (file.name if file.parent == _DOCS else "")
        if name.endswith(".md"):
            text = _title(file) if text == file.name else text
            return f"[{text}]({name}{'#' if anchor else ''}{anchor})"
        if file.parent in _SHOWN and file.suffix == ".py":
            return f"[{text}]({_SOURCES}#{file.stem})"
        code = f"`{file.relative_to(ROOT)}`"
        return text if text.strip("`") in code else f"{text} ({code})"

    parts = _FENCE.split(source.read_text("utf-8"))  # every second one is a block of code
    return "".join(
        part if number % 2 else _without_marks(_LINK.sub(place, part)) for number, part in enumerate(parts)
    )


def _without_marks(text: str) -> str:
    """Write ``==`` so that it begins no highlighted text, as between two versions; code stays as it is."""
    parts = _CODE.split(text)
    return "".join(part if number % 2 else part.replace("==", "&#61;=") for number, part in enumerate(parts))


def _title(page: Path) -> str:
    """Return the first heading of a page."""
    return page.read_text("utf-8").partition("\n")[0].removeprefix("# ")


def commands_page() -> Iterator[str]:
    """Yield the help of every command."""
    yield from ("# Commands", "", "What each command prints with `--help`.", "")
    yield from _fenced("text", _help([]))
    for words in _below(cli, []):
        yield from (f"{'#' * (len(words) + 1)} {' '.join(words)}", "")
        yield from _fenced("text", _help(words))


def _below(group: click.Group, words: list[str]) -> Iterator[list[str]]:
    """Yield the words of each command of a group, and of those below it."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            yield [*words, name]
            if isinstance(found := group.get_command(context, name), click.Group):
                yield from _below(found, [*words, name])


def _help(words: list[str]) -> str:
    result = CliRunner().invoke(cli, [*words, "--help"], prog_name="python -m bench", terminal_width=_WIDTH)
    if result.exit_code != 0:
        raise RuntimeError(f"{words} --help: {result.output}")
    return result.output


def _sources() -> Iterator[str]:
    """Yield each strategy and each client with its source."""
    yield from (
        "# Strategies and clients, with their source",
        "",
        "[Strategies](strategies.md) says what they have in common, and how to write your own.",
        "",
    )
    for heading, found in (("Strategies", find_strategies()), ("Clients", find_clients())):
        yield from (f"## {heading}", "")
        for name, each in found.items():
            yield from (f"### {name}", "", f"{each.summary}", "")
            yield from _fenced("python", each.file.read_text("utf-8"))


def _fenced(language: str, text: str) -> Iterable[str]:
    return (f"```{language}", text.strip(), "```", "")
