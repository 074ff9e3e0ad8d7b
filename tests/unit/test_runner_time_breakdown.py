"""The time breakdown of a round: its parts are measured separately, and add up to the whole."""

from dataclasses import fields, replace
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.api import Fetch
from bench.model.cases import Profile
from bench.model.lower_bound import Connecting
from bench.model.open_loop import OpenLoop
from bench.model.results import ClusterGap, Gap
from bench.model.served_trials import ObservedRound, Opening
from bench.runner.expected_round import Expectation, actual_ideal_s
from bench.runner.time_breakdown import account_round, divide_cluster_gap, divide_gap, merge_calls
from bench.server.open_trials import RoundLog
from bench.server.request_log import Record, RequestLog
from bench.server.server_rounds import observe_rounds
from bench.worker.fetch_times import build_timeline
from bench.worker.protocol import ClusterTimes, TimedRound

SERVICE_S = 10.0


def round_of(spans: list[tuple[float, float]], workers: int, elapsed_s: float) -> TimedRound:
    """Build the report of a round that was called at 100, with fetches of these starts and ends."""
    fetches = [Fetch("BR", start_s, end_s, 200, 10, "ok", answered_s=end_s) for start_s, end_s in spans]
    times = build_timeline(fetches, workers, 100.0, 100.0 + elapsed_s)
    return TimedRound(elapsed_s, {"ok": len(fetches)}, len(fetches), (), times)


def seen_of(spans: list[tuple[float, float]], set_up_s: float = 0.0) -> ObservedRound:
    """Build the server log of requests of these arrivals and ends, each on its own connection."""
    log = RequestLog()
    for number, (arrival_s, end_s) in enumerate(spans):
        log.add(number, arrival_s - set_up_s, arrival_s, end_s, end_s, 0.0, 200, "BR", 0, "")
    return observe_rounds({1: RoundLog(log, 0.0, 0.0)}, Opening("t", Profile("p"), 0), {})[1]


def expected(fetches: int, workers: int, ideal_s: float) -> Expectation:
    return Expectation(ideal_s, fetches * SERVICE_S, workers, {"ok": fetches}, {})


def divided(timed: TimedRound, seen: ObservedRound, plan: Expectation) -> Gap:
    found = account_round(timed, seen, plan).gap
    assert found is not None
    return found


def test_each_cause_has_its_part() -> None:
    """One worker, two fetches: a second each of everything, but three of client and two of lateness."""
    timed = round_of([(101, 114), (115, 129)], 1, 30.0)
    seen = seen_of([(103, 113), (116, 128)], set_up_s=0.5)
    assert divided(timed, seen, expected(2, 1, 20.0)) == Gap(
        pool_start_s=1.0, unused_s=1.0, set_up_s=1.0, client_s=4.0, lateness_s=2.0, pool_stop_s=1.0
    )


def test_a_worker_that_is_never_used_is_an_unused_slot() -> None:
    """Two workers were asked for, one did it all: half of the time of all slots was unused."""
    timed = round_of([(100, 110), (110, 120), (120, 130), (130, 140)], 2, 40.0)
    seen = seen_of([(100, 110), (110, 120), (120, 130), (130, 140)])
    found = divided(timed, seen, expected(4, 2, 20.0))
    assert found == Gap(0.0, 20.0, 0.0, 0.0, 0.0, 0.0)


