"""Compute the figures of each round from the server's log when a trial is closed."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, fsum
from statistics import fmean

from bench.model.planned_delays import least_connect_s
from bench.model.results import ServerRound
from bench.model.served_trials import ObservedRound, Opening
from bench.server.open_trials import RoundLog
from bench.server.request_log import UNANSWERED, Record


def observe_rounds(
    rounds: Mapping[int, RoundLog], opening: Opening, flag_sizes: Mapping[str, int]
) -> dict[int, ObservedRound]:
    """Compute the figures of each round that had a request; ``flag_sizes`` are bytes by country."""
    known: set[int] = set()
    observed: dict[int, ObservedRound] = {}
    for number, round_log in sorted(rounds.items()):
        records = sorted(round_log.log, key=lambda record: record.arrival_s)
        if records:
            cpu_s = round_log.ended_cpu_s - round_log.began_cpu_s
            services_s = [_service_s(record, opening, flag_sizes) for record in records]
            observed[number] = _observe_round(records, known, opening, services_s, cpu_s)
        known.update(record.connection for record in records)
    return observed


def _observe_round(
    records: Sequence[Record],
    known: set[int],
    opening: Opening,
    services_s: Sequence[float],
    cpu_s: float,
) -> ObservedRound:
    """Compute the figures of a round.

    Args:
        records: in the order of arrival.
        known: connections that served an earlier round of the trial.
        opening: the trial, with the order in which it requests its countries.
        services_s: the shortest time of each request, by its actual start.
        cpu_s: processor time of the server.
    """
    arrivals_s = [record.arrival_s for record in records]
    ends_s = sorted(record.end_s for record in records)
    duration_s = ends_s[-1] - arrivals_s[0]
    in_flight_s = fsum(record.end_s - record.arrival_s for record in records)
    firsts = {record.connection: record for record in reversed(records) if record.connection not in known}
    late_s = sorted(_lateness_s(record) for record in records if _has_begun(record))
    spacing_s = sorted(after - before for before, after in pairwise(arrivals_s))
    server_round = ServerRound(
        requests=len(records),
        connections=len({record.connection for record in records}),
        opened=len(firsts),
        max_in_flight=max_overlap(arrivals_s, ends_s),
        mean_in_flight=in_flight_s / duration_s if duration_s else float(len(records)),
        late_p50_s=_quantile(late_s, 0.50),
        late_p99_s=_quantile(late_s, 0.99),
        late_mean_s=fmean(late_s) if late_s else 0.0,
        idle_s=idle_s(arrivals_s, ends_s),
        spacing_p50_s=_quantile(spacing_s, 0.50),
        spacing_max_s=_quantile(spacing_s, 1.0),
        overtaken=count_overtaken(records, opening.countries),
        retries=sum(record.attempt >= opening.repeat for record in records) if opening.countries else 0,
        faults=Counter(record.fault for record in records if record.fault),
    )
    return ObservedRound(
        server_round=server_round,
        first_arrival_s=arrivals_s[0],
        mean_start_s=fmean(record.start_s for record in records),
        answered=sum(record.status != UNANSWERED for record in records),
        in_flight_s=in_flight_s,
        set_up_s=fsum(record.arrival_s - record.accepted_s for record in firsts.values()),
        cpu_s=cpu_s,
        arriving_s=arrivals_s[-1] - arrivals_s[0],
        service_s=fsum(services_s),
        longest_service_s=max(services_s),
    )


def _service_s(record: Record, opening: Opening, flag_sizes: Mapping[str, int]) -> float:
    """Return the shortest time in which a client can have had its response, given when it began.

    The end of a record does not tell: the client may have the last byte before the server reads the clock.
    """
    service_s = record.delay_s
    if _has_begun(record):
        service_s += max(0.0, _lateness_s(record))
    bandwidth = opening.profile.bandwidth
    if bandwidth is not None and not record.fault and record.status != UNANSWERED:
        service_s += flag_sizes.get(record.country, 0) / bandwidth
    timeout_s = opening.request_timeout_s
    if timeout_s is None:
        return service_s
    # a fetch that timed out may have waited for its connection first
    return min(service_s, max(0.0, timeout_s - least_connect_s(opening.profile)))


def _lateness_s(record: Record) -> float:
    """Return how much later than planned a response began; negative if it was early."""
    return record.start_s - (record.arrival_s + record.delay_s)


def _has_begun(record: Record) -> bool:
    """Tell whether a response began, so that it could be late; one that stalled later may have."""
    return record.status != UNANSWERED or record.start_s < record.end_s


def max_overlap(starts_s: Sequence[float], ends_s: Sequence[float]) -> int:
    """Sweep over sorted starts and ends; a request that starts as another ends does not overlap it."""
    most = ended = 0
    for begun, start_s in enumerate(starts_s, start=1):
        while ends_s[ended] <= start_s and ended < begun - 1:
            ended += 1
        most = max(most, begun - ended)
    return most


def idle_s(starts_s: Sequence[float], ends_s: Sequence[float]) -> float:
    """Add up the gaps between sorted starts and ends.

    The server is idle while as many requests have ended as have begun, so the k-th end is followed by a gap
    exactly if the next start comes after it.
    """
    return fsum(max(0.0, after - end) for end, after in zip(ends_s, starts_s[1:], strict=False))


def count_overtaken(records: Sequence[Record], countries: Sequence[str]) -> int:
    """Count the arrivals that must be moved to restore the order of the requests.

    These are all but a longest ascending subsequence (Fredman, *Discrete Mathematics* 11, 1975).
    """
    places = {country: place for place, country in enumerate(countries)}
    order = [
        record.attempt * len(places) + places[record.country]
        for record in records
        if record.country in places
    ]
    tails: list[int] = []
    for place in order:
        at = bisect_left(tails, place)
        tails[at : at + 1] = [place]
    return len(order) - len(tails)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed (nearest rank)."""
    return ordered[ceil(share * len(ordered)) - 1] if ordered else 0.0
