"""Show what was measured of a server's answers: quantiles, and histograms on a scale of powers."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10
from statistics import quantiles
from typing import Final

from bench.config.measured.answers import Measured, Sample
from bench.model.body_sizes import LARGEST_BODY, SMALLEST_BODY
from bench.model.text import join_and, plural
from bench.report.number_format import format_count, format_number, format_small_percent
from bench.report.sparkline import draw_length
from bench.report.table import Column, Remark, Row, Section, Table

_HEADINGS: Final = ("", "values", "min", "p25", "p50", "p75", "p90", "p99", "max")
_SHARES: Final = (25, 50, 75, 90, 99)
_KB: Final = 1_000
_STEPS: Final[Sequence[Sequence[float]]] = (
    (1,),
    (1, 2, 5),
    (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
    tuple(number / 10 for number in range(10, 100)),
)
"""The edges of bins from 1 to 10, the coarsest first."""
_MOST_BINS: Final = 12
_CELLS: Final = 40


@dataclass(frozen=True, slots=True)
class Bin:
    """The number of values from ``low`` up to below ``high``."""

    low: float
    high: float
    count: int


def measured_tables(measured: Measured) -> list[Table]:
    """Build the table of quantiles, with what they are, and a histogram of each figure."""
    figures = {"latency, ms": (measured.latencies, 1.0)}
    if measured.size is not None:
        figures["size, kB"] = (measured.sizes, 1.0 / _KB)
    scaled = {
        name: (sample, [value * scale for value in sample.ascending()], scale)
        for name, (sample, scale) in figures.items()
    }
    rows = tuple(
        Row((name, *_quantile_cells(sample, values, scale)))
        for name, (sample, values, scale) in scaled.items()
    )
    columns = tuple(Column(heading, "right" if heading else "left") for heading in _HEADINGS)
    remarks = tuple(Remark(text) for text in _sentences(measured))
    quantile_table = Table(columns=columns, sections=(Section("", rows),), remarks=remarks)
    return [quantile_table, *(_histogram_table(name, values) for name, (_, values, _) in scaled.items())]


def histogram(values: Sequence[float]) -> list[Bin]:
    """Count ascending values in bins that grow with them: in those that tell most values apart.

    There are at most ``_MOST_BINS``, if the values are not too far apart. Zeros are in one that begins at 0.
    """
    positive = values[bisect_right(values, 0) :]
    if not positive:
        return [Bin(0, 0, len(values))]
    scales = [_edges(positive[0], positive[-1], steps) for steps in _STEPS]
    choices = [_count(positive, edges) for edges in scales if len(edges) <= _MOST_BINS + 1]
    bins = max(
        choices or [_count(positive, scales[0])], key=lambda bins: sum(each.count > 0 for each in bins)
    )
    zeros = len(values) - len(positive)
    return [Bin(0, bins[0].low, zeros), *bins] if zeros else bins


def _count(values: Sequence[float], edges: Sequence[float]) -> list[Bin]:
    places = [bisect_left(values, edge) for edge in edges]
    return [
        Bin(low, high, end - start)
        for (low, high), (start, end) in zip(pairwise(edges), pairwise(places), strict=True)
    ]


def _edges(least: float, most: float, steps: Sequence[float]) -> list[float]:
    """Return edges from the last one that is at most ``least`` to the first one above ``most``."""
    powers = range(floor(log10(least)) - 1, floor(log10(most)) + 2)
    edges = [float(f"{step}e{power}") for power in powers for step in steps]
    first = max(place for place, edge in enumerate(edges) if edge <= least)
    last = next(place for place, edge in enumerate(edges) if edge > most)
    return edges[first : last + 1]


def _histogram_table(name: str, values: Sequence[float]) -> Table:
    bins = histogram(values)
    most = max(each.count for each in bins)
    rows = tuple(
        Row(
            (
                _label(each),
                draw_length(each.count / most, _CELLS) if each.count else "",
                format_small_percent(each.count / len(values)) if each.count else "",
            )
        )
        for each in bins
    )
    columns = (Column(name), Column("", "left"), Column("share"))
    return Table(columns=columns, sections=(Section("", rows),))


def _label(each: Bin) -> str:
    if each.high == 0:
        return "0"
    return f"{_edge(each.low)}–{_edge(each.high)}"


def _edge(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:.6g}"


def _quantile_cells(sample: Sample, values: Sequence[float], scale: float) -> tuple[str, ...]:
    cuts = quantiles(values, n=100, method="inclusive")
    shown = [sample.least * scale, *(cuts[share - 1] for share in _SHARES), sample.most * scale]
    return (format_count(sample.count), *map(format_number, shown))


def _sentences(measured: Measured) -> list[str]:
    """Say what the figures are, and what does not count."""
    entries = plural(measured.entries, measured.noun)
    sentences = [
        f"Read as {measured.title}: {entries}{_left_out(measured.left_out)}.",
        f"Latency is {measured.time.name}: {measured.time.contains}.",
    ]
    if not measured.has_status:
        sentences.append("The file has no status of answers, so those that failed count, too.")
    bounds = f"{SMALLEST_BODY:,} B to {LARGEST_BODY >> 20} MiB, which the flag server can serve"
    if measured.size is not None:
        kept = f"{measured.size.name}: {measured.size.contains}, from {bounds}"
        sentences.append(f"Size is {kept}{_left_out(measured.size_left_out)}.")
    elif measured.size_left_out or measured.sizes.count:
        known = measured.sizes.count + sum(measured.size_left_out.values())
        sentences.append(
            f"The profile has no sizes: it takes two, and half of those in the file, from {bounds}; "
            f"there are {measured.sizes.count:,} of {known:,}{_left_out(measured.size_left_out)}."
        )
    else:
        sentences.append("The file has no sizes, or fewer than half of its answers have one.")
    return sentences


def _left_out(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    reasons = join_and([f"{count:,} {reason}" for reason, count in counts.items()])
    return f"; left out: {reasons}"
