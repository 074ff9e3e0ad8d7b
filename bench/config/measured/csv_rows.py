"""Read the times, and the sizes, of a CSV file whose columns the user has named."""

import csv
from collections.abc import Iterator, Sequence
from typing import Final

from bench.config.measured.answers import Answer, Entry, Figure, Measured
from bench.config.measured.figures import Read, bounded_ms, read_whole, time_reader
from bench.config.measured.tally import Tally
from bench.config.scalars import parse_duration
from bench.errors import UsageError
from bench.model.text import plural

_SEPARATORS: Final = (",", ";", "\t")


def has_column(line: str, column: str) -> bool:
    """Say whether a line has a cell with this text, whatever separates its cells."""
    return any(column in _cells(line, separator) for separator in _SEPARATORS)


def read_csv(lines: Iterator[str], column: str, unit: str | None, size_column: str | None) -> Measured:
    """Read the columns of a CSV file with names in its first line.

    Args:
        lines: of the file.
        column: the name of the times.
        unit: that of the times; None: each has its own, such as ``12ms``.
        size_column: the name of the sizes, in bytes; None: there are none.

    Raises:
        UsageError: a column is missing or there twice, or too many rows cannot be read.
    """
    first = next(lines, "")
    separator = next((each for each in _SEPARATORS if column in _cells(first, each)), ",")
    names = _cells(first, separator)
    wanted = [(column, _time_reader(unit))] + ([] if size_column is None else [(size_column, read_whole)])
    places = [(_place(names, name), read) for name, read in wanted]
    in_unit = f", in {unit}" if unit else ""
    times = [Figure(column, f"the column '{column}'{in_unit}")]
    sizes = [Figure(name, f"the column '{name}', in bytes") for name, _ in wanted[1:]]
    tally = Tally("CSV", "row", times, sizes)
    for row in _rows(lines, separator):
        if row is None or any(row):
            tally.add(None if row is None else _read_row(row, places))
    return tally.result()


def _cells(line: str, separator: str) -> list[str]:
    rows = _rows(iter([line]), separator)
    return [cell.strip() for cell in next(rows, None) or []]


def _rows(lines: Iterator[str], separator: str) -> Iterator[list[str] | None]:
    """Yield the rows of a file; None for one that is no CSV."""
    rows = csv.reader(lines, delimiter=separator)
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield None


def _place(names: Sequence[str], name: str) -> int:
    if names.count(name) != 1:
        count = "no" if name not in names else "more than one"
        raise UsageError(
            f"the file has {count} column '{name}', among {plural(len(names), 'column')} in its first line",
            hint="see --column and --size-column",
        )
    return names.index(name)


def _time_reader(unit: str | None) -> Read:
    return time_reader(unit) if unit else lambda text: bounded_ms(1000 * parse_duration(text))


def _read_row(row: Sequence[str], places: Sequence[tuple[int, Read]]) -> Entry:
    try:
        time_ms, *sizes = (read(row[place].strip()) for place, read in places)
    except (ValueError, IndexError):
        return None
    return Answer(None, (time_ms,), tuple(sizes))
