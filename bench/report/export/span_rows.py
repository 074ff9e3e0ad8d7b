"""List the fetches and requests of typical calls as tables for data frames, and read those of a trial."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from bench.errors import UnreadableResultError, UsageError
from bench.model.json_codec import MalformedError
from bench.model.results import Measurement, Run
from bench.model.round_spans import FetchSpan, RequestSpan, RoundSpans, unpack_spans
from bench.model.text import printable
from bench.report.export.columns import ExportColumn, ExportTable

T = TypeVar("T", FetchSpan, RequestSpan)


@dataclass(frozen=True, slots=True)
class SpanRow(Generic[T]):
    """A fetch or a request, and the trial that it belongs to."""

    trial: Measurement
    span: T


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


def fetch_rows(run: Run) -> Iterator[SpanRow[FetchSpan]]:
    """Yield the fetches of each successful trial that has stored them, as its client saw them."""
    return (SpanRow(trial, span) for trial, spans in _stored_spans(run) for span in spans.fetches)


def request_rows(run: Run) -> Iterator[SpanRow[RequestSpan]]:
    """Yield the requests of each successful trial that has stored them, as the server saw them."""
    return (SpanRow(trial, span) for trial, spans in _stored_spans(run) for span in spans.requests)


def _stored_spans(run: Run) -> Iterator[tuple[Measurement, RoundSpans]]:
    """Yield the spans of successful trials.

    Raises:
        UsageError: no trial has any.
        UnreadableResultError: those of a trial are damaged.
    """
    stored = [trial for trial in run.trials if trial.outcome == "ok" and trial.spans]
    if not stored:
        raise missing_spans(run)
    for trial in stored:
        yield trial, read_spans(trial, printable(trial.case))


_TRIAL: Final[dict[str, ExportColumn[Any]]] = {
    "case": ExportColumn("text", "trial.case"),
    "block": ExportColumn("integer", "trial.block"),
    "country": ExportColumn("text", "span.country"),
}
FETCHES: Final = ExportTable(
    {
        **_TRIAL,
        "outcome": ExportColumn("text", "span.outcome"),
        "start_s": ExportColumn("number", "span.start_s"),
        "answered_s": ExportColumn("number", "span.answered_s"),
        "end_s": ExportColumn("number", "span.end_s"),
    },
    fetch_rows,
)
"""A row for each fetch; seconds since ``download_many`` was called."""
REQUESTS: Final = ExportTable(
    {
        **_TRIAL,
        "connection": ExportColumn("integer", "span.connection"),
        "status": ExportColumn("integer", "span.status"),
        "fault": ExportColumn("text", "span.fault"),
        "arrival_s": ExportColumn("number", "span.arrival_s"),
        "start_s": ExportColumn("number", "span.start_s"),
        "end_s": ExportColumn("number", "span.end_s"),
    },
    request_rows,
)
"""A row for each request; seconds since ``download_many`` was called."""
