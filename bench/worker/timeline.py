"""How long fetches took, as counts of an HdrHistogram's own values: few of them, and nothing is lost.

The worker must stay light, so it does not import the library; it rounds down as the library does for
one microsecond to one hour and three significant digits, and the harness records the counts with it
(Tene, *HdrHistogram*).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from math import fsum
from statistics import fmean
from typing import Final

from bench.api import Fetch

_SUB_BUCKET_BITS: Final = 11
"""2,048 steps in each power of two keep three digits."""
_LONGEST_US: Final = 3_600_000_000


def latency_counts(fetches: Iterable[Fetch]) -> Mapping[str, int]:
    """Count fetches by their microseconds."""
    return dict(Counter(str(bucket_us(fetch.end_s - fetch.start_s)) for fetch in fetches))


def bucket_us(latency_s: float) -> int:
    """Return the least value, in microseconds, that the histogram cannot tell from this one."""
    latency_us = min(max(1, round(latency_s * 1e6)), _LONGEST_US)
    shift = max(0, latency_us.bit_length() - _SUB_BUCKET_BITS)
    return latency_us >> shift << shift


@dataclass(frozen=True, slots=True)
class Timeline:
    """A round as its fetches have it. Each of the workers is a slot that is open from call to return.

    Attributes:
        called_s: ``time.perf_counter()`` when ``download_many`` was called.
        pool_start_s: from the call to the first fetch of each slot, in all; a slot that had not begun
            when the first fetch of another had ended may never have been there, and counts nothing.
        occupied_s: how long slots had a fetch, in all.
        pool_stop_s: from the end of the last fetch to the return, once.
        mean_start_s: the mean of when fetches began, by the same clock as ``called_s``.
        mean_answered_s: the mean of when their answers were there whole.
        mean_end_s: the mean of when they ended.
    """

    called_s: float
    pool_start_s: float
    occupied_s: float
    pool_stop_s: float
    mean_start_s: float
    mean_answered_s: float
    mean_end_s: float


def timeline(fetches: Sequence[Fetch], workers: int, called_s: float, returned_s: float) -> Timeline | None:
    """Sum up the times of a round; ``None`` if they are not times of this round, or there are none."""
    if not fetches or not all(_is_sound(fetch, called_s, returned_s) for fetch in fetches):
        return None
    first_end_s = min(fetch.end_s for fetch in fetches)
    starts_s = nsmallest(workers, (fetch.start_s for fetch in fetches))
    return Timeline(
        called_s=called_s,
        pool_start_s=fsum(start_s - called_s for start_s in starts_s if start_s < first_end_s),
        occupied_s=occupied_s(fetches, workers),
        pool_stop_s=returned_s - max(fetch.end_s for fetch in fetches),
        mean_start_s=fmean(fetch.start_s for fetch in fetches),
        mean_answered_s=fmean(fetch.answered_s or fetch.end_s for fetch in fetches),
        mean_end_s=fmean(fetch.end_s for fetch in fetches),
    )


def occupied_s(fetches: Sequence[Fetch], workers: int) -> float:
    """Add up how long each of the slots had a fetch.

    A strategy may begin more fetches than it has workers and leave it to its client who waits; these
    share the slots there are.
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


def _is_sound(fetch: Fetch, called_s: float, returned_s: float) -> bool:
    answered_s = fetch.answered_s or fetch.end_s
    if not all(isinstance(each, int | float) for each in (fetch.start_s, answered_s, fetch.end_s)):
        return False
    return called_s <= fetch.start_s <= answered_s <= fetch.end_s <= returned_s
