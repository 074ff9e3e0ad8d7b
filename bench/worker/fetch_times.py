"""Summarize the times of a round's fetches: a latency histogram and a timeline. Used by the trial.

The histogram is written as counts of an HdrHistogram's own values: few of them, without any loss. The
worker must stay light, so it does not import the library; it rounds down as the library does for one
microsecond to one hour and three significant digits, and the runner records the counts with it
(Tene, *HdrHistogram*).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from math import fsum
from typing import Final

from bench.api import Fetch
from bench.worker.protocol import Timeline

_SUB_BUCKET_BITS: Final = 11
"""2,048 steps in each power of two keep three digits."""
_LONGEST_US: Final = 3_600_000_000


def count_latencies(fetches: Iterable[Fetch]) -> Mapping[str, int]:
    """Count fetches by their microseconds, rounded down as in the histogram."""
    return dict(Counter(str(bucket_us(fetch.end_s - fetch.start_s)) for fetch in fetches))


def timeout_waits_s(fetches: Iterable[Fetch]) -> tuple[float, ...]:
    """Return the shortest and the longest time of a fetch that timed out; nothing if none is known."""
    waits_s = [
        fetch.end_s - fetch.start_s for fetch in fetches if fetch.outcome == "timeout" and fetch.start_s
    ]
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
    first_end_s = min(fetch.end_s for fetch in fetches)
    starts_s = nsmallest(workers, (fetch.start_s for fetch in fetches))
    return Timeline(
        called_s=called_s,
        pool_start_s=fsum(start_s - called_s for start_s in starts_s if start_s < first_end_s),
        occupied_s=occupied_s(fetches, workers),
        pool_stop_s=returned_s - max(fetch.end_s for fetch in fetches),
        mean_start_s=_mean(fetch.start_s for fetch in fetches),
        mean_answered_s=_mean(fetch.answered_s or fetch.end_s for fetch in fetches),
        mean_end_s=_mean(fetch.end_s for fetch in fetches),
    )


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


def _mean(values: Iterable[float]) -> float:
    """Return the mean, as ``statistics.fmean`` does; that module would add 3 ms to each cold start."""
    numbers = list(values)
    return fsum(numbers) / len(numbers)
