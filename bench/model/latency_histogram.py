"""Latencies of many fetches as an HdrHistogram: counts that can be added up, and read by other tools.

Values are microseconds, from one to an hour, to three significant digits. The text is the library's own
V2 encoding, compressed, in base64 (Tene, *HdrHistogram*).
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hdrh.codec import HdrCookieException, HdrHistogramSettingsException, HdrLengthException
from hdrh.histogram import HdrHistogram

_LEAST_US: Final = 1
_MOST_US: Final = 3_600_000_000
_DIGITS: Final = 3
_UNREADABLE: Final = (
    HdrCookieException,
    HdrHistogramSettingsException,
    HdrLengthException,
    IndexError,
    ValueError,
    zlib.error,
)
"""What the library raises for a text that it did not write."""


@dataclass(frozen=True, slots=True)
class Latency:
    """What a histogram says, in seconds."""

    fetches: int
    p50_s: float
    p90_s: float
    p99_s: float
    max_s: float


def encode_histogram(counts: Iterable[Mapping[str, int]]) -> str:
    """Write counts by microseconds as one histogram; empty if there are none."""
    histogram = _new()
    for each in counts:
        for value_us, count in each.items():
            histogram.record_value(int(value_us), count)
    return histogram.encode().decode("ascii") if histogram.get_total_count() else ""


def merge_histograms(texts: Iterable[str]) -> Latency | None:
    """Add histograms up and read them; ``None`` if they are all empty."""
    total = _new()
    for text in texts:
        if text:
            total.add(HdrHistogram.decode(text))
    if not total.get_total_count():
        return None
    p50_us, p90_us, p99_us = (total.get_value_at_percentile(share) for share in (50, 90, 99))
    return Latency(
        total.get_total_count(), p50_us / 1e6, p90_us / 1e6, p99_us / 1e6, total.get_max_value() / 1e6
    )


def are_counts(counts: Mapping[str, int]) -> bool:
    """Tell whether these can be recorded: the library believes whatever it is given."""
    return all(_is_recordable(value_us) and count > 0 for value_us, count in counts.items())


def is_histogram(text: str) -> bool:
    """Tell whether a text can be read as a histogram, or is the empty one."""
    try:
        merge_histograms([text])
    except _UNREADABLE:
        return False
    return True


def _is_recordable(value_us: str) -> bool:
    is_number = value_us.isascii() and value_us.isdigit() and len(value_us) <= len(str(_MOST_US))
    return is_number and _LEAST_US <= int(value_us) <= _MOST_US


def _new() -> HdrHistogram:
    return HdrHistogram(_LEAST_US, _MOST_US, _DIGITS)
