"""What contests against one reference have found over time: points, series of them, and steps in these."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from bench.model.comparison import METRICS, Metric
from bench.stats.change_points import find_change_points, window_start
from bench.stats.sequential_test import Verdict
from bench.stats.series import autocorrelation, chance_bound


@dataclass(frozen=True, slots=True)
class Point:
    """What one contest has found of one metric of one case.

    Attributes:
        time: when its run started, UTC, ISO 8601.
        commit: of the candidate.
        reference: the commit of the base.
        case: without a variant.
        log_ratio: natural logarithm of candidate ÷ base, as estimated.
        low: lower bound of candidate ÷ base, no logarithm; ``None``, like ``high``, where there is none.
        blocks: how many it rests on.
        fingerprint: of the machine.
        config: name of the config.
        settings: tells the case from all that asked for something else by the same name.
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
        """Candidate ÷ base, as estimated."""
        return math.exp(self.log_ratio)

    @property
    def identity(self) -> tuple[str, ...]:
        """Tell it from all that were measured, or measured of something else."""
        return (self.time, self.fingerprint, self.run, self.commit, self.reference, self.case, self.metric)


@dataclass(frozen=True, slots=True)
class Step:
    """A lasting change within a series.

    Attributes:
        point: the first that is of the new level.
        ratio: new level ÷ old one: the median of all ratios between a point after and a point before, as far
            as the neighbouring steps (Hodges & Lehmann).
        p: chance of so clear a step in a series of independent points without one.
    """

    point: Point
    ratio: float
    p: float


@dataclass(frozen=True, slots=True)
class HistorySeries:
    """Points that can be held against each other, in order of time, and the steps among them.

    Attributes:
        wanders: whether there are steps, and between them points that resemble their neighbours more than
            chance makes them; the steps may then be nobody's doing.
    """

    points: tuple[Point, ...]
    steps: tuple[Step, ...]
    wanders: bool

    @property
    def reference(self) -> str:
        """The commit that all were measured against."""
        return self.points[0].reference


@dataclass(frozen=True, slots=True)
class HistoryTrack:
    """A metric of a case on one machine, over all references.

    Attributes:
        series: one for each reference; the last has the newest point.
    """

    case: str
    metric: Metric
    config: str
    settings: str
    fingerprint: str
    series: tuple[HistorySeries, ...]


def history_tracks(points: Iterable[Point]) -> tuple[HistoryTrack, ...]:
    """Sort points into tracks: by case, machine, config and settings, then by metric in the usual order."""
    sorted_out: dict[tuple[str, str, str, str, int], dict[str, list[Point]]] = {}
    for point in points:
        metric = METRICS.index(point.metric)
        key = (point.case, point.fingerprint, point.config, point.settings, metric)
        sorted_out.setdefault(key, {}).setdefault(point.reference, []).append(point)
    return tuple(
        HistoryTrack(
            case,
            METRICS[metric],
            config,
            settings,
            fingerprint,
            tuple(sorted(map(_series, by_reference.values()), key=lambda each: each.points[-1].identity)),
        )
        for (case, fingerprint, config, settings, metric), by_reference in sorted(sorted_out.items())
    )


def _series(points: Sequence[Point]) -> HistorySeries:
    ordered = sorted(points, key=lambda point: point.identity)
    values = [point.log_ratio for point in ordered]
    found = find_change_points(values)
    edges = [window_start(len(values)), *(each.at for each in found), len(values)]
    levels = [values[start:end] for start, end in pairwise(edges)]
    steps = tuple(
        Step(ordered[each.at], math.exp(_shift(before, after)), each.p)
        for each, (before, after) in zip(found, pairwise(levels), strict=True)
    )
    return HistorySeries(tuple(ordered), steps, bool(steps) and _wanders(levels))


def _wanders(levels: Sequence[Sequence[float]]) -> bool:
    residuals = [value - fmean(level) for level in levels for value in level]
    return autocorrelation(residuals) > chance_bound(len(residuals))


def _shift(before: Sequence[float], after: Sequence[float]) -> float:
    return median(new - old for new in after for old in before)
