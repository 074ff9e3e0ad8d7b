"""How long fetches took, as counts of an HdrHistogram's own values: few of them, and nothing is lost.

The worker must stay light, so it does not import the library; it rounds down as the library does for
one microsecond to one hour and three significant digits, and the harness records the counts with it
(Tene, *HdrHistogram*).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from bench.api import Fetch

_SUB_BUCKET_BITS: Final = 11
"""2,048 steps in each power of two keep three digits."""
_LONGEST_US: Final = 3_600_000_000


def latencies(fetches: Iterable[Fetch]) -> Mapping[str, int]:
    """Count fetches by their microseconds."""
    return dict(Counter(str(bucket_us(fetch.end_s - fetch.start_s)) for fetch in fetches))


def bucket_us(latency_s: float) -> int:
    """Return the least value, in microseconds, that the histogram cannot tell from this one."""
    latency_us = min(max(1, round(latency_s * 1e6)), _LONGEST_US)
    shift = max(0, latency_us.bit_length() - _SUB_BUCKET_BITS)
    return latency_us >> shift << shift
