"""Read the commands and links of Markdown files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from markdown_it.token import Token

from tests.rendering import MARKDOWN

Commands: TypeAlias = list[str]

_PROMPT: Final = "$ "


def console_blocks(markdown: str) -> Iterator[tuple[str, Commands]]:
    """Yield the heading above each block of the kind `console`, with its commands, without their comments.

    Raises:
        ValueError: a line is no command, or two blocks are in one section.
    """
    heading, seen = "", set[str]()
    tokens = MARKDOWN.parse(markdown)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following is not None:
            heading = following.content
        elif token.type == "fence" and token.info == "console":
            if heading in seen:
                raise ValueError(f"{heading}: two blocks of commands")
            seen.add(heading)
            yield heading, [_command(line) for line in token.content.splitlines()]


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A command as it is typed, and the lines that it is shown to print."""

    command: str
    printed: list[str] = field(default_factory=list)


def typed_lines(markdown: str) -> list[TypedLine]:
    """Return the commands of all blocks of the kind `console` in their order, without their comments."""
    found: list[TypedLine] = []
    for block in fences(markdown, "console"):
        for line in block.replace("\\\n", "").splitlines():
            if line.startswith(_PROMPT):
                found.append(TypedLine(_command(line)))
            else:
                found[-1].printed.append(line)
    return found


def _command(line: str) -> str:
    if not line.startswith(_PROMPT):
        raise ValueError(f"no command: {line}")
    return line.removeprefix(_PROMPT).partition(" # ")[0].strip()


def fences(markdown: str, language: str) -> list[str]:
    """Return the content of each block of a language."""
    return [
        each.content for each in MARKDOWN.parse(markdown) if each.type == "fence" and each.info == language
    ]


def inline_code(markdown: str) -> list[str]:
    """Return each piece of code within a sentence."""
    return [token.content for token in _inline(markdown) if token.type == "code_inline"]


def link_targets(markdown: str) -> list[str]:
    """Return what links and pictures point at."""
    targets = (token.attrGet("href") or token.attrGet("src") for token in _inline(markdown))
    return [str(target) for target in targets if target]


def heading_anchors(markdown: str) -> set[str]:
    """Return the anchors of headings, as GitHub makes them."""
    headings = (line.lstrip("# ") for line in markdown.splitlines() if line.startswith("#"))
    kept = ("".join(sign for sign in each.lower() if sign.isalnum() or sign in " -_") for each in headings)
    return {each.replace(" ", "-") for each in kept}


def _inline(markdown: str) -> Iterator[Token]:
    for token in MARKDOWN.parse(markdown):
        yield from token.children or ()
