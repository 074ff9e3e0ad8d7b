"""List the fetches and requests of typical calls as tables for data frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from bench.model.results import Measurement, Run
from bench.model.round_spans import FetchSpan, RequestSpan, RoundSpans
from bench.model.text import printable
from bench.report.export.columns import ExportColumn, ExportTable
from bench.report.stored_spans import missing_spans, read_spans

T = TypeVar("T", FetchSpan, RequestSpan)


@dataclass(frozen=True, slots=True)
class SpanRow(Generic[T]):
    """A fetch or a request, and the trial that it belongs to."""

    trial: Measurement
    span: T


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
