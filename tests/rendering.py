"""Render tables for tests: on a terminal of any width, and Markdown without its text."""

import io
from collections.abc import Iterable, Iterator
from typing import Final

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
