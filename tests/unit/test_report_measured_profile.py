"""The figures of a measured profile on a terminal."""

import io
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.config.measured.log_lines import LogOptions, read_log
from bench.report.measured_profile import Bin, histogram, measured_tables
from bench.report.terminal import print_tables


@pytest.mark.parametrize(
    ("values", "bins"),
    [
        ([11, 12, 12.5, 14], [Bin(11, 12, 1), Bin(12, 13, 2), Bin(13, 14, 0), Bin(14, 15, 1)]),
        ([0, 0, 1, 2], [Bin(0, 1, 2), Bin(1, 2, 1), Bin(2, 5, 1)]),
        ([0, 0], [Bin(0, 0, 2)]),
        ([1, 99], [Bin(1, 10, 1), Bin(10, 100, 1)]),
        ([0.02, 3_000], [Bin(0.01, 0.1, 1)]),
    ],
)
def test_values_are_counted_in_bins_of_round_numbers(values: list[float], bins: list[Bin]) -> None:
    found = histogram(values)
    assert found[: len(bins)] == bins
    assert sum(each.count for each in found) == len(values)


@given(st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 86_400_000)), min_size=1))
def test_every_value_is_in_one_of_a_few_bins(values: list[float]) -> None:
    bins = histogram(sorted(values))
    assert len(bins) <= 17
    assert sum(each.count for each in bins) == len(values)
    assert all(low.high == high.low for low, high in pairwise(bins))
    for each in bins:
        inside = sum(each.low <= value < each.high for value in values) if each.high else values.count(0)
        assert inside == each.count


def lines() -> Iterator[str]:
    """Yield lines of a log: times of two kinds, and sizes."""
    for number in range(400):
        milliseconds = 12 + number % 9 if number % 4 else 300 + number
        yield f"rt=0.{milliseconds:03} status=200 body_bytes_sent={500 * (number % 60)}"
    yield from ("rt=1.000 status=500", "rubbish")


TEXT = """
             values   min   p25   p50   p75   p90   p99   max
─────────────────────────────────────────────────────────────
latency, ms     400  12.0  14.0  17.0  90.0   536   680   696
size, kB        386  1.00  7.50  14.5  21.5  26.5  29.5  29.5

Read as a log of nginx: 402 lines; left out: 1 could not be read and 1 failed
(no answer, or a status below 200 or from 400 on).

Latency is $request_time: from the first byte of the request to the last one of
the answer; the transfer is in it, so a bandwidth in the profile would count
that twice.

Size is $body_bytes_sent: the bytes of the body, as they were sent, from 1,000 B
to 10 MiB, which the flag server can serve; left out: 14 smaller than 1,000 B.

latency, ms                                            share
────────────────────────────────────────────────────────────
      10–20  ████████████████████████████████████████    67%
      20–50  █████                                      8.2%
     50–100
    100–200
    200–500  ███████▌                                    12%
  500–1,000  ███████▌                                    12%

size, kB                                            share
─────────────────────────────────────────────────────────
     1–2  ████                                       3.6%
     2–5  ████████████                                11%
    5–10  ████████████████████                        18%
   10–20  ████████████████████████████████████████    36%
   20–50  ██████████████████████████████████▎         31%
"""


def test_quantiles_histograms_and_what_they_mean_fit_a_narrow_terminal() -> None:
    console = Console(file=io.StringIO(), width=80, highlight=False, markup=False)
    print_tables(measured_tables(read_log(lines(), LogOptions("nginx"))), console)
    assert isinstance(console.file, io.StringIO)
    assert [line.rstrip() for line in console.file.getvalue().splitlines()] == TEXT.strip("\n").splitlines()
