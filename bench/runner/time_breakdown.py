"""From what a worker and the server say of a round to where its time went.

Both read the same clock, and sums over all fetches need no telling which request was whose.
"""

from bench.model.results import Gap, Phases, Round
from bench.model.served_trials import ObservedRound
from bench.runner.expected_round import Expectation
from bench.worker.protocol import TimedRound
from bench.worker.timeline import Timeline


def account(timed: TimedRound, seen: ObservedRound | None, expected: Expectation) -> Round:
    """Put together what is kept of a round.

    Its time is divided only if every fetch was answered to the end: of one that timed out, client and
    server do not know the same.
    """
    times = timed.timeline
    all_answered = (
        seen is not None and sum(timed.fetches.values()) == seen.server_round.requests == seen.answered
    )
    witnessed = seen if all_answered and "timeout" not in timed.fetches else None
    return Round(
        elapsed_s=timed.elapsed_s,
        ideal_s=expected.ideal_s,
        fetches=timed.fetches,
        verified=timed.verified,
        server=None if seen is None else seen.server_round,
        server_busy=seen.cpu_s / timed.elapsed_s if seen is not None and timed.elapsed_s > 0 else None,
        phases=phases(times, witnessed) if times and witnessed else None,
        gap=gap(timed.elapsed_s, times, witnessed, expected) if times and witnessed else None,
        probes=timed.probes,
    )


def phases(times: Timeline, seen: ObservedRound) -> Phases:
    """Follow a fetch from the call of ``download_many`` to the file."""
    return Phases(
        start_s=seen.first_arrival_s - times.called_s,
        first_byte_s=seen.mean_start_s - times.mean_start_s,
        transfer_s=times.mean_answered_s - seen.mean_start_s,
        save_s=times.mean_end_s - times.mean_answered_s,
    )


def gap(elapsed_s: float, times: Timeline, seen: ObservedRound, expected: Expectation) -> Gap:
    """Divide what a round took beyond its ideal among its causes.

    The time of all slots, elapsed × workers, is: waiting for the first fetch; within a fetch; after the
    last fetch; and unused. Within a fetch a slot is with the server, or setting up a connection, or the
    client is at work. With the server it is for as long as planned, and too late. Where the longest fetch
    is the ideal, that slots are unused beside it is inevitable.
    """
    workers = expected.workers
    planned_s = expected.service_s / workers
    pool_start_s = times.pool_start_s / workers
    occupied_s = times.occupied_s / workers
    unused_s = elapsed_s - pool_start_s - occupied_s - times.pool_stop_s
    in_flight_s, set_up_s = seen.in_flight_s / workers, seen.set_up_s / workers
    return Gap(
        pool_start_s=pool_start_s,
        unused_s=unused_s - (expected.ideal_s - planned_s),
        set_up_s=set_up_s,
        client_s=occupied_s - in_flight_s - set_up_s,
        lateness_s=in_flight_s - planned_s,
        pool_stop_s=times.pool_stop_s,
    )
