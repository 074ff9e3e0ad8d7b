"""What the fetches' own times say of a round."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.api import Fetch
from bench.worker.timeline import occupied_s, timeline


def fetch(start_s: float, end_s: float, answered_s: float = 0.0) -> Fetch:
    """Make a fetch that went well."""
    return Fetch("BR", start_s, end_s, 200, 10, "ok", answered_s=answered_s)


def test_slots_wait_for_their_first_fetch_and_for_the_return() -> None:
    """Two workers begin after one second and two; the last fetch ends one second before the return."""
    found = timeline([fetch(11, 14, 13), fetch(12, 15, 13.5), fetch(14, 19, 18)], 2, 10.0, 20.0)
    assert found is not None
    assert (found.called_s, found.pool_start_s) == (10, 1 + 2)
    assert (found.occupied_s, found.pool_stop_s) == (3 + 3 + 5, 1)
    assert found.mean_start_s == pytest.approx(37 / 3)
    assert found.mean_answered_s == pytest.approx(44.5 / 3)
    assert found.mean_end_s == 16


def test_a_slot_that_never_had_a_fetch_did_not_start_late() -> None:
    """Of four workers one is ever used: its successive fetches are not the first ones of the others."""
    found = timeline([fetch(11, 12), fetch(12.5, 14), fetch(14.5, 16)], 4, 10.0, 16.0)
    assert found is not None
    assert found.pool_start_s == 1.0


def test_without_a_time_of_the_answer_saving_takes_none() -> None:
    """A strategy of one's own need not say it."""
    found = timeline([fetch(11, 12)], 1, 10.0, 13.0)
    assert found is not None
    assert found.mean_answered_s == found.mean_end_s


@pytest.mark.parametrize(
    "unsound",
    [
        fetch(9.9, 12),
        fetch(11, 13.1),
        fetch(12, 11),
        fetch(11, 12, 12.5),
        fetch(11, 12, 10.5),
        fetch(math.nan, 12),
        fetch(11, math.nan),
        fetch(0, 0),
        Fetch("BR", None, None, 200, 1, "ok"),  # type: ignore[arg-type]
        Fetch("BR", "11", "12", 200, 1, "ok"),  # type: ignore[arg-type]
        fetch(11, 12, "11.5"),  # type: ignore[arg-type]
    ],
)
def test_times_that_are_not_of_this_round_are_no_times(unsound: Fetch) -> None:
    """Nothing is said rather than something wrong."""
    assert timeline([fetch(11, 12), unsound], 2, 10.0, 13.0) is None


def test_a_round_without_fetches_has_no_times() -> None:
    """There is nothing to sum up."""
    assert timeline([], 2, 10.0, 13.0) is None


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=30), st.integers(1, 40)
)
def test_slots_are_occupied_at_every_instant_by_as_many_fetches_as_there_are_slots(
    spans: list[tuple[int, int]], workers: int
) -> None:
    """Counted second by second."""
    fetches = [fetch(start, start + length) for start, length in spans]
    counted = sum(
        min(workers, sum(each.start_s <= second < each.end_s for each in fetches)) for second in range(81)
    )
    assert occupied_s(fetches, workers) == counted