def test_slots_unused_beside_the_longest_fetch_are_no_part_of_the_gap() -> None:
    """Two workers, a fetch of ten seconds and none beside it: that is the ideal."""
    timed = round_of([(100, 110)], 2, 10.0)
    assert divided(timed, seen_of([(100, 110)]), expected(1, 2, 10.0)) == Gap(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_late_server_makes_the_ideal_longer_and_is_a_part_of_its_own() -> None:
    """Two fetches at once, planned for a second each; one began three seconds late, and took one to send.

    The late one is the ideal of four seconds; the slot beside it was idle for three of them, which is
    inevitable and no fault of the strategy.
    """
    log = RequestLog()
    log.add(1, 100.0, 100.0, 101.0, 101.0, 1.0, 200, "BR", 0, "")
    log.add(2, 100.0, 100.0, 104.0, 105.0, 1.0, 200, "CN", 0, "")
    seen = observe_rounds({1: RoundLog(log, 0.0, 0.0)}, Opening("t", Profile("p"), 0), {})[1]
    timed = round_of([(100, 101), (100, 105)], 2, 6.0)
    found = account_round(timed, seen, Expectation(1.0, 2.0, 2, {"ok": 2}, {}))
    assert (found.ideal_s, found.planned_ideal_s) == (4.0, 1.0)
    assert found.gap == Gap(
        pool_start_s=0.0, unused_s=0.5, set_up_s=0.0, client_s=0.0, lateness_s=3.5, pool_stop_s=1.0
    )


def test_connect_latency_of_kept_connections_is_no_part_of_the_gap() -> None:
    """Two workers open a connection each in three seconds, one of which is inevitable."""
    timed = round_of([(100, 113), (100, 113)], 2, 13.0)
    seen = seen_of([(103, 113), (103, 113)], set_up_s=3.0)
    plan = replace(expected(2, 2, 11.0), connecting=Connecting(1.0))
    assert divided(timed, seen, plan) == Gap(0.0, 0.0, 2.0, 0.0, 0.0, 0.0)


def test_connect_latency_of_each_fetch_is_no_part_of_the_gap() -> None:
    """One worker opens two connections in three seconds each, of which one is inevitable."""
    timed = round_of([(100, 113), (113, 126)], 1, 26.0)
    seen = seen_of([(103, 113), (116, 126)], set_up_s=3.0)
    plan = replace(expected(2, 1, 22.0), connecting=Connecting(1.0, per_fetch=True))
    assert divided(timed, seen, plan) == Gap(0.0, 0.0, 4.0, 0.0, 0.0, 0.0)


def test_fetches_that_wait_for_a_shared_connection_are_not_the_work_of_the_client() -> None:
    """Two fetches over HTTP/2 wait for a connection that the log has once."""
    log = RequestLog()
    for _ in range(2):
        log.add(1, 100.0, 102.0, 112.0, 112.0, SERVICE_S, 200, "BR", 0, "")
    seen = observe_rounds({1: RoundLog(log, 0.0, 0.0)}, Opening("t", Profile("p"), 0), {})[1]
    timed = round_of([(100, 112), (100, 112)], 2, 12.0)
    plan = replace(expected(2, 2, 12.0), connecting=Connecting(2.0, is_shared=True))
    assert divided(timed, seen, plan) == Gap(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_slot_that_is_never_used_waits_for_no_connection() -> None:
    """One of two workers did it all: the other one was unused, and not for its connect latency."""
    timed = round_of([(100, 112), (112, 122)], 2, 22.0)
    log = RequestLog()
    log.add(1, 100.0, 102.0, 112.0, 112.0, SERVICE_S, 200, "BR", 0, "")
    log.add(1, 100.0, 112.0, 122.0, 122.0, SERVICE_S, 200, "BR", 0, "")
    seen = observe_rounds({1: RoundLog(log, 0.0, 0.0)}, Opening("t", Profile("p"), 0), {})[1]
    plan = replace(expected(2, 2, 12.0), connecting=Connecting(2.0))
    assert divided(timed, seen, plan) == Gap(0.0, 10.0, 0.0, 0.0, 0.0, 0.0)


def test_connections_of_a_function_that_may_keep_them_are_all_part_of_the_gap() -> None:
    timed, seen = round_of([(100, 113)], 1, 13.0), seen_of([(103, 113)], set_up_s=3.0)
    assert divided(timed, seen, expected(1, 1, 10.0)) == Gap(0.0, 0.0, 3.0, 0.0, 0.0, 0.0)


@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(0, 2), st.floats(0, 2)), min_size=1),
    st.integers(1, 8),
    st.none() | st.floats(1, 8),
)
def test_no_schedule_beats_the_ideal_of_its_actual_service_times(
    fetches: list[tuple[float, float, float, float]], workers: int, timeout_s: float | None
) -> None:
    """Each free worker takes the next fetch; the client's own work comes on top of the server's."""
    log, free_at_s = RequestLog(), [100.0] * workers
    for planned_s, late_s, before_s, after_s in fetches:
        began_s = min(free_at_s)
        arrival_s = began_s + before_s
        answer_s = arrival_s + planned_s + late_s
        is_left = timeout_s is not None and answer_s - began_s > timeout_s
        end_s = began_s + timeout_s if is_left and timeout_s is not None else answer_s + after_s
        free_at_s[free_at_s.index(began_s)] = end_s
        log.add(1, began_s, arrival_s, answer_s, max(answer_s, end_s), planned_s, 200, "BR", 0, "")
    elapsed_s = max(free_at_s) - 100
    opening = Opening("t", Profile("p"), 0, request_timeout_s=timeout_s)
    seen = observe_rounds({1: RoundLog(log, 0.0, 0.0)}, opening, {})[1]
    assert actual_ideal_s(seen, Expectation(0.0, 0.0, workers, {}, {})) <= elapsed_s + 1e-9


