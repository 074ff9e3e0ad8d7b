"""The witness: what a round's records say of it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.cases import Profile
from bench.server.open_trials import Opening, RoundLog
from bench.server.request_log import UNANSWERED, Log, Record
from bench.server.server_rounds import ObservedRound, idle_s, max_overlap, observed_rounds, overtaken

TWO = Opening("t", Profile("p"), 0, ("BR", "CN"), 1)


def record(
    arrival_s: float, end_s: float, connection: int = 1, country: str = "BR", attempt: int = 0
) -> Record:
    """Make a record of an answer on time, on a connection accepted a second before."""
    return Record(connection, arrival_s - 1, arrival_s, arrival_s, end_s, 0.0, 200, country, attempt)


def of(*rounds: Sequence[Record], opening: Opening = TWO, cpu_s: float = 0.0) -> dict[int, ObservedRound]:
    """Have the rounds of a trial testified."""
    logs = {}
    for number, records in enumerate(rounds):
        log = Log()
        for each in records:
            log.add(*each)
        logs[number] = RoundLog(log, 1.0, 1.0 + cpu_s)
    return observed_rounds(logs, opening)


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
def test_requests_are_in_flight_where_they_overlap_and_idle_where_there_are_none(
    spans: Sequence[tuple[float, float]], most: int, idle: float
) -> None:
    """A request that arrives as another ends does not overlap it."""
    seen = of([record(*span) for span in spans])[0].witness
    assert (seen.max_in_flight, seen.idle_s) == (most, idle)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=30))
def test_the_sweeps_agree_with_looking_at_every_instant(spans: list[tuple[int, int]]) -> None:
    """Between two whole seconds nothing changes."""
    starts = sorted(start for start, _ in spans)
    ends = sorted(start + length for start, length in spans)
    active = [
        sum(start <= at < start + length for start, length in spans) for at in range(starts[0], ends[-1])
    ]
    assert max_overlap(starts, ends) == max(active)
    assert idle_s(starts, ends) == active.count(0)


def test_the_mean_in_flight_is_over_time() -> None:
    """Two requests of three seconds each, in four seconds."""
    assert of([record(0, 3), record(1, 4)])[0].witness.mean_in_flight == 1.5


def test_connections_are_those_the_round_used_and_opened_those_it_brought() -> None:
    """One that served in an earlier round was not opened in this one."""
    first = [record(0, 1, connection=1), record(1, 2, connection=1), record(0, 1, connection=7)]
    second = [record(5, 6, connection=7), record(5, 6, connection=8)]
    seen = of(first, second)
    assert (seen[0].witness.connections, seen[0].witness.opened) == (2, 2)
    assert (seen[1].witness.connections, seen[1].witness.opened) == (2, 1)
    assert seen[0].set_up_s == 2.0
    assert seen[1].set_up_s == 1.0


def test_lateness_is_that_of_answers_begun() -> None:
    """A client that left does not make the server late, or early."""
    late = [Record(1, 9.0, 10.0, 10.5 + n / 1000, 11.0, 0.5, 200, "BR", n) for n in range(1, 101)]
    gone = Record(1, 9.0, 10.0, 10.1, 10.1, 0.5, UNANSWERED, "BR", 100)
    seen = of([*late, gone])[0].witness
    assert seen.requests == 101
    assert seen.late_p50_s == pytest.approx(0.050)
    assert seen.late_p99_s == pytest.approx(0.099)
    assert seen.late_mean_s == pytest.approx(0.0505)


def test_answers_that_a_fault_ends_later_are_late_like_others() -> None:
    """One that stalls has begun; one that is a reset never does, and has a start that means nothing."""
    stalled = Record(1, 9.0, 10.0, 10.7, 12.0, 0.5, UNANSWERED, "BR", 0, "stall")
    reset = Record(1, 9.0, 10.0, 19.0, 19.0, 0.5, UNANSWERED, "CN", 0, "reset_before_headers")
    said = of([stalled, reset])[0]
    assert said.witness.late_mean_s == pytest.approx(0.2)
    assert said.answered == 0


def test_the_faults_that_were_carried_out_are_counted_by_kind() -> None:
    """Those that none met are left out."""
    kinds = ["stall", "", "not_found", "stall"]
    seen = of([record(at, at + 1)._replace(fault=kind) for at, kind in enumerate(kinds)])
    assert seen[0].witness.faults == {"stall": 2, "not_found": 1}
    assert of([record(0, 1)])[0].witness.faults == {}


@pytest.mark.parametrize(
    ("order", "moved"),
    [("ABCDE", 0), ("BACDE", 1), ("EABCD", 1), ("EDCBA", 4), ("BADCE", 2), ("", 0), ("A", 0)],
)
def test_arrivals_are_overtaken_as_far_as_they_must_be_moved(order: str, moved: int) -> None:
    """One request that comes last although it was asked first has been overtaken once, not four times."""
    records = [record(at, at + 1, country=country) for at, country in enumerate(order)]
    assert overtaken(records, "ABCDE") == moved


def test_a_repeated_country_has_its_place_in_each_repetition() -> None:
    """The second time round comes after all of the first."""
    opening = Opening("t", Profile("p"), 0, ("BR", "CN"), 2)
    records = [record(0, 9), record(1, 9, country="CN"), record(2, 9, attempt=1), record(3, 9, 1, "CN", 1)]
    seen = of(records, opening=opening)[0].witness
    assert (seen.overtaken, seen.retries) == (0, 0)


def test_requests_beyond_those_asked_are_retries() -> None:
    """Each country was to be asked for once."""
    records = [record(0, 1), record(1, 2, attempt=1), record(2, 3, attempt=2), record(0, 1, country="CN")]
    assert of(records)[0].witness.retries == 2


def test_arrivals_have_their_spacing() -> None:
    """One, one and seven seconds apart."""
    seen = of([record(at, 20) for at in (0, 1, 2, 9)])[0].witness
    assert (seen.spacing_p50_s, seen.spacing_max_s) == (1.0, 7.0)


def test_the_server_states_what_it_used() -> None:
    """From the first request of a round to that of the next."""
    assert of([record(0, 2)], cpu_s=0.5)[0].cpu_s == 0.5


def test_a_round_that_saw_no_request_is_not_testified() -> None:
    """Nothing is known of it."""
    assert of([record(0, 1)], []).keys() == {0}
