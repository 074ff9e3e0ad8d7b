"""Render tables as GitHub-flavoured Markdown, and escape foreign text in it."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bench.model.text import printable
from bench.report.table import Column, Table

_SIGN: Final = re.compile(r"[\\`*<>|\[\]&~]|(?<![^\W_])_|_(?![^\W_])")
"""Of emphasis, code, HTML, entities, links, images and tables; not the underscore within a word."""
_START: Final = re.compile(r"^(\d+(?=[.)])|(?=[#+=-]))")
"""Of headings, rules and lists."""


def tables_to_markdown(tables: Iterable[Table]) -> str:
    """Write tables, each with its title, legend and remarks."""
    return "".join(f"{line}\n" for table in tables for line in _lines(table)).removesuffix("\n")


def escape_text(text: str) -> str:
    """Keep Markdown from reading marks and names as its own, and a line from ending early."""
    return _SIGN.sub(r"\\\g<0>", printable(text))


def escape_paragraph(text: str) -> str:
    """Escape the text of a paragraph, so that its first signs begin no heading and no list."""
    return _START.sub(r"\1\\", escape_text(text.lstrip()))


def _lines(table: Table) -> Iterator[str]:
    """Write the blocks of a table, each with a blank line after it."""
    if table.title and table.note:
        yield from (f"**{escape_text(table.title)}**: {escape_text(table.note)}", "")
    elif table.title:
        yield from (f"### {escape_text(table.title)}", "")
    if table.sections:
        yield from (*_grid_lines(table), "")
        if table.legend:
            yield from (escape_paragraph(table.legend), "")
    for number, remark in enumerate(table.remarks, 1):
        text = escape_paragraph(remark.text)
        if remark.kind == "paragraph":
            yield from (text, "")
        else:
            yield f"- {text}"
            if number == len(table.remarks) or table.remarks[number].kind == "paragraph":
                yield ""


def _grid_lines(table: Table) -> Iterator[str]:
    """Write the headings and rows of a table, marks and section headings as columns."""
    flat = table.flatten()
    yield _line(escape_text(" ".join(column.heading.split())) for column in flat.columns)
    yield _line("---" if column.align == "left" else "---:" for column in flat.columns)
    for row in flat.rows:
        yield _line(_cell(column, cell.strip()) for column, cell in zip(flat.columns, row.cells, strict=True))


def _cell(column: Column, text: str) -> str:
    return f"`{text}`" if column.is_code else escape_text(text)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
