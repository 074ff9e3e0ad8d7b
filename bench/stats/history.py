"""Sort the results of comparisons over time into series, and find lasting steps in them. Used by `history`.

Steps are the change points of `change_points`; a series that wanders is told by the autocorrelation of its
residuals (`series`). Points of different machines, configs, settings or references are never mixed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from bench.model.comparison import METRICS, Metric, Verdict
from bench.stats.change_points import find_change_points, window_start
from bench.stats.series import autocorrelation, chance_bound


@dataclass(frozen=True, slots=True)
class Point:
    """The result of one comparison on one metric of one case.

    Attributes:
        time: start of its run, UTC, ISO 8601.
        commit: of the candidate.
        reference: the commit of the base.
        case: id without a variant.
        log_ratio: natural logarithm of candidate ÷ base, as estimated.
        low: lower bound of candidate ÷ base, no logarithm; ``None``, like ``high``, if there is none.
        blocks: number of blocks that it rests on.
        fingerprint: of the machine.
        config: name of the config.
        settings: hash of all settings that the case id does not tell.
        run: name of the run.
    """

    time: str
    commit: str
    reference: str
    case: str
    metric: Metric
    log_ratio: float
    low: float | None
    high: float | None
    blocks: int
    verdict: Verdict
    fingerprint: str
    config: str
    settings: str
    run: str

    @property
    def ratio(self) -> float:
        """Return candidate ÷ base, as estimated."""
        return math.exp(self.log_ratio)

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the fields that no two points share, in the order of time."""
        return (self.time, self.fingerprint, self.run, self.commit, self.reference, self.case, self.metric)


@dataclass(frozen=True, slots=True)
class Step:
    """A lasting change within a series.

    Attributes:
        point: the first point of the new level.
        ratio: new level ÷ old one: the median of all ratios between a point after and a point before, up to
            the neighbouring steps (Hodges & Lehmann).
        p: chance of so clear a step in a series of independent points without one.
    """

    point: Point
    ratio: float
    p: float


@dataclass(frozen=True, slots=True)
class HistorySeries:
    """Points that can be compared with each other, in order of time, and the steps among them.

    Attributes:
        wanders: whether there are steps and, between them, points that resemble their neighbours more than
            by chance; the steps may then be drift of the machine rather than changes of the code.
    """

    points: tuple[Point, ...]
    steps: tuple[Step, ...]
    wanders: bool

    @property
    def reference(self) -> str:
        """Return the commit that all points were compared with."""
        return self.points[0].reference


@dataclass(frozen=True, slots=True)
class HistoryTrack:
    """A metric of a case on one machine, over all references.

    Attributes:
        series: one per reference; the last has the newest point.
    """

    case: str
    metric: Metric
    config: str
    settings: str
    fingerprint: str
    series: tuple[HistorySeries, ...]


def history_tracks(points: Iterable[Point]) -> tuple[HistoryTrack, ...]:
    """Sort points into tracks by case, machine, config and settings, then by metric in the usual order."""
    groups: dict[tuple[str, str, str, str, int], dict[str, list[Point]]] = {}
    for point in points:
        metric = METRICS.index(point.metric)
        key = (point.case, point.fingerprint, point.config, point.settings, metric)
        groups.setdefault(key, {}).setdefault(point.reference, []).append(point)
    return tuple(
        HistoryTrack(
            case,
            METRICS[metric],
            config,
            settings,
            fingerprint,
            tuple(sorted(map(_series, by_reference.values()), key=lambda each: each.points[-1].identity)),
        )
        for (case, fingerprint, config, settings, metric), by_reference in sorted(groups.items())
    )


def _series(points: Sequence[Point]) -> HistorySeries:
    ordered = sorted(points, key=lambda point: point.identity)
    values = [point.log_ratio for point in ordered]
    found = find_change_points(values)
    edges = [window_start(len(values)), *(each.at for each in found), len(values)]
    levels = [values[start:end] for start, end in pairwise(edges)]
    steps = tuple(
        Step(ordered[each.at], math.exp(_level_shift(before, after)), each.p)
        for each, (before, after) in zip(found, pairwise(levels), strict=True)
    )
    return HistorySeries(tuple(ordered), steps, bool(steps) and _wanders(levels))


def _wanders(levels: Sequence[Sequence[float]]) -> bool:
    residuals = [value - fmean(level) for level in levels for value in level]
    return autocorrelation(residuals) > chance_bound(len(residuals))


def _level_shift(before: Sequence[float], after: Sequence[float]) -> float:
    return median(new - old for new in after for old in before)
