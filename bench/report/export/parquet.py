"""Export the trials of a run as Parquet, with the columns of the CSV and their types."""

import io

from bench.errors import SetupError
from bench.model.results import Run
from bench.report.export.trial_rows import TRIALS
from bench.system.optional_dependencies import PARQUET, missing_extra


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
    columns = TRIALS.typed_values(run)
    arrays = [pa.array(values, types[TRIALS.columns[name].kind]) for name, values in columns.items()]
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, names=list(columns)), sink)
    return sink.getvalue()
