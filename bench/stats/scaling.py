"""Summarize how each strategy and client scales with workers. Used by `show --scaling`.

Ratios, efficiencies and laws are worked out block by block, since blocks are the unit of replication, and
then summarised by medians with intervals. The knee is found by a step-up search over the gains (`find_knee`),
the law is that of `scalability_law`, and crossovers are those of `crossover`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from statistics import median
from typing import Final

from bench.model.cases import Case
from bench.model.results import Measurement, Run
from bench.stats.case_summary import block_efficiency
from bench.stats.crossover import SeriesPair, series_pairs
from bench.stats.intervals import Interval, median_interval
from bench.stats.pairwise import PairedRatio, Sample, compare_samples
from bench.stats.ranking import complete_enough
from bench.stats.scalability_law import UniversalLaw, fit_law

WORTH: Final = 1.05
"""A step to more workers must be at least so many times faster to be worth them."""
_POINTS_FOR_A_LAW: Final = 3


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Strategy × client × keep-alive × limit of connections × cluster: a case without its workers."""

    strategy: str
    client: str
    keep_alive: bool
    variant: str
    connections: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class ScalingPoint:
    """One number of workers of a series.

    Attributes:
        elapsed: median over blocks, in seconds.
        efficiency: median over blocks of ideal ÷ elapsed; ``None`` for a target, which has no ideal.
        gain: how many times faster than with the next fewer workers; ``None`` for the fewest, and if the
            two share no block.
    """

    workers: int
    blocks: int
    elapsed: Interval
    efficiency: Interval | None
    gain: PairedRatio | None

    @property
    def is_worth_it(self) -> bool:
        """Say whether a gain of less than 5 % over the next fewer workers is excluded."""
        return self.gain is not None and self.gain.ratio.low is not None and self.gain.ratio.low > WORTH


@dataclass(frozen=True, slots=True)
class Knee:
    """The point at the end of all steps that pay.

    Attributes:
        point: the first beyond which a gain of 5 % is not shown.
        step: the next one, with its gain.
        failed: numbers of workers between the two with which it mostly failed; if there are any, they end
            the search, however much ``step`` gains.
        resumed: later points that gain 5 % over the one before all the same, each at its own 97.5 %.
    """

    point: ScalingPoint
    step: ScalingPoint
    failed: tuple[int, ...]
    resumed: tuple[ScalingPoint, ...]


@dataclass(frozen=True, slots=True)
class Law:
    """The Universal Scalability Law of a series: fitted in each block, medians over the blocks.

    Attributes:
        blocks: number of blocks with a timing at every point and a law; the figures are over these.
        lawless: number of blocks with a timing at every point in which throughput falls too fast for the law.
        rate: fetches per second of one worker.
        contention: as a share.
        coherency: as a share.
        peak: workers with the greatest throughput; infinite if there is no such number.
        limit: fetches per second that no number of workers exceeds; infinite if there is none.
        misfit: greatest relative error of the law at any point, median over the blocks. With three points
            it is zero unless a parameter is held at zero.
    """

    blocks: int
    lawless: int
    rate: Interval
    contention: Interval
    coherency: Interval
    peak: Interval
    limit: Interval
    misfit: float


@dataclass(frozen=True, slots=True)
class Series:
    """A strategy and client over at least three numbers of workers, ascending.

    Attributes:
        knee: ``None`` if every step gains 5 % or more.
        law: ``None`` if no block has all points, or throughput falls too fast for the law in each of them.
        left_out: numbers of workers with which it mostly failed.
    """

    key: SeriesKey
    points: tuple[ScalingPoint, ...]
    knee: Knee | None
    law: Law | None
    left_out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scaling:
    """The series of one profile and number of fetches, and the comparisons of every two of them."""

    conditions: str
    series: tuple[Series, ...]
    pairs: tuple[SeriesPair[SeriesKey], ...]


def series_key(case: Case) -> SeriesKey:
    """Return the series that a case belongs to."""
    return SeriesKey(case.strategy, case.client, case.keep_alive, case.variant, case.connections, case.place)


def summarize_scaling(run: Run) -> tuple[Scaling, ...]:
    """Summarize the scaling of a run for each of its ``rankings``, in the same order.

    An open loop has no series: its rate decides how much a case does, not its workers.
    """
    conditions = dict.fromkeys(case.conditions for case in run.cases)
    return tuple(_summarize(each, run) for each in conditions)


