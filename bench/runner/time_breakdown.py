"""The time breakdown of a round: its phases, and the causes of its gap to the ideal.

Worker and server read the same clock, and sums over all fetches need not tell which request belongs to
which fetch.
"""

from bench.model.results import Gap, Phases, Round
from bench.model.served_trials import ObservedRound
from bench.runner.expected_round import Expectation
from bench.worker.protocol import TimedRound, Timeline


def account_round(timed: TimedRound, seen: ObservedRound | None, expected: Expectation) -> Round:
    """Put together the stored figures of a round.

    Divide its time only if every fetch was answered to the end: the server does not know when a client
    gave up.
    """
    times, answered = timed.timeline, None
    if seen is not None and sum(timed.fetches.values()) == seen.server_round.requests == seen.answered:
        answered = None if "timeout" in timed.fetches else seen
    return Round(
        elapsed_s=timed.elapsed_s,
        ideal_s=expected.ideal_s,
        fetches=timed.fetches,
        verified=timed.verified,
        server=None if seen is None else seen.server_round,
        server_busy=None if seen is None else server_busy(timed, seen),
        phases=divide_into_phases(times, answered) if times and answered else None,
        gap=divide_gap(timed.elapsed_s, times, answered, expected) if times and answered else None,
        probes=timed.probes,
    )


def server_busy(timed: TimedRound, seen: ObservedRound) -> float | None:
    """Return the processor time of the server as a share of the round; ``None`` for a round of no time."""
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
    """Divide the time of a round beyond its ideal among its causes.

    The time of all slots, elapsed × workers, is: waiting for the first fetch; within a fetch; after the
    last fetch; and unused. Within a fetch a slot is with the server, or setting up a connection, or the
    client is at work. With the server it is for as long as planned, and too late. Where the longest fetch
    is the ideal, unused slots beside it are inevitable.
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
