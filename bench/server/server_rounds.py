"""The witness: what the records of a trial say of each of its rounds."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, fsum
from statistics import fmean

from bench.model.results import ServerRound
from bench.server.open_trials import Opening, RoundLog
from bench.server.request_log import UNANSWERED, Record


@dataclass(frozen=True, slots=True)
class ObservedRound:
    """What is kept of a round, and what it takes to share out its time.

    Attributes:
        first_arrival_s: when the first request came, by ``time.perf_counter()``, which workers read too.
        mean_start_s: the mean of when answers began, by the same clock.
        answered: how many requests were answered to the end.
        in_flight_s: how long requests were in flight, in all.
        set_up_s: how long connections were open before their first request, in all.
        cpu_s: processor time of the server from the first request to that of the next round.
        arriving_s: from the arrival of the first request to that of the last.
    """

    witness: ServerRound
    first_arrival_s: float
    mean_start_s: float
    answered: int
    in_flight_s: float
    set_up_s: float
    cpu_s: float
    arriving_s: float = 0.0


def observed_rounds(rounds: Mapping[int, RoundLog], opening: Opening) -> dict[int, ObservedRound]:
    """Say what the server saw of each round that had a request."""
    known: set[int] = set()
    said: dict[int, ObservedRound] = {}
    for number, taken in sorted(rounds.items()):
        records = sorted(taken.log, key=lambda record: record.arrival_s)
        if records:
            times = opening.times_asked(number) if opening.countries else None
            cpu_s = taken.ended_cpu_s - taken.began_cpu_s
            said[number] = _testimony(records, known, opening.countries, times, cpu_s)
        known.update(record.connection for record in records)
    return said


def _testimony(
    records: Sequence[Record], known: set[int], asked: Sequence[str], times: int | None, cpu_s: float
) -> ObservedRound:
    """Sum up the records of a round, which are in the order of their arrival.

    ``asked`` are the countries in the order asked, each so many ``times``; ``None`` where nobody said.
    """
    arrivals_s = [record.arrival_s for record in records]
    ends_s = sorted(record.end_s for record in records)
    lasted_s = ends_s[-1] - arrivals_s[0]
    in_flight_s = fsum(record.end_s - record.arrival_s for record in records)
    firsts = {record.connection: record for record in reversed(records) if record.connection not in known}
    late_s = sorted(
        record.start_s - (record.arrival_s + record.delay_s) for record in records if _has_begun(record)
    )
    spacing_s = sorted(after - before for before, after in pairwise(arrivals_s))
    witness = ServerRound(
        requests=len(records),
        connections=len({record.connection for record in records}),
        opened=len(firsts),
        max_in_flight=max_overlap(arrivals_s, ends_s),
        mean_in_flight=in_flight_s / lasted_s if lasted_s else float(len(records)),
        late_p50_s=_quantile(late_s, 0.50),
        late_p99_s=_quantile(late_s, 0.99),
        late_mean_s=fmean(late_s) if late_s else 0.0,
        idle_s=idle_s(arrivals_s, ends_s),
        spacing_p50_s=_quantile(spacing_s, 0.50),
        spacing_max_s=_quantile(spacing_s, 1.0),
        overtaken=overtaken(records, asked),
        retries=0 if times is None else sum(record.attempt >= times for record in records),
        faults=Counter(record.fault for record in records if record.fault),
    )
    return ObservedRound(
        witness=witness,
        first_arrival_s=arrivals_s[0],
        mean_start_s=fmean(record.start_s for record in records),
        answered=sum(record.status != UNANSWERED for record in records),
        in_flight_s=in_flight_s,
        set_up_s=fsum(record.arrival_s - record.accepted_s for record in firsts.values()),
        cpu_s=cpu_s,
        arriving_s=arrivals_s[-1] - arrivals_s[0],
    )


def _has_begun(record: Record) -> bool:
    """Tell whether an answer began, so that it can have been late: one that stalled later may have."""
    return record.status != UNANSWERED or record.start_s < record.end_s


def max_overlap(starts_s: Sequence[float], ends_s: Sequence[float]) -> int:
    """Sweep over sorted starts and ends; what starts as another ends does not overlap it."""
    most = ended = 0
    for begun, start_s in enumerate(starts_s, start=1):
        while ends_s[ended] <= start_s and ended < begun - 1:
            ended += 1
        most = max(most, begun - ended)
    return most


def idle_s(starts_s: Sequence[float], ends_s: Sequence[float]) -> float:
    """Add up the time between sorted starts and ends in which nothing went on.

    Nothing goes on where as many have ended as have begun, so the k-th end is followed by a gap exactly
    if the next start comes after it.
    """
    return fsum(max(0.0, after - end) for end, after in zip(ends_s, starts_s[1:], strict=False))


def overtaken(records: Sequence[Record], asked: Sequence[str]) -> int:
    """Count the arrivals that must be moved to put all of them into the order asked.

    All but a longest ascending subsequence must (Fredman, *Discrete Mathematics* 11, 1975).
    """
    places = {country: place for place, country in enumerate(asked)}
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
