"""The columns of tables that are exported: the type of each, and where its values come from.

Shared by CSV, Parquet and data frames, so that all of them have the same columns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from bench.errors import UnreadableResultError
from bench.model.results import Run
from bench.model.text import printable
from bench.report.value_path import Source, read_value

T = TypeVar("T")
Kind: TypeAlias = Literal["text", "integer", "number", "truth"]
Value: TypeAlias = str | int | float | bool | None

_LARGEST: Final = 2**63 - 1
"""The largest integer that columns of 64 bits can hold."""


def _to_integer(value: float) -> int:
    integer = int(value)
    if abs(integer) > _LARGEST:
        raise OverflowError(integer)
    return integer


_CONVERTERS: Final[Mapping[Kind, Callable[[Any], Value]]] = {
    "text": printable,
    "integer": _to_integer,
    "number": float,
    "truth": bool,
}


@dataclass(frozen=True, slots=True)
class ExportColumn(Generic[T]):
    """A column: the type of its values, and where they come from."""

    kind: Kind
    source: Source[T]

    def value(self, row: T) -> Value:
        """Return the value of a row as it was stored or worked out; None if it was not measured."""
        found: Value = read_value(row, self.source)
        return found

    def typed_value(self, row: T) -> Value:
        """Return the value of a row in the type of the column, texts printable; None if not measured."""
        found = self.value(row)
        return None if found is None else _CONVERTERS[self.kind](found)


@dataclass(frozen=True, slots=True)
class ExportTable(Generic[T]):
    """The columns of a table by name, and the rows that a run has in it."""

    columns: Mapping[str, ExportColumn[T]]
    rows: Callable[[Run], Iterable[T]]

    def typed_values(self, run: Run, rows: Sequence[T] | None = None) -> Mapping[str, list[Value]]:
        """Return the values of each column, by name.

        Args:
            run: complete or not.
            rows: those of the run, if they are known already.

        Raises:
            UnreadableResultError: a count does not fit into 64 bits.
        """
        known = list(self.rows(run)) if rows is None else rows
        try:
            return {name: [column.typed_value(row) for row in known] for name, column in self.columns.items()}
        except OverflowError as error:
            raise UnreadableResultError(f"run {run.name}: a count does not fit into 64 bits") from error
