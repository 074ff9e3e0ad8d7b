"""The Chrome trace of a run: lanes without overlap, and parts within their whole."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UnreadableResultError, UsageError
from bench.model.results import Run
from bench.model.round_spans import FetchSpan, RequestSpan, RoundSpans, pack_spans
from bench.report.export.chrome_trace import split_into_lanes, to_chrome_trace
from tests.builders import case, run_of, trials

POOL, LOOP = case(workers=3), case("asyncio_gather", "aiohttp", 5)
FETCHES = (
    FetchSpan("BR", "ok", 0.001, 0.020, 0.021),
    FetchSpan("CN", "ok", 0.002, 0.030, 0.031),
    FetchSpan("IN", "not_found", 0.022, 0.040, 0.041),
)
REQUESTS = (
    RequestSpan("BR", 7, 200, "", 0.003, 0.013, 0.014),
    RequestSpan("CN", 9, 200, "", 0.004, 0.020, 0.028),
    RequestSpan("IN", 7, 404, "", 0.024, 0.034, 0.035),
    RequestSpan("", 9, 0, "stall", 0.005, 0.006, 0.007),
)


def run_with(*spans: RoundSpans) -> Run:
    """Build a run of one case for each of these, which its first block has."""
    cases = (POOL, LOOP)[: len(spans)]
    return run_of(
        {
            each: [replace(first, spans=pack_spans(packed)), *others]
            for each, packed in zip(cases, spans, strict=True)
            for first, *others in [trials(each, [0.05] * 6)]
        }
    )


def events_of(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(to_chrome_trace(run))["traceEvents"]
    return found


def named(events: Iterable[dict[str, Any]], kind: str) -> list[str]:
    return [event["args"]["name"] for event in events if event["name"] == kind]


def test_client_and_server_are_processes_with_a_lane_for_each_download_or_connection() -> None:
    events = events_of(run_with(RoundSpans(0.045, FETCHES, REQUESTS, 3, 4), RoundSpans(0.1, (), (), 0, 0)))
    titles = [f"{each.id}, block 1: {side}" for each in (POOL, LOOP) for side in ("client", "server")]
    assert named(events, "process_name") == titles
    assert named([each for each in events if each["pid"] == 1], "thread_name") == [
        "call", "downloads 1", "downloads 2",
    ]  # fmt: skip
    assert named([each for each in events if each["pid"] == 2], "thread_name") == [
        "connection 1", "connection 2", "connection 2",
    ]  # fmt: skip
    (call,) = [each for each in events if each["name"] == "download_many" and each["pid"] == 1]
    assert call["args"] == {"fetches": 3, "fetches shown": 3}
    assert (call["ts"], call["dur"]) == (0, 45_000)
    (stalled,) = [each for each in events if each["name"] == "other"]
    assert stalled["args"] == {"status": 0, "fault": "stall"}


def test_only_complete_events_have_times() -> None:
    """Names of processes and lanes have none, as the format asks for; no event is asynchronous."""
    events = events_of(run_with(RoundSpans(0.045, FETCHES, REQUESTS, 3, 4)))
    assert {event["ph"] for event in events} == {"M", "X"}
    assert all(("ts" in event) == ("dur" in event) == (event["ph"] == "X") for event in events)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=40))
def test_lanes_have_no_overlap_and_are_as_few_as_possible(spans: list[tuple[int, int]]) -> None:
    """There are as many as spans at once."""
    fetches = [FetchSpan("BR", "ok", at, at + length, at + length) for at, length in spans]
    lanes = split_into_lanes(fetches, lambda fetch: fetch.start_s)
    assert sorted(each for lane in lanes for each in lane) == sorted(fetches)
    assert all(one.end_s <= next_.start_s for lane in lanes for one, next_ in pairwise(lane))
    assert len(lanes) == max(sum(each.start_s <= at < each.end_s for each in fetches) for at in range(71))


def test_a_run_without_spans_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="no requests to export") as caught:
        to_chrome_trace(run_of({POOL: trials(POOL, [0.05] * 6)}))
    assert caught.value.hint == "measure it again"


def test_damaged_spans_are_named() -> None:
    run = run_of({POOL: [replace(each, spans="x") for each in trials(POOL, [0.05] * 6)]})
    with pytest.raises(UnreadableResultError, match=r"threadpool_map/requests/3/\S+, block 1: not the spans"):
        to_chrome_trace(run)
