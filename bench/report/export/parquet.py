"""Export the trials of a run as Parquet, with the columns of the CSV and their types."""

import io
from collections.abc import Callable, Mapping
from typing import Any, Final

from bench.errors import SetupError, UnreadableResultError
from bench.model.results import Run
from bench.model.text import printable
from bench.report.export.trial_rows import COLUMNS, Kind, Value, round_rows
from bench.system.optional_dependencies import PARQUET, missing_extra

_CONVERTERS: Final[Mapping[Kind, Callable[[Any], Value]]] = {
    "text": printable,
    "integer": int,
    "number": float,
    "truth": bool,
}


def to_parquet(run: Run) -> bytes:
    """Write one row a round.

    Raises:
        SetupError: pyarrow is not installed.
        UnreadableResultError: a count does not fit into 64 bits.
    """
    missing = missing_extra(PARQUET)
    if missing is not None:
        raise SetupError(f"Parquet {missing.what}", hint=missing.hint)
    # an optional dependency
    import pyarrow as pa
    from pyarrow import parquet

    types = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "truth": pa.bool_()}
    rows = list(round_rows(run))
    try:
        arrays = [
            pa.array([_convert(column.kind, column.value(row)) for row in rows], types[column.kind])
            for column in COLUMNS.values()
        ]
    except OverflowError as error:
        raise UnreadableResultError(f"run {run.name}: a count does not fit into 64 bits") from error
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, names=list(COLUMNS)), sink)
    return sink.getvalue()


def _convert(kind: Kind, value: Value) -> Value:
    return None if value is None else _CONVERTERS[kind](value)
