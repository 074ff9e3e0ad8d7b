"""Fitting a table into the width there is: its columns are dealt out to as many tables as it takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.report.markdown import escape_cell, escape_text, paragraph


def text_width(text: str) -> int:
    """Return the width of the widest line of a text."""
    return max(map(cell_len, text.split("\n")))


def split_columns(widths: Sequence[int], first: int, room: int) -> list[range]:
    """Deal columns out in their order, so that each share fits beside a first column.

    There are as few shares as can be, and the widest of them is as narrow as it can be then.

    Args:
        widths: of the columns, in cells.
        first: width of the column that stands in front of each share.
        room: cells there are; one of them stands between neighbours.
    """
    fewest = list(_filled(widths, first, room))
    tighter = (list(_filled(widths, first, narrow)) for narrow in range(first, room))
    return next((shares for shares in tighter if len(shares) == len(fewest)), fewest)


def _filled(widths: Sequence[int], first: int, room: int) -> Iterator[range]:
    """Fill each share before the next is begun."""
    start, used = 0, first
    for index, width in enumerate(widths):
        if index > start and used + 1 + width > room:
            yield range(start, index)
            start, used = index, first
        used += 1 + width
    yield range(start, len(widths))


@dataclass(frozen=True, slots=True)
class Section:
    """Rows below a heading of their own; the first cell of each says what the row is about."""

    heading: str
    rows: tuple[Sequence[str], ...]


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Everything that is shown of one profile.

    Attributes:
        columns: headings, which may have several lines; the first column is aligned to the left.
        legend: explains the columns.
        remarks: sentences, a paragraph each.
    """

    title: str
    columns: tuple[str, ...]
    sections: tuple[Section, ...]
    legend: str
    remarks: tuple[str, ...]


def print_table(sheet: ReportTable, console: Console) -> None:
    """Print a sheet; its rows are never wrapped, its sentences are."""
    console.print(Text(sheet.title, style="bold"))
    if sheet.sections:
        console.print(_aligned(sheet, []))
    for section in sheet.sections:
        console.print(Text(section.heading, style="bold"))
        console.print(_aligned(sheet, section.rows))
    if sheet.sections:
        console.print(Text(sheet.legend, style="dim"))
    for remark in sheet.remarks:
        console.print(Text(f"\n{remark}"))
    console.print()


def table_to_markdown(sheet: ReportTable) -> str:
    """Write a sheet as GitHub-flavoured Markdown, its headings as a first column."""
    parts = [f"### {escape_text(sheet.title)}", ""]
    if sheet.sections:
        parts.append(
            escape_cell(["", *(escape_text(" ".join(heading.split())) for heading in sheet.columns)])
        )
        parts.append(escape_cell(["---", "---", *["---:"] * (len(sheet.columns) - 1)]))
        for section in sheet.sections:
            parts += [
                escape_cell([escape_text(section.heading), *(escape_text(cell.strip()) for cell in row)])
                for row in section.rows
            ]
        parts += ["", paragraph(sheet.legend), ""]
    for remark in sheet.remarks:
        parts += [paragraph(remark), ""]
    return "\n".join(parts)


def _aligned(sheet: ReportTable, rows: Sequence[Sequence[str]]) -> Table:
    """Lay rows out in columns as wide as those of the whole sheet; without rows, the headings."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=not rows)
    for place, heading in enumerate(sheet.columns):
        cells = [row[place] for section in sheet.sections for row in section.rows]
        justify: Literal["left", "right"] = "left" if place == 0 else "right"
        width = max(text_width(text) for text in (heading, *cells))
        table.add_column(heading, justify=justify, width=width, no_wrap=True, vertical="bottom")
    for row in rows:
        table.add_row(*row)
    return table
