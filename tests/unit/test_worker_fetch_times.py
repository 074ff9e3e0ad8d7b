"""The timeline of a round, built from the times of its fetches."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.api import Fetch
from bench.worker.fetch_times import build_timeline, occupied_s, timeout_waits_s


def fetch(start_s: float, end_s: float, answered_s: float = 0.0) -> Fetch:
    return Fetch("BR", start_s, end_s, 200, 10, "ok", answered_s=answered_s)


def test_slots_wait_for_their_first_fetch_and_for_the_return() -> None:
    """Two workers begin after one second and two; the last fetch ends one second before the return."""
    timeline = build_timeline([fetch(11, 14, 13), fetch(12, 15, 13.5), fetch(14, 19, 18)], 2, 10.0, 20.0)
    assert timeline is not None
    assert (timeline.called_s, timeline.pool_start_s) == (10, 1 + 2)
    assert (timeline.occupied_s, timeline.pool_stop_s) == (3 + 3 + 5, 1)
    assert timeline.mean_start_s == pytest.approx(37 / 3)
    assert timeline.mean_answered_s == pytest.approx(44.5 / 3)
    assert timeline.mean_end_s == 16


def test_slot_that_never_had_a_fetch_did_not_start_late() -> None:
    """Only one of four workers is used: its next fetches are not the first ones of the others."""
    timeline = build_timeline([fetch(11, 12), fetch(12.5, 14), fetch(14.5, 16)], 4, 10.0, 16.0)
    assert timeline is not None
    assert timeline.pool_start_s == 1.0


def test_unknown_time_of_the_answer_counts_as_the_end() -> None:
    timeline = build_timeline([fetch(11, 12)], 1, 10.0, 13.0)
    assert timeline is not None
    assert timeline.mean_answered_s == timeline.mean_end_s


@pytest.mark.parametrize(
    "outside",
    [
        fetch(9.9, 12),
        fetch(11, 13.1),
        fetch(12, 11),
        fetch(11, 12, 12.5),
        fetch(11, 12, 10.5),
        fetch(math.nan, 12),
        fetch(11, math.nan),
        fetch(0, 0),
    ],
)
def test_fetch_with_times_outside_the_round_leaves_no_timeline(outside: Fetch) -> None:
    assert build_timeline([fetch(11, 12), outside], 2, 10.0, 13.0) is None


def test_round_without_fetches_has_no_timeline() -> None:
    assert build_timeline([], 2, 10.0, 13.0) is None


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=30), st.integers(1, 40)
)
def test_occupied_time_equals_a_count_second_by_second(spans: list[tuple[int, int]], workers: int) -> None:
    fetches = [fetch(start, start + length) for start, length in spans]
    counted = sum(
        min(workers, sum(each.start_s <= second < each.end_s for each in fetches)) for second in range(81)
    )
    assert occupied_s(fetches, workers) == counted


def test_shortest_and_longest_wait_of_time_outs_leave_out_others_and_unknown_times() -> None:
    late = [fetch(11, 13)._replace(outcome="timeout"), fetch(11, 12.5)._replace(outcome="timeout")]
    assert timeout_waits_s([fetch(1, 9), *late, fetch(0, 0)._replace(outcome="timeout")]) == (1.5, 2)
    assert timeout_waits_s([fetch(1, 9)]) == ()
