"""Durations as an HdrHistogram, counted by the worker in the buckets of the library."""

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from bench.api import Fetch
from bench.model.latency_histogram import (
    LatencyPercentiles,
    are_counts,
    encode_histogram,
    is_histogram,
    merge_histograms,
)
from bench.worker.fetch_times import bucket_us, count_latencies


@given(st.integers(1, 3_600_000_000))
def test_buckets_of_the_worker_are_those_of_the_library(value_us: int) -> None:
    library = HdrHistogram(1, 3_600_000_000, 3)
    assert bucket_us(value_us / 1e6) == library.get_lowest_equivalent_value(value_us)


@pytest.mark.parametrize(("latency_s", "bucket"), [(0.0, 1), (1e-9, 1), (7200.0, bucket_us(3600.0))])
def test_duration_out_of_range_is_put_into_the_nearest_bucket(latency_s: float, bucket: int) -> None:
    """From a microsecond to an hour."""
    assert bucket_us(latency_s) == bucket


def test_fetches_are_counted_by_their_duration() -> None:
    fetches = [Fetch("BR", 5.0, 5.0 + took_s, 200, 10, "ok") for took_s in (0.001, 0.001, 0.002)]
    assert count_latencies(fetches) == {"1000": 2, "2000": 1}


def test_merged_histograms_have_the_percentiles_of_all_fetches() -> None:
    first = encode_histogram([{str(value): 1} for value in range(1_000, 51_000, 1_000)])
    second = encode_histogram([{str(value): 1 for value in range(51_000, 101_000, 1_000)}])
    merged = merge_histograms([first, "", second])
    assert merged is not None
    assert merged.fetches == 100
    assert merged.max_s == pytest.approx(0.1, rel=1e-3)
    assert (merged.p50_s, merged.p90_s, merged.p99_s) == pytest.approx((0.05, 0.09, 0.099), rel=1e-3)


def test_histogram_without_fetches_is_empty() -> None:
    assert encode_histogram([]) == encode_histogram([{}]) == ""
    assert merge_histograms(["", ""]) is None


@given(st.integers(0, 40), st.characters(codec="ascii"), st.booleans())
def test_damaged_text_is_refused_or_can_be_merged(at: int, sign: str, cut: bool) -> None:  # noqa: FBT001
    text = encode_histogram([{"1000": 7, "20500": 3}])
    damaged = text[:at] if cut else text[:at] + sign + text[at + 1 :]
    if is_histogram(damaged) and damaged:
        assert merge_histograms([damaged]) is not None


@pytest.mark.parametrize("text", ["x", "HISTFAAAA", "é", "AAAA", "HIST" * 20])
def test_other_texts_are_not_histograms(text: str) -> None:
    assert not is_histogram(text)


@pytest.mark.parametrize(
    ("counts", "valid"),
    [
        ({}, True),
        ({"1": 1, "3600000000": 7}, True),
        ({"5": -1}, False),
        ({"5": 0}, False),
        ({"0": 1}, False),
        ({"x": 1}, False),
        ({"²": 1}, False),
        ({"-5": 1}, False),
        ({"3600000001": 1}, False),
        ({"9" * 5000: 1}, False),
    ],
)
def test_only_valid_counts_can_be_recorded(counts: dict[str, int], valid: bool) -> None:  # noqa: FBT001
    """The library would crash the process."""
    assert are_counts(counts) == valid


def test_histogram_of_another_range_is_refused() -> None:
    """It cannot be merged."""
    wide = HdrHistogram(1, 24 * 3_600_000_000, 3)
    wide.record_value(2 * 3_600_000_000)
    assert not is_histogram(wide.encode().decode())


def test_text_is_in_the_compressed_v2_encoding_of_hdrhistogram() -> None:
    """Other tools can read it."""
    text = encode_histogram([{"1000": 7}])
    assert text.startswith("HISTFAAAA")
    assert HdrHistogram.decode(text).get_count_at_value(1000) == 7
    assert merge_histograms([text]) == LatencyPercentiles(7, 0.001, 0.001, 0.001, 0.001)
