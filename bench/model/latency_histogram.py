"""Durations of many fetches as an HdrHistogram, which can be merged, and read by other tools.

Values are microseconds, from one to an hour, to three significant digits. The text is the library's own
V2 encoding, compressed, in base64 (Tene, *HdrHistogram*).
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hdrh.codec import HdrCookieException, HdrHistogramSettingsException, HdrLengthException
from hdrh.histogram import HdrHistogram

_MIN_US: Final = 1
_MAX_US: Final = 3_600_000_000
_SIGNIFICANT_DIGITS: Final = 3
_DECODING_ERRORS: Final = (
    HdrCookieException,
    HdrHistogramSettingsException,
    HdrLengthException,
    IndexError,
    ValueError,
    zlib.error,
)
"""Raised by the library for a text that is not a histogram."""


@dataclass(frozen=True, slots=True)
class LatencyPercentiles:
    """Percentiles of the durations in a histogram, in seconds."""

    fetches: int
    p50_s: float
    p90_s: float
    p99_s: float
    max_s: float


def encode_histogram(counts: Iterable[Mapping[str, int]]) -> str:
    """Encode counts by microseconds as one histogram; return an empty text if there are none."""
    histogram = _new()
    for each in counts:
        for value_us, count in each.items():
            histogram.record_value(int(value_us), count)
    return histogram.encode().decode("ascii") if histogram.get_total_count() else ""


def merge_histograms(texts: Iterable[str]) -> LatencyPercentiles | None:
    """Merge histograms and return their percentiles, or None if all are empty."""
    return _percentiles(tuple(texts))


@lru_cache(maxsize=1024)
def _percentiles(texts: tuple[str, ...]) -> LatencyPercentiles | None:
    """Cache them, since the figures, the ranking and the table of a case ask for the same trials."""
    total = _add_up(texts)
    if not total.get_total_count():
        return None
    shares = (50, 90, 99)
    values_us = total.get_percentile_to_value_dict(shares)  # one pass for all: it takes milliseconds
    p50_us, p90_us, p99_us = (values_us.get(share, 0) for share in shares)
    return LatencyPercentiles(
        total.get_total_count(), p50_us / 1e6, p90_us / 1e6, p99_us / 1e6, total.get_max_value() / 1e6
    )


def latency_quantiles(texts: Iterable[str], shares: Sequence[float]) -> list[float]:
    """Merge histograms and return the duration at each share, in seconds; empty if there are no fetches.

    Args:
        texts: encoded histograms.
        shares: from above 0 to 1.
    """
    total = _add_up(texts)
    if not total.get_total_count():
        return []
    percents = {share: 100 * share for share in shares}
    values_us = total.get_percentile_to_value_dict(tuple(sorted(percents.values())))
    return [values_us[percents[share]] / 1e6 for share in shares]


def are_counts(counts: Mapping[str, int]) -> bool:
    """Return whether counts can be recorded; the library does not check them."""
    return all(_is_recordable(value_us) and count > 0 for value_us, count in counts.items())


def is_histogram(text: str) -> bool:
    """Return whether a text is an encoded histogram, or empty."""
    try:
        _add_up([text])
    except _DECODING_ERRORS:
        return False
    return True


def _is_recordable(value_us: str) -> bool:
    is_number = value_us.isascii() and value_us.isdigit() and len(value_us) <= len(str(_MAX_US))
    return is_number and _MIN_US <= int(value_us) <= _MAX_US


def _add_up(texts: Iterable[str]) -> HdrHistogram:
    total = _new()
    for text in texts:
        if text:
            total.add(HdrHistogram.decode(text))
    return total


def _new() -> HdrHistogram:
    return HdrHistogram(_MIN_US, _MAX_US, _SIGNIFICANT_DIGITS)
