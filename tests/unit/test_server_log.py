"""The witness: what a round's records say of it."""

from collections.abc import Sequence

import pytest

from bench.model import Witness
from bench.server.log import UNANSWERED, Log, Record, witness_of


def record(arrival_s: float, end_s: float, connection: int = 1) -> Record:
    """Make a record of an answer on time."""
    return Record(connection, arrival_s, arrival_s, end_s, 0.0, 200, "BR", 0)


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(0, 1)], 1),
        ([(0, 1), (1, 2)], 1),
        ([(0, 2), (1, 3)], 2),
        ([(0, 9), (1, 2), (3, 4)], 2),
        ([(0, 9), (1, 5), (2, 4), (6, 8)], 3),
        ([(1, 1)], 1),
        ([(1, 1), (1, 1)], 1),
        ([(0, 3), (2, 5), (4, 7), (6, 9)], 2),
    ],
)
def test_requests_in_flight_are_counted_where_they_overlap(
    spans: Sequence[tuple[float, float]], most: int
) -> None:
    """A request that arrives as another ends does not overlap it."""
    assert witness_of([record(*span) for span in spans]).max_in_flight == most


def test_connections_are_those_the_round_used() -> None:
    """A connection that served twice is one connection."""
    records = [record(0, 1, connection=1), record(1, 2, connection=1), record(0, 1, connection=7)]
    assert witness_of(records).connections == 2


def test_lateness_is_that_of_answers_begun() -> None:
    """A client that left does not make the server late, or early."""
    late = [Record(1, 10.0, 10.5 + n / 1000, 11.0, 0.5, 200, "BR", n) for n in range(1, 101)]
    gone = Record(1, 10.0, 10.1, 10.1, 0.5, UNANSWERED, "BR", 100)
    witness = witness_of([*late, gone])
    assert witness.requests == 101
    assert witness.late_p50_s == pytest.approx(0.050)
    assert witness.late_p99_s == pytest.approx(0.099)


def test_an_empty_round_has_an_empty_witness() -> None:
    """Nothing seen is a testimony too."""
    assert witness_of([]) == Witness(0, 0, 0, 0.0, 0.0)


def test_a_log_returns_what_was_added() -> None:
    """Packing loses nothing, a request without a country included."""
    log = Log()
    records = [
        Record(1, 1.25, 2.5, 3.75, 0.05, 200, "BR", 3),
        Record(70_000, 1e6 + 1e-9, 2e6, 3e6, 0.0, 404, "", 100_000),
    ]
    for each in records:
        log.add(*each)
    assert list(log) == records
    assert len(log) == 2
