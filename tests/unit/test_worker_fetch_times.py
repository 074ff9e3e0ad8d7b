"""The timeline of a round, built from the times of its fetches."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.api import Fetch
from bench.worker.fetch_times import (
    Openings,
    build_timeline,
    count_latencies,
    find_first_starts,
    has_durations,
    has_only_duration,
    least_work_s_per_byte,
    occupied_s,
    sum_openings,
    timeout_waits_s,
)


def fetch(start_s: float, end_s: float, answered_s: float = 0.0) -> Fetch:
    return Fetch("BR", start_s, end_s, 200, 10, "ok", answered_s=answered_s)


def test_least_work_is_that_of_the_fetch_with_the_least_for_each_byte() -> None:
    """Ten bytes are processed five times; a forged time that is none tells nothing."""
    works_s = (0.05, 0.02, None, math.nan, math.inf, -1.0)
    fetches = [fetch(11, 12)._replace(work_s=work_s) for work_s in works_s]
    assert least_work_s_per_byte(fetches, 5) == pytest.approx(0.02 / 50)
    assert least_work_s_per_byte([*fetches, fetches[0]._replace(size_bytes=0)], 5) == pytest.approx(0.0004)
    assert least_work_s_per_byte([fetch(11, 12)], 5) is None


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


@pytest.mark.parametrize("elsewhere", [fetch(0, 2), fetch(0, 2, 1.5), fetch(0.0, 2, 2), fetch(0, 1e-9)])
def test_fetch_of_another_machine_counts_from_its_own_start(elsewhere: Fetch) -> None:
    assert has_only_duration(elsewhere)
    assert has_durations([elsewhere, fetch(11, 12)], 10.0, 13.0)
    assert build_timeline([elsewhere, fetch(11, 12)], 2, 10.0, 13.0) is None


@pytest.mark.parametrize(
    "wrong",
    [
        fetch(0, 0),
        fetch(0, -1),
        fetch(-1, 2),
        fetch(1, 2),
        fetch(0, 2, 2.5),
        fetch(0, 2, -0.5),
        fetch(0, math.nan),
        fetch(0, 2, math.nan),
        fetch(math.nan, 2),
        fetch(11, 13.5),
    ],
)
def test_round_has_no_latencies_if_a_duration_is_not_known_or_cannot_be(wrong: Fetch) -> None:
    assert not has_only_duration(wrong)
    assert not has_durations([fetch(0, 2), wrong], 10.0, 13.0)


def test_round_without_fetches_has_no_durations() -> None:
    assert not has_durations([], 10.0, 13.0)


def test_durations_of_other_machines_are_counted_like_those_of_this_one() -> None:
    assert count_latencies([fetch(0, 0.5), fetch(10, 10.5), fetch(0, 0.25)]) == {"499968": 2, "249984": 1}


def test_time_out_on_another_machine_is_a_wait_of_its_duration() -> None:
    late = [fetch(0, 2)._replace(outcome="timeout"), fetch(11, 12.5)._replace(outcome="timeout")]
    assert timeout_waits_s([*late, fetch(0, 0)._replace(outcome="timeout")]) == (1.5, 2)


def opened(span: tuple[float, float], opening: tuple[float, float], place: str = "thread") -> Fetch:
    """Build a fetch of this span, whose client was opened in another."""
    return fetch(*span)._replace(opening_s=opening[0], opened_s=opening[1], opened_in=place)


def test_every_slot_waits_for_a_shared_client() -> None:
    """Two of three workers can be used: the client is opened from 1 to 4, and they begin at 5."""
    fetches = [opened(span, (11, 14)) for span in ((15, 18), (15, 17), (18, 20))]
    assert sum_openings(fetches, 3, 10.0) == Openings(total_s=2 * 3, at_start_s=2 * 3, within_s=0)
    timeline = build_timeline(fetches, 3, 10.0, 20.0)
    assert timeline is not None
    assert (timeline.pool_start_s, timeline.opening_s) == (2 * 5 - 2 * 3, 6)


def test_only_its_own_slot_waits_for_a_client_opened_in_a_thread() -> None:
    """Two threads open a client for each download: before the first fetches, and between fetches."""
    fetches = [
        opened((12, 15), (10, 12)),
        opened((13, 16), (11, 13)),
        opened((18, 19), (15, 18)),
        opened((17, 19), (16, 17)),
    ]
    assert sum_openings(fetches, 2, 10.0) == Openings(total_s=2 + 2 + 3 + 1, at_start_s=2 + 2, within_s=0)


def test_every_fetch_of_an_event_loop_waits_for_a_client_opened_in_it() -> None:
    """Three tasks open a client each, one after the other; two workers."""
    fetches = [
        opened((12, 16), (10, 12), "loop"),
        opened((14, 16), (12, 14), "loop"),
        opened((18, 19), (16, 18), "loop"),
    ]
    # both slots wait for 2 s, then one; at the end only one fetch is left, and the other slot is unused
    assert sum_openings(fetches, 2, 10.0) == Openings(total_s=4 + 2 + 2, at_start_s=4 + 2, within_s=0)


def test_session_of_a_thread_is_opened_within_its_first_fetch() -> None:
    fetches = [opened((11, 15), (12, 14)), opened((15, 17), (10, 10)), opened((11, 15), (11, 12))]
    assert sum_openings(fetches, 2, 10.0) == Openings(total_s=0, at_start_s=0, within_s=2 + 1)


@pytest.mark.parametrize("opening", [(0, 0), (3, 9), (14, 12), (math.nan, 12), (11, math.nan), (30, 40)])
def test_client_opened_outside_the_call_keeps_no_slot_waiting(opening: tuple[float, float]) -> None:
    """It was opened in an earlier round, or its times are not in order."""
    assert sum_openings([opened((12, 15), opening)], 2, 10.0) == Openings(0, 0, 0)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30), st.integers(0, 20), st.integers(0, 20), st.sampled_from(("thread", "loop"))
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(1, 10),
)
def test_opening_time_equals_a_count_second_by_second(
    found: list[tuple[int, int, int, str]], workers: int
) -> None:
    """Clients of different times, each with one fetch that begins some time after it was opened."""
    fetches = [
        opened((begun + took + place, begun + took + place + 5), (begun, begun + took), where)
        for place, (begun, took, _, where) in enumerate(found)
    ]
    fetches = [
        each._replace(end_s=each.start_s + length)
        for each, (_, _, length, _) in zip(fetches, found, strict=True)
    ]
    openings = {(each.opening_s, each.opened_s, each.opened_in) for each in fetches}
    users = {
        key: [each for each in fetches if (each.opening_s, each.opened_s, each.opened_in) == key]
        for key in openings
    }
    most = {key: max(1, *(overlap(using, second) for second in range(110))) for key, using in users.items()}
    last_s = max(each.end_s for each in fetches)
    first = find_first_starts(fetches, workers)
    total = at_start = 0
    for second in range(int(last_s)):
        now = [key for key in openings if key[0] <= second < key[1]]
        not_begun = sum(each.start_s > second for each in fetches)
        wanted = sum(min(workers, most[key]) for key in now if key[2] == "thread")
        wanted += not_begun if any(key[2] == "loop" for key in now) else 0
        waiting = min(wanted, workers - min(workers, overlap(fetches, second)))
        total += waiting
        at_start += min(waiting, sum(start_s > second for start_s in first))
    assert sum_openings(fetches, workers, 0.0) == Openings(total, at_start, 0)


def overlap(fetches: list[Fetch], second: int) -> int:
    """Count the fetches in progress."""
    return sum(each.start_s <= second < each.end_s for each in fetches)
