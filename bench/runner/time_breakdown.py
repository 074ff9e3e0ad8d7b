"""The time breakdown of a round: its phases, and the causes of its gap to the ideal.

Worker and server read the same clock, and sums over all fetches need not tell which request belongs to
which fetch.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from statistics import fmean
from typing import Any, Final, TypeVar

from bench.model.open_loop import OpenLoop
from bench.model.results import SUMMED_COUNTS, ClusterGap, Gap, Phases, Round, ServerRound
from bench.model.served_trials import ObservedRound
from bench.runner.expected_round import Expectation, actual_ideal_s
from bench.worker.protocol import ClusterTimes, TimedRound, Timeline

T = TypeVar("T", Phases, Gap, ClusterGap, OpenLoop)

_LARGEST: Final = frozenset({"max_in_flight", "late_p99_s", "spacing_max_s"})
"""Figures of a ``ServerRound`` of which a round has the largest of its calls."""


def account_round(timed: TimedRound, seen: ObservedRound | None, expected: Expectation) -> Round:
    """Put together the stored figures of a round.

    Divide its time only if every fetch was answered to the end: the server does not know when a client
    gave up. In an open loop, slots wait for what is due, so the time beyond the ideal is not divided.
    """
    times, answered = timed.timeline, None
    if seen is not None and sum(timed.fetches.values()) == seen.server_round.requests == seen.answered:
        answered = None if "timeout" in timed.fetches else seen
    return Round(
        elapsed_s=timed.elapsed_s,
        ideal_s=actual_ideal_s(seen, expected) if expected.is_planned else None,
        fetches=timed.fetches,
        verified=timed.verified,
        server=None if seen is None else seen.server_round,
        server_busy=None if seen is None else server_busy(timed, seen),
        phases=divide_into_phases(times, answered) if times and answered else None,
        gap=divide_gap(timed.elapsed_s, times, answered, expected)
        if times and answered and timed.open_loop is None
        else None,
        probes=timed.probes,
        planned_ideal_s=expected.ideal_s if expected.is_planned else None,
        cluster=divide_cluster_gap(timed.elapsed_s, timed.cluster, expected.ideal_s)
        if timed.cluster is not None and expected.is_planned
        else None,
        open_loop=timed.open_loop,
    )


def merge_calls(calls: Sequence[Round]) -> Round:
    """Merge the calls of a round: means of times, shares and probes, sums of counts."""
    if len(calls) == 1:
        return calls[0]
    return Round(
        elapsed_s=fmean(each.elapsed_s for each in calls),
        ideal_s=_mean([each.ideal_s for each in calls]),
        fetches=dict(sum((Counter(each.fetches) for each in calls), Counter())),
        verified=sum(each.verified for each in calls),
        server=_merge_server_rounds([each.server for each in calls]),
        server_busy=_mean([each.server_busy for each in calls]),
        phases=_mean_of(Phases, [each.phases for each in calls]),
        gap=_mean_of(Gap, [each.gap for each in calls]),
        probes={name: fmean(each.probes[name] for each in calls) for name in _shared_probes(calls)},
        calls=len(calls),
        planned_ideal_s=_mean([each.planned_ideal_s for each in calls]),
        cluster=_mean_of(ClusterGap, [each.cluster for each in calls]),
        open_loop=_mean_of(OpenLoop, [each.open_loop for each in calls]),
    )


def server_busy(timed: TimedRound, seen: ObservedRound) -> float | None:
    """Return the processor time of the server as a share of a round.

    Return None if the round took no time.
    """
    return seen.cpu_s / timed.elapsed_s if timed.elapsed_s > 0 else None


def divide_into_phases(times: Timeline, seen: ObservedRound) -> Phases:
    """Divide the time of a fetch, from the call of ``download_many`` to the file."""
    return Phases(
        start_s=seen.first_arrival_s - times.called_s,
        first_byte_s=seen.mean_start_s - times.mean_start_s,
        transfer_s=times.mean_answered_s - seen.mean_start_s,
        save_s=times.mean_end_s - times.mean_answered_s,
    )


def divide_gap(elapsed_s: float, times: Timeline, seen: ObservedRound, expected: Expectation) -> Gap:
    """Divide the time of a round beyond its planned ideal among its causes.

    The time of all slots, elapsed × workers, is: waiting for the first fetch; waiting for a client to be
    opened; within a fetch; after the last fetch; and unused. Within a fetch a slot is with the server, or
    setting up a connection, or opening its thread's part of the client, or the client is at work. With the
    server it is for as long as planned, and too late. Where the longest fetch is the ideal, unused slots
    beside it are inevitable; a server that began late makes the ideal itself longer. Inevitable are also the
    connect latencies in the ideal. Fetches that share a connection all wait for it, and the log has it once.

    The ideal also has the least time of CPU work, which is done within a fetch and so no part of the gap.
    Where work has to wait for other work, slots are inevitably unused, or in a fetch and waiting.
    """
    workers = expected.workers
    ideal_s, service_s = actual_ideal_s(seen, expected), seen.service_s / workers
    work_s = expected.work_s / workers
    pool_start_s = times.pool_start_s / workers
    occupied_s = times.occupied_s / workers
    opening_s, opening_within_s = times.opening_s / workers, times.opening_within_s / workers
    unused_s = elapsed_s - pool_start_s - opening_s - occupied_s - times.pool_stop_s
    in_flight_s, set_up_s = seen.in_flight_s / workers, seen.set_up_s / workers
    latency_s = expected.connecting.waited_s(seen.server_round.requests, workers)
    if expected.connecting.is_shared:
        set_up_s = max(set_up_s, latency_s)
    latency_s = min(set_up_s, latency_s)
    inevitable_s = ideal_s - latency_s - service_s - work_s
    waiting_s = max(0.0, inevitable_s - max(0.0, unused_s)) if work_s else 0.0
    return Gap(
        pool_start_s=pool_start_s,
        unused_s=unused_s - (inevitable_s - waiting_s),
        set_up_s=set_up_s - latency_s,
        client_s=occupied_s - in_flight_s - set_up_s - opening_within_s - work_s - waiting_s,
        lateness_s=(ideal_s - expected.ideal_s) + (in_flight_s - service_s),
        pool_stop_s=times.pool_stop_s,
        client_open_s=opening_s + opening_within_s,
    )


def divide_cluster_gap(elapsed_s: float, times: ClusterTimes, ideal_s: float) -> ClusterGap:
    """Divide the time of a round on a cluster beyond its planned ideal; what is left is scheduling."""
    known_s = times.machines_s + times.packing_s + (times.network_s or 0.0)
    return ClusterGap(
        scheduling_s=elapsed_s - known_s,
        packing_s=times.packing_s,
        network_s=times.network_s,
        client_s=times.machines_s - ideal_s,
        sent_bytes=times.sent_bytes,
        returned_bytes=times.returned_bytes,
    )


def _merge_server_rounds(logs: Sequence[ServerRound | None]) -> ServerRound | None:
    """Merge the server log of several calls; return None if one has none."""
    seen = [each for each in logs if each is not None]
    if len(seen) < len(logs):
        return None
    merged: dict[str, Any] = {
        each.name: _merge_figures(each.name, [getattr(log, each.name) for log in seen])
        for each in fields(ServerRound)
        if each.name != "faults"
    }
    return ServerRound(**merged, faults=dict(sum((Counter(each.faults) for each in seen), Counter())))


def _merge_figures(name: str, values: Sequence[float]) -> float:
    if name in SUMMED_COUNTS:
        return sum(values)
    return max(values) if name in _LARGEST else fmean(values)


def _mean_of(kind: type[T], parts: Sequence[T | None]) -> T | None:
    """Return the means of each field of some phases or gaps; None if any is missing."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    means: dict[str, Any] = {
        each.name: _mean([getattr(part, each.name) for part in known]) for each in fields(kind)
    }
    return kind(**means)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def _shared_probes(calls: Sequence[Round]) -> list[str]:
    """Return the names of the probes that every call has."""
    return [name for name in calls[0].probes if all(name in each.probes for each in calls)]
