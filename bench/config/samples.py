"""Read values that a user has measured: one a line, or a column of a CSV file."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Final

from bench.config.problems import did_you_mean, quote_text
from bench.model.text import join_and

_MOST_BYTES: Final = 64 << 20
MOST_VALUES: Final = 1_000
"""Kept of a file, as every stored run has them; a round of a thousand downloads has few beyond."""
_FEWEST: Final = 2
_NAMED_COLUMNS: Final = 8


def read_sample(
    file: Path, column: str | None, unit: str | None, parse: Callable[[str], float]
) -> tuple[float, ...]:
    """Return the values of a file, ascending; of more than ``MOST_VALUES``, so many quantiles.

    Args:
        file: UTF-8, with one value a line, or with columns and their names in the first line.
        column: the name of a column; None: one value a line.
        unit: that of values without one.
        parse: reads a value with its unit; raises ``ValueError`` with the end of a message.

    Raises:
        ValueError: the file cannot be read, or a value is not as it must be; the message has its line.
    """
    lines = _read_text(file).splitlines()
    cells = _lines(lines) if column is None else _column(lines, column)
    values = sorted(_parse_cell(number, cell, unit, parse) for number, cell in cells)
    if len(values) < _FEWEST:
        raise ValueError(f"has {len(values)} values; a sample takes {_FEWEST}")
    return reduce_sample(values)


def reduce_sample(values: Sequence[float]) -> tuple[float, ...]:
    """Return ascending values as they are, or ``MOST_VALUES`` quantiles that divide them evenly."""
    if len(values) <= MOST_VALUES:
        return tuple(values)
    return tuple(quantiles(values, n=2 * MOST_VALUES, method="inclusive")[::2])


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"has more than {_MOST_BYTES >> 20} MiB")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: byte {error.start}") from error


def _lines(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that have a value, with their numbers."""
    if lines and len(names := next(csv.reader(lines[:1]))) > 1:
        raise ValueError(f"has several columns; name one with 'column': {_name_columns(names)}")
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


def _column(lines: Sequence[str], column: str) -> Iterator[tuple[int, str]]:
    """Yield the cells of a column, with the numbers of their lines; an empty cell is an error."""
    rows = csv.reader(lines, strict=True)
    try:
        names = next(rows, [])
        if column not in names:
            hint = did_you_mean(column, names)
            raise ValueError(f"has no column {quote_text(column)}{hint}; it has {_name_columns(names)}")
        place = names.index(column)
        for row in rows:
            if row:
                yield rows.line_num, row[place].strip() if place < len(row) else ""
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num}: {error}") from error


def _name_columns(names: Sequence[str]) -> str:
    return join_and([quote_text(name) for name in names[:_NAMED_COLUMNS]]) or "none"


def _parse_cell(number: int, cell: str, unit: str | None, parse: Callable[[str], float]) -> float:
    has_number_only = cell.replace(".", "", 1).isdecimal()
    if has_number_only and unit is None:
        raise ValueError(f"line {number} has a number without a unit, {quote_text(cell)}; add 'unit'")
    try:
        return parse(f"{_plain(cell)}{unit}" if has_number_only else cell)
    except ValueError as error:
        raise ValueError(f"line {number} {error}") from error


def _plain(number: str) -> str:
    """Write a number without the zeros that logs have in front, and with as many digits as are read."""
    whole, _, fraction = number.partition(".")
    return f"{whole.lstrip('0') or '0'}{'.' if fraction else ''}{fraction[:9]}"
