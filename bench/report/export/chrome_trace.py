"""Export a typical call of each case in Chrome's trace event format, which Perfetto opens.

Each case has a process for its client and one for the server, and a thread is a lane. The events are complete
ones (``X``), which may only nest within a lane, so that requests at the same time have lanes of their own.
Events that name a process or a lane have no time (Google, *Trace Event Format*).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from bench.model.results import Run
from bench.model.round_spans import FetchSpan, RequestSpan, RoundSpans
from bench.model.text import printable
from bench.report.export.cases import entry_names
from bench.report.stored_spans import missing_spans, read_spans
from bench.stats.typical_trial import typical_trials

T = TypeVar("T", FetchSpan, RequestSpan)
Event: TypeAlias = dict[str, Any]

_MICROSECONDS: Final = 1_000_000
_MOST_LANES: Final = 100_000


class Lane(NamedTuple):
    """A lane of a trace, which is a thread of a process there."""

    process: int
    number: int

    @property
    def place(self) -> Mapping[str, int]:
        """Its process and thread; a thread of number 0, or that of a process, would be a main thread."""
        return {"pid": self.process, "tid": self.process * _MOST_LANES + self.number}


def to_chrome_trace(run: Run) -> str:
    """Write the client's and the server's view of a typical call of each case; every call begins at zero.

    Raises:
        UsageError: no trial of the run has stored them.
        UnreadableResultError: those of a trial cannot be read.
    """
    typical, names = typical_trials(run), entry_names(run)
    if not typical:
        raise missing_spans(run)
    events: list[Event] = []
    for place, (case, trial) in enumerate(typical.items()):
        spans = read_spans(trial, names[case])
        title = f"{names[case]}, block {trial.block + 1}"
        events += _client_events(2 * place + 1, f"{title}: client", spans)
        events += _server_events(2 * place + 2, f"{title}: server", spans.requests)
    document = {"displayTimeUnit": "ms", "otherData": {"run": printable(run.name)}, "traceEvents": events}
    return json.dumps(document, indent=1) + "\n"


def split_into_lanes(spans: Iterable[T], began_s: Callable[[T], float]) -> Sequence[Sequence[T]]:
    """Put spans into as few lanes as hold them without overlap, each in the order of time."""
    lanes: list[list[T]] = []
    ends: list[tuple[float, int]] = []
    for span in sorted(spans, key=began_s):
        if ends and ends[0][0] <= began_s(span):
            _, lane = heappop(ends)
        else:
            lane = len(lanes)
            lanes.append([])
        lanes[lane].append(span)
        heappush(ends, (span.end_s, lane))
    return lanes


def _client_events(process: int, name: str, spans: RoundSpans) -> Iterator[Event]:
    """Yield the call, and its fetches in lanes, of which there are as many as fetches at once."""
    yield from _process(process, name)
    yield _lane_name(call := Lane(process, 0), "call")
    counts = {"fetches": spans.all_fetches, "fetches shown": len(spans.fetches)}
    yield _complete(call, "download_many", 0.0, spans.elapsed_s, counts)
    lanes = split_into_lanes(spans.fetches, lambda fetch: fetch.start_s)
    for number, fetches in enumerate(lanes, start=1):
        yield _lane_name(lane := Lane(process, number), f"downloads {number}")
        for each in fetches:
            country, outcome = printable(each.country), {"outcome": each.outcome}
            yield _complete(lane, country, each.start_s, each.end_s, outcome)
            yield _complete(lane, "request", each.start_s, each.answered_s)
            yield _complete(lane, "save", each.answered_s, each.end_s)


def _server_events(process: int, name: str, requests: Sequence[RequestSpan]) -> Iterator[Event]:
    """Yield the requests in a lane for each connection, or several where they share one at once (HTTP/2)."""
    yield from _process(process, name)
    by_connection: dict[int, list[RequestSpan]] = {}
    for request in requests:
        by_connection.setdefault(request.connection, []).append(request)
    numbers = count(1)
    for place, carried in enumerate(by_connection.values(), start=1):
        for row in split_into_lanes(carried, lambda request: request.arrival_s):
            yield _lane_name(lane := Lane(process, next(numbers)), f"connection {place}")
            for each in row:
                facts = {"status": each.status, "fault": each.fault}
                country = printable(each.country) or "other"
                yield _complete(lane, country, each.arrival_s, each.end_s, facts)
                yield _complete(lane, "delay", each.arrival_s, each.start_s)
                yield _complete(lane, "send", each.start_s, each.end_s)


def _process(process: int, name: str) -> Iterator[Event]:
    """Name a process, and ask viewers to keep them in the order of their numbers."""
    yield {"ph": "M", "pid": process, "name": "process_name", "args": {"name": name}}
    yield {"ph": "M", "pid": process, "name": "process_sort_index", "args": {"sort_index": process}}


def _lane_name(lane: Lane, name: str) -> Event:
    return {"ph": "M", **lane.place, "name": "thread_name", "args": {"name": name}}


def _complete(
    lane: Lane, name: str, began_s: float, ended_s: float, facts: Mapping[str, object] | None = None
) -> Event:
    """Describe something that began and ended; both are rounded, so that parts stay within the whole."""
    began_us = round(began_s * _MICROSECONDS)
    duration_us = round(ended_s * _MICROSECONDS) - began_us
    times = {"ts": began_us, "dur": duration_us}
    return {"ph": "X", **lane.place, "name": name, **times, "args": dict(facts or {})}