def test_calls_of_a_round_are_merged_to_means_of_times_and_sums_of_counts() -> None:
    """A part that one call lacks is missing in the round, too."""
    timed = [round_of([(101, 111), (112, 122)], 1, 25.0), round_of([(103, 113), (114, 124)], 1, 29.0)]
    timed = [replace(each, probes={"gc_s": place}) for place, each in enumerate(timed)]
    calls = [account_round(each, seen_of([(101, 111), (112, 122)]), expected(2, 1, 20.0)) for each in timed]
    merged = merge_calls(calls)
    assert (merged.elapsed_s, merged.ideal_s, merged.planned_ideal_s, merged.calls) == (27.0, 20.0, 20.0, 2)
    assert (merged.fetches, merged.verified, merged.probes) == ({"ok": 4}, 4, {"gc_s": 0.5})
    assert merged.gap is not None
    assert fsum(getattr(merged.gap, each.name) for each in fields(Gap)) == pytest.approx(7.0)
    assert merged.server is not None
    assert (merged.server.requests, merged.server.max_in_flight) == (4, 1)
    partly = merge_calls([calls[0], replace(calls[1], gap=None, server=None)])
    assert (partly.gap, partly.server, partly.phases is None) == (None, None, False)
    assert merge_calls(calls[:1]) is calls[0]


def test_phases_follow_a_fetch_from_the_call_to_the_file() -> None:
    timed = round_of([(101, 114)], 1, 15.0)
    fetch = Fetch("BR", 101, 114, 200, 10, "ok", answered_s=113)
    timed = replace(timed, timeline=build_timeline([fetch], 1, 100.0, 115.0))
    log = RequestLog()
    log.add(*Record(1, 102.0, 103.0, 111.0, 112.0, 8.0, 200, "BR", 0))
    seen = observe_rounds({1: RoundLog(log, 0.0, 0.0)}, Opening("t", Profile("p"), 0), {})[1]
    found = account_round(timed, seen, expected(1, 1, 10.0)).phases
    assert found is not None
    assert (found.start_s, found.first_byte_s, found.transfer_s, found.save_s) == (3, 10, 2, 1)


def test_a_round_is_not_divided_unless_worker_and_server_saw_all_of_it() -> None:
    """A fetch without times, a server that saw another number of requests, or none at all."""
    timed, seen = round_of([(101, 112)], 1, 15.0), seen_of([(101, 112)])
    plan = expected(1, 1, 10.0)
    assert account_round(timed, seen, plan).gap is not None
    for lacking in (
        account_round(replace(timed, timeline=None), seen, plan),
        account_round(timed, seen_of([(101, 112), (101, 112)]), plan),
        account_round(timed, None, plan),
        account_round(replace(timed, fetches={"timeout": 1}), seen, plan),
        account_round(timed, replace(seen, answered=0), plan),
    ):
        assert (lacking.gap, lacking.phases) == (None, None)


def test_work_of_the_ideal_is_no_part_of_the_gap() -> None:
    """One worker, two fetches of ten seconds and three of work: the other second of each is the client's."""
    timed = round_of([(100, 114), (114, 128)], 1, 28.0)
    plan = replace(expected(2, 1, 26.0), has_work=True, work_s=6.0, slot_work_s=6.0)
    found = divided(timed, seen_of([(100, 110), (114, 124)]), plan)
    assert found == Gap(0.0, 0.0, 0.0, client_s=2.0, lateness_s=0.0, pool_stop_s=0.0)


