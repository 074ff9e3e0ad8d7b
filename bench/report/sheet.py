"""A table with headings between its rows, and what is said about it: for the terminal and for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.report.fitting import text_width
from bench.report.pipes import paragraph, piped, plain


@dataclass(frozen=True, slots=True)
class Section:
    """Rows below a heading of their own; the first cell of each says what the row is about."""

    heading: str
    rows: tuple[Sequence[str], ...]


@dataclass(frozen=True, slots=True)
class Sheet:
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


def print_sheet(sheet: Sheet, console: Console) -> None:
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


def sheet_to_markdown(sheet: Sheet) -> str:
    """Write a sheet as GitHub-flavoured Markdown, its headings as a first column."""
    parts = [f"### {plain(sheet.title)}", ""]
    if sheet.sections:
        parts.append(piped(["", *(plain(" ".join(heading.split())) for heading in sheet.columns)]))
        parts.append(piped(["---", "---", *["---:"] * (len(sheet.columns) - 1)]))
        for section in sheet.sections:
            parts += [
                piped([plain(section.heading), *(plain(cell.strip()) for cell in row)])
                for row in section.rows
            ]
        parts += ["", paragraph(sheet.legend), ""]
    for remark in sheet.remarks:
        parts += [paragraph(remark), ""]
    return "\n".join(parts)


def _aligned(sheet: Sheet, rows: Sequence[Sequence[str]]) -> Table:
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
