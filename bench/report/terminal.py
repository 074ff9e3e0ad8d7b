"""Print tables on a terminal, in the widest of three layouts for which it has room.

Flat: a line a row, as in Markdown. Stacked: each section below a line with its heading. Records: several
lines a row, for tables of text alone. Columns that do not fit beside the others go into a further table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from bench.report.table import Column, RemarkKind, Row, Section, Table, Tone

_TONES: Final[Mapping[Tone, str]] = {"plain": "", "best": "bold green", "good": "green", "bad": "red"}
_REMARKS: Final[Mapping[RemarkKind, str]] = {
    "paragraph": "", "failure": "red", "warning": "yellow", "note": "dim"
}  # fmt: skip
_FLAT_GAP: Final = 2
_STACKED_GAP: Final = 1


def print_tables(tables: Iterable[Table], console: Console) -> None:
    """Print tables as wide as the console is, with blank lines between them and after a last remark."""
    table = Table()
    for number, table in enumerate(tables):
        if number > 0:
            console.print()
        console.print(lay_out(table, console.width))
    if table.remarks:
        console.print()


def lay_out(table: Table, width: int) -> RenderableType:
    """Lay a table out with its title and remarks, for lines of so many cells."""
    return Group(*_blocks(table, width))


def text_width(text: str) -> int:
    """Return the width of the widest line of a text, in cells of a terminal."""
    return max(map(cell_len, text.split("\n")))


def _blocks(table: Table, room: int) -> Iterator[RenderableType]:
    if table.title:
        yield Text.assemble((table.title, "bold"), (f": {table.note}" if table.note else "", "dim"))
    if table.sections:
        yield from _body(table, room)
        if table.legend:
            yield Text(table.legend, style="dim")
    for number, remark in enumerate(table.remarks):
        if remark.kind == "paragraph" and (number > 0 or table.title or table.sections):
            yield Text("")
        sign = "! " if remark.kind == "failure" else ""
        yield Text(f"{sign}{remark.text}", style=_REMARKS[remark.kind])


def _body(table: Table, room: int) -> Iterator[RenderableType]:
    """Choose the layout."""
    flat = table.flatten()
    is_too_wide = _needed_width(flat, _FLAT_GAP) > room
    if table.has_headings and (is_too_wide or not table.section_heading):
        yield from _stacked(table, room)
    elif any(column.wraps for column in flat.columns):
        yield _flat(_without_optional(flat) if is_too_wide else flat)
    elif any(column.is_optional for column in flat.columns):
        yield from _fit(flat, room)
    elif is_too_wide and all(column.align == "left" for column in flat.columns):
        yield from _records(flat)
    else:
        for number, part in enumerate(_split(flat, room, _FLAT_GAP)):
            if number > 0:
                yield Text("")
            yield _flat(part)


def _flat(table: Table) -> RichTable:
    return _grid(table, table.rows, box.SIMPLE_HEAD, show_header=True)


def _fit(table: Table, room: int) -> Iterator[RenderableType]:
    """Lay a table out flat, with less space between columns and without optional ones if need be."""
    choices = [(table, _FLAT_GAP), (table, _STACKED_GAP)]
    kept = list(range(len(table.columns)))
    for leaving in _optional_columns(table.columns):
        kept = [place for place in kept if place not in leaving]
        choices.append((_select_columns(table, kept), _STACKED_GAP))
    fitting = (choice for choice in choices if _needed_width(*choice) <= room)
    chosen, gap = next(fitting, choices[-1])
    for number, part in enumerate(_split(chosen, room, gap)):
        if number > 0:
            yield Text("")
        yield _grid(part, part.rows, box.SIMPLE_HEAD, show_header=True, gap=gap)


def _optional_columns(columns: Sequence[Column]) -> Iterator[list[int]]:
    """Yield the places of the optional columns that are left out together, those that leave first."""
    optional = sorted(
        (place for place, column in enumerate(columns) if column.is_optional),
        key=lambda place: columns[place].order,
    )
    for _, places in groupby(optional, key=lambda place: columns[place].order or -1 - place):
        yield list(places)


def _needed_width(table: Table, gap: int) -> int:
    return sum(_widths(table)) + gap * (len(table.columns) - 1)


def _stacked(table: Table, room: int) -> Iterator[RenderableType]:
    """Set each section below its heading, with its key columns folded into a single one."""
    label = Column(" ".join(column.heading for column in table.columns[: table.keys]), "left")
    figures = table.columns[table.keys :]

    def fold_keys(row: Row) -> Row:
        what = f"{row.mark:2}{' '.join(row.cells[: table.keys])}"
        return replace(row, cells=(what, *row.cells[table.keys :]))

    words = tuple(replace(each, heading=each.heading.replace(" ", "\n")) for each in figures)
    stacked = replace(table, columns=(label, *words), sections=_map_rows(table, fold_keys), keys=1)
    for number, part in enumerate(_split(stacked, room, _STACKED_GAP)):
        if number > 0:
            yield Text("")
        yield _grid(part, (), None, show_header=True, gap=_STACKED_GAP)
        for section in part.sections:
            yield Text(section.heading, style="bold")
            yield _grid(part, section.rows, None, show_header=False, gap=_STACKED_GAP)


def _grid(
    table: Table, rows: Sequence[Row], outline: box.Box | None, *, show_header: bool, gap: int = _FLAT_GAP
) -> RichTable:
    """Lay rows out in columns as wide as those of the whole table."""
    border = outline is not None  # it takes one cell itself
    grid = RichTable(
        box=outline, show_edge=False, pad_edge=False, padding=(0, gap - border, 0, 0), show_header=show_header
    )
    vertical: Literal["top", "bottom"] = "top" if any(column.wraps for column in table.columns) else "bottom"
    for column, width in zip(table.columns, _widths(table), strict=True):
        grid.add_column(
            column.heading,
            justify=column.align,
            vertical=vertical,
            width=None if column.wraps else width,
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
        )
    for row in rows:
        grid.add_row(*map(Text, row.cells), style=_TONES[row.tone])
    return grid


def _records(table: Table) -> Iterator[RenderableType]:
    """Set out each row over several lines, so that a command in it can be copied."""
    headings = [column.heading for column in table.columns[table.keys :]]
    for row in table.rows:
        yield Text(": ".join(row.cells[: table.keys]), style="bold")
        for heading, cell in zip(headings, row.cells[table.keys :], strict=True):
            if cell:
                yield Text(f"  {heading}: {cell}")


def _widths(table: Table) -> list[int]:
    columns = zip(
        (column.heading for column in table.columns), *(row.cells for row in table.rows), strict=True
    )
    return [max(map(text_width, column)) for column in columns]


def _split(table: Table, room: int, gap: int) -> list[Table]:
    """Split a table into as many as its width demands, each with the key columns."""
    widths = _widths(table)
    keys = range(table.keys)
    first = sum(widths[: table.keys]) + gap * (table.keys - 1)
    parts = split_columns(widths[table.keys :], first, room, gap)
    if len(parts) == 1:
        return [table]
    return [
        _without_blank_rows(_select_columns(table, [*keys, *(place + table.keys for place in part)]))
        for part in parts
    ]


def _without_optional(table: Table) -> Table:
    return _select_columns(table, [place for place, each in enumerate(table.columns) if not each.is_optional])


def _select_columns(table: Table, places: Sequence[int]) -> Table:
    def select(row: Row) -> Row:
        return replace(row, cells=tuple(row.cells[place] for place in places))

    columns = tuple(table.columns[place] for place in places)
    return replace(table, columns=columns, sections=_map_rows(table, select))


def _without_blank_rows(table: Table) -> Table:
    """Drop rows that have nothing in this part of a table, and sections that have no other rows."""
    sections = (
        replace(section, rows=tuple(row for row in section.rows if any(row.cells[table.keys :])))
        for section in table.sections
    )
    return replace(table, sections=tuple(section for section in sections if section.rows))


def _map_rows(table: Table, change: Callable[[Row], Row]) -> tuple[Section, ...]:
    return tuple(replace(each, rows=tuple(map(change, each.rows))) for each in table.sections)


def split_columns(widths: Sequence[int], first: int, room: int, gap: int) -> list[range]:
    """Split columns into as few parts as fit beside a first column.

    The widest part is as narrow as possible.

    Args:
        widths: of the columns, in cells.
        first: width of what stands in front of each part.
        room: cells of a line.
        gap: cells between neighbours.
    """
    fewest = list(_fill(widths, first, room, gap))
    tighter = (list(_fill(widths, first, narrower, gap)) for narrower in range(first, room))
    return next((parts for parts in tighter if len(parts) == len(fewest)), fewest)


def _fill(widths: Sequence[int], first: int, room: int, gap: int) -> Iterator[range]:
    """Fill each part before the next one."""
    start, used = 0, first
    for index, width in enumerate(widths):
        if index > start and used + gap + width > room:
            yield range(start, index)
            start, used = index, first
        used += gap + width
    yield range(start, len(widths))
