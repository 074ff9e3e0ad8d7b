"""Read the stored spans of a trial. Used by exports and by the charts of reports."""

from bench.errors import UnreadableResultError, UsageError
from bench.model.json_codec import MalformedError
from bench.model.results import Measurement, Run
from bench.model.round_spans import RoundSpans, unpack_spans
from bench.model.text import printable


def missing_spans(run: Run) -> UsageError:
    """Return the error for a run of which no trial has stored its spans."""
    return UsageError(
        f"{printable(run.name)} has no requests to export: it was measured before they were stored",
        hint="measure it again",
    )


def read_spans(trial: Measurement, name: str) -> RoundSpans:
    """Unpack the spans of a trial; ``name`` is that of its case in an error.

    Raises:
        UnreadableResultError: they are damaged.
    """
    try:
        return unpack_spans(trial.spans)
    except MalformedError as error:
        raise UnreadableResultError(f"{name}, block {trial.block + 1}: {error.what}") from error
