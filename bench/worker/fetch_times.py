"""Summarize the times of a round's fetches: a latency histogram and a timeline. Used by the trial.

The histogram is written as counts of an HdrHistogram's own values: few of them, without any loss. The
worker must stay light, so it does not import the library; it rounds down as the library does for one
microsecond to one hour and three significant digits, and the runner records the counts with it
(Tene, *HdrHistogram*).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from math import fsum, inf
from typing import Final, NamedTuple

from bench.api import Fetch
from bench.worker.protocol import Timeline

_SUB_BUCKET_BITS: Final = 11
"""2,048 steps in each power of two keep three digits."""
_LONGEST_US: Final = 3_600_000_000


def count_latencies(fetches: Iterable[Fetch]) -> Mapping[str, int]:
    """Count fetches by their microseconds, rounded down as in the histogram.

    In an open loop they count from when a fetch was due: one that a slow server has put off has waited, too.
    """
    return dict(
        Counter(str(bucket_us(fetch.end_s - (fetch.scheduled_s or fetch.start_s))) for fetch in fetches)
    )


def least_work_s_per_byte(fetches: Iterable[Fetch], times: int) -> float | None:
    """Return the least CPU seconds that the work took for each byte of a flag, done once; None without work.

    The work of each of these fetches took at least as long as this and its bytes make it.
    """
    return min(
        (
            fetch.work_s / (times * fetch.size_bytes)
            for fetch in fetches
            if fetch.work_s is not None and 0 <= fetch.work_s < inf and fetch.size_bytes > 0
        ),
        default=None,
    )


def timeout_waits_s(fetches: Iterable[Fetch]) -> tuple[float, ...]:
    """Return the shortest and the longest time of a fetch that timed out; nothing if none is known."""
    waits_s = [fetch.end_s - fetch.start_s for fetch in fetches if fetch.outcome == "timeout" and fetch.end_s]
    return (min(waits_s), max(waits_s)) if waits_s else ()


def bucket_us(latency_s: float) -> int:
    """Return the lowest microsecond of the histogram bucket that a latency falls into."""
    latency_us = min(max(1, round(latency_s * 1e6)), _LONGEST_US)
    shift = max(0, latency_us.bit_length() - _SUB_BUCKET_BITS)
    return latency_us >> shift << shift


def build_timeline(
    fetches: Sequence[Fetch], workers: int, called_s: float, returned_s: float
) -> Timeline | None:
    """Add up the times of a round; return None if a fetch has no times within it."""
    if not fetches or not all(is_within_call(fetch, called_s, returned_s) for fetch in fetches):
        return None
    first_starts_s = find_first_starts(fetches, workers)
    openings = sum_openings(fetches, workers, called_s)
    occupied = occupied_s(fetches, workers)
    return Timeline(
        called_s=called_s,
        pool_start_s=fsum(start_s - called_s for start_s in first_starts_s) - openings.at_start_s,
        occupied_s=occupied,
        pool_stop_s=returned_s - max(fetch.end_s for fetch in fetches),
        mean_start_s=_mean(fetch.start_s for fetch in fetches),
        mean_answered_s=_mean(fetch.answered_s or fetch.end_s for fetch in fetches),
        mean_end_s=_mean(fetch.end_s for fetch in fetches),
        opening_s=openings.total_s,
        opening_within_s=min(openings.within_s, occupied),
    )


def find_first_starts(fetches: Iterable[Fetch], workers: int) -> list[float]:
    """Return the start of the first fetch of each slot that was used before any fetch had ended."""
    first_end_s = min(fetch.end_s for fetch in fetches)
    starts_s = nsmallest(workers, (fetch.start_s for fetch in fetches))
    return [start_s for start_s in starts_s if start_s < first_end_s]


def has_durations(fetches: Sequence[Fetch], called_s: float, returned_s: float) -> bool:
    """Tell whether it is known of each of some fetches, one at least, how long it took."""
    return bool(fetches) and all(
        has_only_duration(fetch) or is_within_call(fetch, called_s, returned_s) for fetch in fetches
    )


def has_only_duration(fetch: Fetch) -> bool:
    """Tell whether a fetch counts its times from its own start, as the clock of another machine has them."""
    return 0 == fetch.start_s <= fetch.answered_s <= fetch.end_s > 0


def is_within_call(fetch: Fetch, called_s: float, returned_s: float) -> bool:
    """Tell whether the times of a fetch are in order between call and return; NaN never is."""
    return called_s <= fetch.start_s <= (fetch.answered_s or fetch.end_s) <= fetch.end_s <= returned_s


def occupied_s(fetches: Sequence[Fetch], workers: int) -> float:
    """Add up how long each of the slots had a fetch.

    A strategy may begin more fetches than it has workers and leave the waiting to its client; these
    share the slots.
    """
    starts_s = sorted(fetch.start_s for fetch in fetches)
    ends_s = sorted(fetch.end_s for fetch in fetches)
    total_s, last_s, begun = 0.0, starts_s[0], 0
    for ended, end_s in enumerate(ends_s):
        while begun < len(starts_s) and starts_s[begun] <= end_s:
            total_s += min(begun - ended, workers) * (starts_s[begun] - last_s)
            last_s = starts_s[begun]
            begun += 1
        total_s += min(begun - ended, workers) * (end_s - last_s)
        last_s = end_s
    return total_s


class Openings(NamedTuple):
    """The time in which clients were opened, in seconds.

    Attributes:
        total_s: sum over slots of the time that they had no fetch and waited for a client.
        at_start_s: the part of it before the first fetch of a slot.
        within_s: sum over fetches of the time that they opened their thread's part of a client.
    """

    total_s: float
    at_start_s: float
    within_s: float


def sum_openings(fetches: Sequence[Fetch], workers: int, called_s: float) -> Openings:
    """Add up how long slots waited for clients to be opened.

    The time from the call to the end of the last fetch counts. While a client is opened in a thread, as many
    slots wait for it as it later has fetches at once. While one is opened in an event loop, nothing else in
    it goes on, so every fetch that has not begun waits.
    """
    users: dict[tuple[float, float, str], list[Fetch]] = {}
    within_s: list[float] = []
    for fetch in fetches:
        if fetch.start_s <= fetch.opening_s <= fetch.opened_s <= fetch.end_s:
            within_s.append(fetch.opened_s - fetch.opening_s)
        elif called_s < fetch.opened_s and fetch.opening_s <= fetch.opened_s:  # NaN never is
            users.setdefault((fetch.opening_s, fetch.opened_s, fetch.opened_in), []).append(fetch)
    last_s = max(fetch.end_s for fetch in fetches)
    changes: list[tuple[float, int, int, int, int]] = []
    for (opening_s, opened_s, place), using in users.items():
        began_s, ended_s = max(called_s, opening_s), min(opened_s, last_s)
        if began_s < ended_s:
            loops = int(place == "loop")
            threads = 0 if loops else _most_at_once(using, workers)
            changes += ((began_s, threads, loops, 0, 0), (ended_s, -threads, -loops, 0, 0))
    if not changes:
        return Openings(0.0, 0.0, fsum(within_s))
    until_s = max(at_s for at_s, *_ in changes)
    changes += ((fetch.start_s, 0, 0, 1, 0) for fetch in fetches if fetch.start_s < until_s)
    changes += ((fetch.end_s, 0, 0, 0, 1) for fetch in fetches if fetch.end_s < until_s)
    first_starts = len(find_first_starts(fetches, workers))
    total_s, at_start_s = [], []
    threads = loops = begun = ended = 0
    before_s = called_s
    for at_s, more_threads, more_loops, starts, ends in sorted(changes):
        wanted = threads + (len(fetches) - begun if loops else 0)
        waiting = min(wanted, workers - min(begun - ended, workers))
        total_s.append(waiting * (at_s - before_s))
        at_start_s.append(min(waiting, max(0, first_starts - begun)) * (at_s - before_s))
        threads, loops = threads + more_threads, loops + more_loops
        begun, ended, before_s = begun + starts, ended + ends, at_s
    return Openings(fsum(total_s), fsum(at_start_s), fsum(within_s))


def _most_at_once(fetches: Sequence[Fetch], workers: int) -> int:
    """Return how many of some fetches were in progress at once, at most, and no more than workers."""
    ends_s = sorted(fetch.end_s for fetch in fetches)
    most = ended = 0
    for begun, start_s in enumerate(sorted(fetch.start_s for fetch in fetches), 1):
        while ended < len(ends_s) and ends_s[ended] <= start_s:
            ended += 1
        most = max(most, begun - ended)
    return min(max(1, most), workers)


def _mean(values: Iterable[float]) -> float:
    """Return the mean, as ``statistics.fmean`` does; that module would add 3 ms to each cold start."""
    numbers = list(values)
    return fsum(numbers) / len(numbers)
