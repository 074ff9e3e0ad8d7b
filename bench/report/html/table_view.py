"""Turn tables into the values that the template writes: every word of them is that of the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.report.table import Align, Remark, Row, Table, Tone


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column: its heading in one line, and its side."""

    heading: str
    align: Align


@dataclass(frozen=True, slots=True)
class RowView:
    """A row: its cells, with marks and section headings among them."""

    cells: tuple[str, ...]
    tone: Tone


@dataclass(frozen=True, slots=True)
class TableView:
    """A table on the page; without columns, it is only its remarks.

    Attributes:
        anchor: its anchor, and the name of its file when it is downloaded.
        keys: the columns that say what a row is about.
    """

    anchor: str
    title: str
    note: str
    columns: tuple[ColumnView, ...]
    rows: tuple[RowView, ...]
    legend: str
    remarks: tuple[Remark, ...]
    keys: range


def view_tables(tables: Iterable[Table], prefix: str) -> tuple[TableView, ...]:
    """Return the views of tables; those with rows have the anchors ``prefix-1``, ``prefix-2`` and so on."""
    return tuple(_number(tables, prefix))


def _number(tables: Iterable[Table], prefix: str) -> Iterator[TableView]:
    number = 0
    for table in tables:
        number += bool(table.sections)
        yield _view(table, f"{prefix}-{number}" if table.sections else "")


def _view(table: Table, anchor: str) -> TableView:
    flat = table.flatten()
    has_marks = any(row.mark for row in table.rows)
    headings = [" ".join(column.heading.split()) for column in flat.columns]
    if has_marks:
        headings[0] = "mark"
    if table.has_headings and not table.section_heading:
        headings[int(has_marks)] = _CASE
    shown = [place for place, heading in enumerate(headings) if heading or place < flat.keys]
    return TableView(
        anchor=anchor,
        title=table.title,
        note=table.note,
        columns=()
        if not table.sections
        else tuple(ColumnView(headings[place] or _NAMELESS, flat.columns[place].align) for place in shown),
        rows=tuple(_row(row, shown) for row in flat.rows) if table.sections else (),
        legend=table.legend,
        remarks=table.remarks,
        keys=range(int(has_marks), flat.keys),
    )


_CASE: Final = "case"
_NAMELESS: Final = "figure"
"""Headings of the columns of sections and of keys that have none on the terminal."""


def _row(row: Row, shown: Sequence[int]) -> RowView:
    """Return a row without the bars that a terminal draws in a column without a heading."""
    return RowView(tuple(row.cells[place].strip() for place in shown), row.tone)
