"""Turn the tables of a run into data frames of pandas or polars, with the columns of the exports.

narwhals translates the types of columns for either library. It does not build the frames: for pandas it
refuses integers with missing values, and turns missing truth values into False (narwhals 2.29).
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Literal, TypeAlias, get_args

from bench.errors import SetupError, UsageError
from bench.model.results import Run
from bench.model.text import join_or
from bench.report.export.case_rows import CASES
from bench.report.export.columns import ExportTable
from bench.report.export.span_rows import FETCHES, REQUESTS
from bench.report.export.trial_rows import TRIALS
from bench.report.export.verdict_rows import VERDICTS
from bench.system.optional_dependencies import NOTEBOOK, install_command, missing_extra

FrameKind: TypeAlias = Literal["cases", "trials", "fetches", "requests", "verdicts"]
Backend: TypeAlias = Literal["pandas", "polars"]
FRAMES: Final[Mapping[FrameKind, ExportTable[Any]]] = {
    "cases": CASES, "trials": TRIALS, "fetches": FETCHES, "requests": REQUESTS, "verdicts": VERDICTS
}  # fmt: skip


def to_frame(
    run: Run, kind: FrameKind, backend: Backend | None = None, rows: Sequence[Any] | None = None
) -> Any:
    """Return a table of a run as a data frame, in which what was not measured is missing.

    Args:
        run: complete or not.
        kind: ``cases`` has a row for each case, ``trials`` for each round, ``fetches`` and ``requests`` for
            each of a typical call, ``verdicts`` for each metric.
        backend: the library of the frame; None: whichever is installed, and pandas if both are.
        rows: those of the table, if they are known already.

    Raises:
        UsageError: there is no such kind or backend, or this run has nothing of the kind.
        SetupError: the library is not installed.
        UnreadableResultError: a count does not fit into 64 bits, or stored fetches are damaged.
    """
    if kind not in FRAMES:
        raise UsageError(f"there is no frame {kind!r}", hint=f"choose from {join_or(FRAMES)}")
    library = _find_backend(backend)
    missing = missing_extra(NOTEBOOK)
    if missing is not None:
        raise SetupError(f"a data frame {missing.what}", hint=missing.hint)
    values = FRAMES[kind].typed_values(run, rows)
    return _to_pandas(kind, values) if library == "pandas" else _to_polars(kind, values)


def _find_backend(wanted: Backend | None) -> Backend:
    """Return the library to build frames with."""
    backends: tuple[Backend, ...] = get_args(Backend)
    if wanted is not None and wanted not in backends:
        raise UsageError(f"there is no backend {wanted!r}", hint=f"choose from {join_or(backends)}")
    candidates = backends if wanted is None else (wanted,)
    found = next((each for each in candidates if find_spec(each) is not None), None)
    if found is None:
        verb = "is" if len(candidates) == 1 else "are"
        raise SetupError(
            f"a data frame needs {join_or(candidates)}, which {verb} not installed",
            hint=install_command(NOTEBOOK.name, candidates[0]),
        )
    return found


def _schema(kind: FrameKind) -> Any:
    import narwhals

    types = {
        "text": narwhals.String(),
        "integer": narwhals.Int64(),
        "number": narwhals.Float64(),
        "truth": narwhals.Boolean(),
    }
    return narwhals.Schema({name: types[column.kind] for name, column in FRAMES[kind].columns.items()})


def _to_pandas(kind: FrameKind, values: Mapping[str, list[Any]]) -> Any:
    """Build a frame; only numbers are of NumPy's type, whose NaN is pandas' sign for missing ones."""
    import pandas as pd

    kinds = [column.kind for column in FRAMES[kind].columns.values()]
    types = _schema(kind).to_pandas([None if each == "number" else "numpy_nullable" for each in kinds])
    return pd.DataFrame({name: pd.Series(column, dtype=types[name]) for name, column in values.items()})


def _to_polars(kind: FrameKind, values: Mapping[str, list[Any]]) -> Any:
    import polars as pl

    return pl.DataFrame(values, schema=_schema(kind).to_polars())
