"""Test the figures that are computed from a round's log."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.cases import Profile
from bench.model.served_trials import ObservedRound, Opening
from bench.server.open_trials import RoundLog
from bench.server.request_log import UNANSWERED, Record, RequestLog
from bench.server.server_rounds import count_overtaken, idle_s, max_overlap, observe_rounds

TWO = Opening("t", Profile("p"), 0, ("BR", "CN"), 1)


def record(
    arrival_s: float, end_s: float, connection: int = 1, country: str = "BR", attempt: int = 0
) -> Record:
    """Make a record of a punctual response on a connection accepted a second before."""
    return Record(connection, arrival_s - 1, arrival_s, arrival_s, end_s, 0.0, 200, country, attempt)


def observe(
    *rounds: Sequence[Record], opening: Opening = TWO, cpu_s: float = 0.0
) -> dict[int, ObservedRound]:
    """Compute the figures of the rounds of a trial."""
    logs = {}
    for number, records in enumerate(rounds):
        log = RequestLog()
        for each in records:
            log.add(*each)
        logs[number] = RoundLog(log, 1.0, 1.0 + cpu_s)
    return observe_rounds(logs, opening, {"BR": 100})


@pytest.mark.parametrize(
    ("spans", "most", "idle"),
    [
        ([(0, 1)], 1, 0),
        ([(0, 1), (1, 2)], 1, 0),
        ([(0, 2), (1, 3)], 2, 0),
        ([(0, 9), (1, 2), (3, 4)], 2, 0),
        ([(0, 9), (1, 5), (2, 4), (6, 8)], 3, 0),
        ([(1, 1)], 1, 0),
        ([(1, 1), (1, 1)], 1, 0),
        ([(0, 3), (2, 5), (4, 7), (6, 9)], 2, 0),
        ([(0, 1), (3, 4), (3.5, 6), (10, 11)], 2, 6),
    ],
)
def test_overlap_and_idle_time_of_known_spans(
    spans: Sequence[tuple[float, float]], most: int, idle: float
) -> None:
    """A request that arrives as another ends does not overlap it."""
    seen = observe([record(*span) for span in spans])[0].server_round
    assert (seen.max_in_flight, seen.idle_s) == (most, idle)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=30))
def test_sweeps_agree_with_counting_every_second(spans: list[tuple[int, int]]) -> None:
    starts = sorted(start for start, _ in spans)
    ends = sorted(start + length for start, length in spans)
    active = [
        sum(start <= at < start + length for start, length in spans) for at in range(starts[0], ends[-1])
    ]
    assert max_overlap(starts, ends) == max(active)
    assert idle_s(starts, ends) == active.count(0)


def test_mean_in_flight_is_weighted_by_time() -> None:
    assert observe([record(0, 3), record(1, 4)])[0].server_round.mean_in_flight == 1.5


def test_connection_of_an_earlier_round_is_not_counted_as_opened() -> None:
    first = [record(0, 1, connection=1), record(1, 2, connection=1), record(0, 1, connection=7)]
    second = [record(5, 6, connection=7), record(5, 6, connection=8)]
    seen = observe(first, second)
    assert (seen[0].server_round.connections, seen[0].server_round.opened) == (2, 2)
    assert (seen[1].server_round.connections, seen[1].server_round.opened) == (2, 1)
    assert seen[0].set_up_s == 2.0
    assert seen[1].set_up_s == 1.0


def test_lateness_ignores_responses_that_never_began() -> None:
    late = [Record(1, 9.0, 10.0, 10.5 + n / 1000, 11.0, 0.5, 200, "BR", n) for n in range(1, 101)]
    gone = Record(1, 9.0, 10.0, 10.1, 10.1, 0.5, UNANSWERED, "BR", 100)
    seen = observe([*late, gone])[0].server_round
    assert seen.requests == 101
    assert seen.late_p50_s == pytest.approx(0.050)
    assert seen.late_p99_s == pytest.approx(0.099)
    assert seen.late_mean_s == pytest.approx(0.0505)


def test_stalled_response_counts_as_late_and_reset_one_does_not() -> None:
    """A stalled response has begun; one that is a reset never does, and its start means nothing."""
    stalled = Record(1, 9.0, 10.0, 10.7, 12.0, 0.5, UNANSWERED, "BR", 0, "stall")
    reset = Record(1, 9.0, 10.0, 19.0, 19.0, 0.5, UNANSWERED, "CN", 0, "reset_before_headers")
    said = observe([stalled, reset])[0]
    assert said.server_round.late_mean_s == pytest.approx(0.2)
    assert said.answered == 0


def test_service_time_is_the_planned_delay_the_lateness_and_the_transfer() -> None:
    """A response that began early, or not at all, took no less than planned; a time-out limits each."""
    punctual = Record(1, 9.0, 10.0, 11.0, 19.0, 1.0, 200, "BR", 0)
    late = Record(1, 9.0, 10.0, 13.0, 19.0, 1.0, 200, "BR", 1)
    early = Record(1, 9.0, 10.0, 10.5, 19.0, 1.0, 404, "XX", 0)
    gone = Record(1, 9.0, 10.0, 18.0, 18.0, 1.0, UNANSWERED, "BR", 2)
    records = [punctual, late, early, gone]
    slow = Opening("t", Profile("p", bandwidth=200.0), 0)  # a flag of 100 bytes takes half a second
    seen = observe(records, opening=slow)[0]
    assert (seen.service_s, seen.longest_service_s) == (1.5 + 3.5 + 1.0 + 1.0, 3.5)
    limited = observe(records, opening=replace(slow, request_timeout_s=2.0))[0]
    assert (limited.service_s, limited.longest_service_s) == (1.5 + 2.0 + 1.0 + 1.0, 2.0)


def test_faults_are_counted_by_kind() -> None:
    kinds = ["stall", "", "not_found", "stall"]
    seen = observe([record(at, at + 1)._replace(fault=kind) for at, kind in enumerate(kinds)])
    assert seen[0].server_round.faults == {"stall": 2, "not_found": 1}
    assert observe([record(0, 1)])[0].server_round.faults == {}


@pytest.mark.parametrize(
    ("order", "moved"),
    [("ABCDE", 0), ("BACDE", 1), ("EABCD", 1), ("EDCBA", 4), ("BADCE", 2), ("", 0), ("A", 0)],
)
def test_overtaken_counts_the_arrivals_that_must_be_moved(order: str, moved: int) -> None:
    records = [record(at, at + 1, country=country) for at, country in enumerate(order)]
    assert count_overtaken(records, "ABCDE") == moved


def test_repeated_countries_are_in_order_and_no_retries() -> None:
    opening = Opening("t", Profile("p"), 0, ("BR", "CN"), 2)
    records = [record(0, 9), record(1, 9, country="CN"), record(2, 9, attempt=1), record(3, 9, 1, "CN", 1)]
    seen = observe(records, opening=opening)[0].server_round
    assert (seen.overtaken, seen.retries) == (0, 0)


def test_requests_beyond_the_repetitions_are_retries() -> None:
    records = [record(0, 1), record(1, 2, attempt=1), record(2, 3, attempt=2), record(0, 1, country="CN")]
    assert observe(records)[0].server_round.retries == 2


def test_spacing_of_arrivals() -> None:
    seen = observe([record(at, 20) for at in (0, 1, 2, 9)])[0].server_round
    assert (seen.spacing_p50_s, seen.spacing_max_s) == (1.0, 7.0)


def test_processor_time_of_a_round_is_reported() -> None:
    assert observe([record(0, 2)], cpu_s=0.5)[0].cpu_s == 0.5


def test_round_without_requests_is_left_out() -> None:
    assert observe([record(0, 1)], []).keys() == {0}
