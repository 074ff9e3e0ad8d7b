"""Latencies as an HdrHistogram: the worker's buckets are the library's, and nothing is lost in merging."""

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from bench.api import Fetch
from bench.model.latency_histogram import (
    Latency,
    are_counts,
    encode_histogram,
    is_histogram,
    merge_histograms,
)
from bench.worker.fetch_times import bucket_us, count_latencies


@given(st.integers(1, 3_600_000_000))
def test_the_workers_buckets_are_those_of_the_library(value_us: int) -> None:
    """Rounded down to what the histogram cannot tell apart, so that recording the bucket loses nothing."""
    library = HdrHistogram(1, 3_600_000_000, 3)
    assert bucket_us(value_us / 1e6) == library.get_lowest_equivalent_value(value_us)


@pytest.mark.parametrize(("latency_s", "bucket"), [(0.0, 1), (1e-9, 1), (7200.0, bucket_us(3600.0))])
def test_what_is_out_of_range_is_put_at_its_end(latency_s: float, bucket: int) -> None:
    """A microsecond at the least, an hour at the most."""
    assert bucket_us(latency_s) == bucket


def test_fetches_are_counted_by_their_latency() -> None:
    """Two of a millisecond, one of two."""
    fetches = [Fetch("BR", 5.0, 5.0 + took_s, 200, 10, "ok") for took_s in (0.001, 0.001, 0.002)]
    assert count_latencies(fetches) == {"1000": 2, "2000": 1}


def test_histograms_add_up() -> None:
    """A hundred fetches from two trials: their quantiles are those of all of them."""
    first = encode_histogram([{str(value): 1} for value in range(1_000, 51_000, 1_000)])
    second = encode_histogram([{str(value): 1 for value in range(51_000, 101_000, 1_000)}])
    found = merge_histograms([first, "", second])
    assert found is not None
    assert found.fetches == 100
    assert found.max_s == pytest.approx(0.1, rel=1e-3)
    assert (found.p50_s, found.p90_s, found.p99_s) == pytest.approx((0.05, 0.09, 0.099), rel=1e-3)


def test_nothing_makes_no_histogram() -> None:
    """Neither a text nor a latency."""
    assert encode_histogram([]) == encode_histogram([{}]) == ""
    assert merge_histograms(["", ""]) is None


@given(st.integers(0, 40), st.characters(codec="ascii"), st.booleans())
def test_what_is_no_histogram_is_recognised(at: int, sign: str, cut: bool) -> None:  # noqa: FBT001  drawn
    """A damaged text is either refused or still a histogram; nothing else comes of it."""
    text = encode_histogram([{"1000": 7, "20500": 3}])
    damaged = text[:at] if cut else text[:at] + sign + text[at + 1 :]
    if is_histogram(damaged) and damaged:
        assert merge_histograms([damaged]) is not None


@pytest.mark.parametrize("text", ["x", "HISTFAAAA", "é", "AAAA", "HIST" * 20])
def test_other_texts_are_no_histograms(text: str) -> None:
    """Whatever they look like."""
    assert not is_histogram(text)


@pytest.mark.parametrize(
    ("counts", "sound"),
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
def test_only_counts_can_be_recorded(counts: dict[str, int], sound: bool) -> None:  # noqa: FBT001  expected
    """The library would take the process with it."""
    assert are_counts(counts) == sound


def test_a_histogram_of_another_range_is_none_of_ours() -> None:
    """What does not fit cannot be added up."""
    wide = HdrHistogram(1, 24 * 3_600_000_000, 3)
    wide.record_value(2 * 3_600_000_000)
    assert not is_histogram(wide.encode().decode())


def test_the_text_is_the_formats_own() -> None:
    """Any tool that reads HdrHistogram's compressed V2 form can read it."""
    text = encode_histogram([{"1000": 7}])
    assert text.startswith("HISTFAAAA")
    assert HdrHistogram.decode(text).get_count_at_value(1000) == 7
    assert merge_histograms([text]) == Latency(7, 0.001, 0.001, 0.001, 0.001)