def find_knee(points: Sequence[ScalingPoint], left_out: Sequence[int] = ()) -> Knee | None:
    """Find the first point without a shown gain of 5 % beyond it.

    Return None if there is no such point.

    Each step is compared with the lower end of its own 95 % interval and the first failure ends the
    search, so no correction is due: the chance that any step below the knee gains less than 5 % in
    truth is 2.5 % at the most (Hsu & Berger, *J. Amer. Statist. Assoc.* 94, 1999).

    The gain in truth is the pseudo-median, the median of the averages of pairs of log-ratios. The 2.5 %
    are a bound where log-ratios are symmetric about it, and approximate elsewhere: with spikes in 30 %
    of the blocks of the slower side alone (exponential, 0.3 in the logarithm on average), 1 to 3 % pass.
    Of the ratio of medians they say nothing: there 5 % would pass in 10 blocks, 10 in 20 and 30 in 64.

    Args:
        points: those with timings, by workers, ascending.
        left_out: numbers of workers with which it mostly failed. Their gain is unknown, so the search ends
            below the first of them that lies between two points.
    """
    for place, (below, step) in enumerate(pairwise(points)):
        failed = tuple(workers for workers in left_out if below.workers < workers < step.workers)
        if failed or not step.is_worth_it:
            return Knee(below, step, failed, tuple(each for each in points[place + 2 :] if each.is_worth_it))
    return None


def fit_block_laws(samples: Mapping[int, Sample], fetches: int) -> Law | None:
    """Fit the law to each block that has all numbers of workers.

    Return None if no block has a law.
    """
    blocks = sorted(set.intersection(*(set(sample) for sample in samples.values())))
    laws: list[UniversalLaw] = []
    misses: list[float] = []
    for block in blocks:
        throughputs = {workers: fetches / sample[block] for workers, sample in samples.items()}
        law = fit_law(throughputs)
        if law is None:
            continue
        laws.append(law)
        misses.append(max(abs(found / law.throughput(workers) - 1) for workers, found in throughputs.items()))
    if not laws:
        return None
    return Law(
        blocks=len(laws),
        lawless=len(blocks) - len(laws),
        rate=median_interval([law.rate for law in laws]),
        contention=median_interval([law.contention for law in laws]),
        coherency=median_interval([law.coherency for law in laws]),
        peak=_reciprocal_interval([law.peak for law in laws]),
        limit=_reciprocal_interval([law.limit for law in laws]),
        misfit=median(misses),
    )


def _summarize(conditions: str, run: Run) -> Scaling:
    series = _group_by_series(case for case in run.cases if case.conditions == conditions and not case.rate)
    trials: dict[str, list[Measurement]] = {case.id: [] for case in run.cases}
    for trial in run.trials:
        trials[trial.case].append(trial)
    samples = {
        key: complete_enough({case.workers: trials[case.id] for case in cases})
        for key, cases in series.items()
    }
    return Scaling(
        conditions=conditions,
        series=tuple(
            _summarize_series(key, cases, samples[key], trials)
            for key, cases in series.items()
            if len(samples[key]) >= _POINTS_FOR_A_LAW
        ),
        pairs=series_pairs(samples),
    )


def _group_by_series(cases: Iterable[Case]) -> dict[SeriesKey, list[Case]]:
    """Group cases by their series, each by workers, ascending."""
    series: dict[SeriesKey, list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.workers):
        series.setdefault(series_key(case), []).append(case)
    return series


def _summarize_series(
    key: SeriesKey,
    all_cases: Sequence[Case],
    samples: Mapping[int, Sample],
    trials: Mapping[str, Sequence[Measurement]],
) -> Series:
    cases = [case for case in all_cases if case.workers in samples]
    below = [None, *samples.values()]
    points = tuple(
        ScalingPoint(
            workers=case.workers,
            blocks=len(samples[case.workers]),
            elapsed=median_interval(list(samples[case.workers].values())),
            efficiency=_efficiency(trials[case.id], samples[case.workers]),
            gain=None if lower is None else compare_samples(samples[case.workers], lower),
        )
        for case, lower in zip(cases, below, strict=False)
    )
    law = fit_block_laws(samples, cases[0].countries.count)
    left_out = tuple(case.workers for case in all_cases if case not in cases)
    return Series(key, points, find_knee(points, left_out), law, left_out)


def _efficiency(trials: Sequence[Measurement], sample: Sample) -> Interval | None:
    """Return the median of ideal ÷ elapsed of the successful blocks that have an ideal; None without any."""
    good = (trial for trial in trials if trial.outcome == "ok" and trial.block in sample)
    shares = [share for trial in good if (share := block_efficiency(trial.rounds)) is not None]
    return median_interval(shares) if shares else None


def _reciprocal_interval(values: Sequence[float]) -> Interval:
    """Bound the median of values that may be infinite, by way of their reciprocals."""
    found = median_interval([1 / value for value in values])
    inverted = found.transform(lambda reciprocal: 1 / reciprocal if reciprocal > 0 else inf)
    return Interval(inverted.estimate, inverted.high, inverted.low)