def test_waiting_for_other_work_is_inevitable_and_no_part_of_the_gap() -> None:
    """Two threads of one interpreter: five seconds of work each after ten of waiting take twenty together.

    The first slot is unused for the last five seconds, in which the second works, after it has waited for as
    long within its fetch.
    """
    plan = replace(expected(2, 2, 20.0), has_work=True, work_s=10.0, slot_work_s=10.0)
    found = divided(round_of([(100, 115), (100, 120)], 2, 20.0), seen_of([(100, 110)] * 2), plan)
    assert found == Gap(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


OPENED = st.sampled_from(("", "thread", "loop", "within"))


@given(
    st.lists(
        st.tuples(
            st.floats(0, 50), st.floats(0, 5), st.floats(10, 20), st.floats(0, 5), st.floats(0, 9), OPENED
        ),
        min_size=1,
    ),
    st.integers(1, 30),
    st.builds(Connecting, st.floats(0, 5), st.booleans(), st.booleans()),
    st.floats(0, 5),
)
def test_the_parts_add_up_to_the_gap(
    fetches: list[tuple[float, float, float, float, float, str]],
    workers: int,
    connecting: Connecting,
    work_s: float,
) -> None:
    """The time of all slots is divided, whatever the strategy did, and wherever it opened its clients."""
    returned, requests = [], []
    for start_s, before_s, service_s, after_s, opening_s, place in fetches:
        arrival_s = 100 + start_s + before_s
        requests.append((arrival_s, arrival_s + service_s))
        end_s = arrival_s + service_s + after_s
        began_s = 100 + start_s if place == "within" else 100 + start_s - opening_s
        each = Fetch("BR", 100 + start_s, end_s, 200, 10, "ok", answered_s=end_s)
        if place:
            opened_in = "thread" if place == "within" else place
            each = each._replace(opening_s=began_s, opened_s=began_s + opening_s, opened_in=opened_in)
        returned.append(each)
    elapsed_s = max(each.end_s for each in returned) - 100 + 1
    times = build_timeline(returned, workers, 100.0, 100.0 + elapsed_s)
    assert times is not None
    assert min(times.pool_start_s, times.opening_s, times.opening_within_s) >= -1e-6
    plan = expected(len(fetches), workers, max(10.0, len(fetches) * (10 + work_s) / workers))
    plan = replace(
        plan, connecting=connecting, work_s=len(fetches) * work_s, slot_work_s=len(fetches) * work_s
    )
    found = divide_gap(elapsed_s, times, seen_of(requests), plan)
    total_s = sum(getattr(found, part.name) for part in fields(found))
    assert total_s == pytest.approx(elapsed_s - plan.ideal_s, abs=1e-6)
    without = [each._replace(opening_s=0.0, opened_s=0.0, opened_in="") for each in returned]
    earlier = build_timeline(without, workers, 100.0, 100.0 + elapsed_s)
    assert earlier is not None
    before = divide_gap(elapsed_s, earlier, seen_of(requests), plan)
    assert before.client_open_s == 0
    moved_s = sum(
        getattr(before, name) - getattr(found, name) for name in ("pool_start_s", "unused_s", "client_s")
    )
    assert found.client_open_s == pytest.approx(moved_s, abs=1e-6)


@given(st.tuples(*[st.floats(0.0, 100.0)] * 5))
def test_parts_of_a_gap_on_a_cluster_add_up(times: tuple[float, ...]) -> None:
    """With or without a known network, to the time beyond the ideal."""
    elapsed_s, machines_s, packing_s, network_s, ideal_s = times
    for network in (network_s, None):
        gap = divide_cluster_gap(elapsed_s, ClusterTimes(machines_s, packing_s, network, 10, 20), ideal_s)
        parts = (gap.scheduling_s, gap.packing_s, gap.network_s or 0.0, gap.client_s)
        assert fsum(parts) == pytest.approx(elapsed_s - ideal_s)
        assert (gap.network_s is None) == (network is None)


def test_gap_on_a_cluster_is_kept_and_merged() -> None:
    timed = replace(round_of([(101, 111)], 1, 30.0), cluster=ClusterTimes(12.0, 3.0, 2.0, 100, 300))
    call = account_round(timed, None, expected(1, 1, 10.0))
    assert call.cluster == ClusterGap(13.0, 3.0, 2.0, 100, 300, 2.0)
    merged = merge_calls([call, replace(call, cluster=ClusterGap(15.0, 1.0, 4.0, 300, 100, None))])
    assert merged.cluster == ClusterGap(14.0, 2.0, 3.0, 200, 200, None)
    assert merge_calls([call, replace(call, cluster=None)]).cluster is None


def test_time_of_an_open_loop_is_not_divided_and_calls_are_averaged() -> None:
    """Slots wait for what is due, which is no fault of the strategy."""
    spans = [(101.0, 114.0), (115.0, 129.0)]
    calls = [
        account_round(
            replace(round_of(spans, 1, 30.0), open_loop=OpenLoop(2.0, reached, backlog, 1.0, 0.5)),
            seen_of(spans),
            expected(2, 1, 20.0),
        )
        for reached, backlog in ((1.0, 3.0), (2.0, 5.0))
    ]
    assert [each.gap for each in calls] == [None, None]
    assert calls[0].phases is not None
    assert merge_calls(calls).open_loop == OpenLoop(2.0, 1.5, 4.0, 1.0, 0.5)
    closed = account_round(round_of(spans, 1, 30.0), seen_of(spans), expected(2, 1, 20.0))
    assert closed.open_loop is None
