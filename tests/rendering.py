"""Render tables for tests: on a terminal of any width, Markdown without its text, and HTML by its parts."""

import io
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from rich.console import Console

from bench.report.table import Table
from bench.report.terminal import print_tables

MARKDOWN: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def printed(tables: Iterable[Table], width: int) -> str:
    """Print tables as into a pipe of this width."""
    stream = io.StringIO()
    print_tables(tables, Console(file=stream, width=width, highlight=False, markup=False, emoji=False))
    return stream.getvalue()


def markdown_skeleton(markdown: str) -> list[str]:
    """Return the types of a document's parts, without its text."""
    return list(_parts(markdown))


def _parts(markdown: str) -> Iterator[str]:
    for token in MARKDOWN.parse(markdown):
        yield token.type
        yield from (
            inner.type for inner in token.children or () if inner.type not in {"text", "text_special"}
        )


class HtmlParts(NamedTuple):
    """The elements of HTML with their attributes, its ends of elements included, and its text."""

    tags: Sequence[object]
    text: str


class _PartsReader(HTMLParser):
    """Collects the parts of HTML; it may have nothing but elements and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[object] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.tags.append(("declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.tags.append(("instruction", data))

    def unknown_decl(self, data: str) -> None:
        self.tags.append(("unknown", data))


def html_parts(html: str) -> HtmlParts:
    """Read HTML as a browser does, without running anything."""
    reader = _PartsReader()
    reader.feed(html)
    reader.close()
    return HtmlParts(reader.tags, "".join(reader.texts))
