"""What more workers bring: every strategy and client over its numbers of workers.

Blocks are the unit of replication: ratios, efficiencies and laws are worked out block by block, and
then summarised.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from statistics import fmean, median
from typing import Final

from bench.model.cases import Case
from bench.model.results import Measurement, Run
from bench.stats.crossover import SeriesPair, series_pairs
from bench.stats.intervals import Interval, median_interval
from bench.stats.pairwise import PairedRatio, Sample, compare_samples
from bench.stats.ranking import complete_enough
from bench.stats.scalability_law import UniversalLaw, fit_law

WORTH: Final = 1.05
"""A step to more workers that is less than so many times faster is not worth them."""
_RUNGS_FOR_A_LAW: Final = 3


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Strategy × client × keep-alive: a case without its workers."""

    strategy: str
    client: str
    keep_alive: bool
    variant: str


@dataclass(frozen=True, slots=True)
class ScalingPoint:
    """One number of workers of a series.

    Attributes:
        elapsed: median over blocks, in seconds.
        efficiency: median over blocks of ideal ÷ elapsed.
        gain: how many times faster than the rung below; ``None`` for the lowest, and where the two
            share no block.
    """

    workers: int
    blocks: int
    elapsed: Interval
    efficiency: Interval
    gain: PairedRatio | None

    @property
    def is_worth_it(self) -> bool:
        """Whether a gain of less than 5 % over the rung below is excluded."""
        return self.gain is not None and self.gain.ratio.low is not None and self.gain.ratio.low > WORTH


@dataclass(frozen=True, slots=True)
class Knee:
    """Where more workers stop to pay.

    Attributes:
        rung: the first beyond which a gain of 5 % is not shown.
        step: the next one, with what it gains.
        failed: numbers of workers between the two with which it mostly failed; where there are any, it is
            they that end the search, whatever ``step`` gains.
        resumed: rungs further up that gain 5 % over the one below all the same, each at its own 97.5 %.
    """

    rung: ScalingPoint
    step: ScalingPoint
    failed: tuple[int, ...]
    resumed: tuple[ScalingPoint, ...]


@dataclass(frozen=True, slots=True)
class Law:
    """The Universal Scalability Law of a series: fitted in each block, medians over the blocks.

    Attributes:
        blocks: blocks in which every rung has a timing and which have a law; all else is over these.
        lawless: blocks in which every rung has a timing, and throughput falls too fast for the law.
        rate: fetches per second of one worker.
        contention: as a share.
        coherency: as a share.
        peak: workers with the greatest throughput; infinite where there is no such number.
        limit: fetches per second that no number of workers exceeds; infinite where there is none.
        misfit: by how much the law misses the time of some rung, as a share: median over the blocks of
            the greatest miss. Of three rungs it is nothing wherever no parameter is held at zero.
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
    """A contender over at least three numbers of workers, ascending.

    Attributes:
        knee: ``None`` where every step gains 5 % or more.
        law: ``None`` where no block has all rungs, or throughput falls too fast for the law in each.
        left_out: numbers of workers with which it mostly failed.
    """

    contender: SeriesKey
    rungs: tuple[ScalingPoint, ...]
    knee: Knee | None
    law: Law | None
    left_out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scaling:
    """The series of one profile, and which of two contenders is ahead with how many workers."""

    profile: str
    series: tuple[Series, ...]
    rivalries: tuple[SeriesPair[SeriesKey], ...]


def series_key(case: Case) -> SeriesKey:
    """Leave a case's workers out of it."""
    return SeriesKey(case.strategy, case.client, case.keep_alive, case.variant)


def summarize_scaling(run: Run) -> tuple[Scaling, ...]:
    """Work out how the cases of a run scale, one a profile, in the order of the config."""
    return tuple(_scaling(profile, run) for profile in dict.fromkeys(case.profile.name for case in run.cases))


def find_knee(rungs: Sequence[ScalingPoint], left_out: Sequence[int] = ()) -> Knee | None:
    """Find the first rung beyond which a gain of 5 % is not shown, going up.

    Each step is held against the lower end of its own 95 % interval and the first failure ends the
    search, so no correction is due: the chance that any step below the knee gains less than 5 % in
    truth is 2.5 % at the most (Hsu & Berger, *J. Amer. Statist. Assoc.* 94, 1999).

    The gain in truth is the pseudo-median, the median of the averages of pairs of log-ratios. The 2.5 %
    are a bound where log-ratios are symmetric about it, and approximate elsewhere: with spikes in 30 %
    of the blocks of the slower side alone (exponential, 0.3 in the logarithm on average), 1 to 3 % pass.
    Of the ratio of medians they say nothing: there 5 % would pass in 10 blocks, 10 in 20 and 30 in 64.

    Args:
        rungs: those with timings, ascending.
        left_out: numbers of workers with which it mostly failed. What they gain is not known, so the
            search ends below the first of them that lies between two rungs.
    """
    for place, (below, step) in enumerate(pairwise(rungs)):
        failed = tuple(workers for workers in left_out if below.workers < workers < step.workers)
        if failed or not step.is_worth_it:
            return Knee(below, step, failed, tuple(rung for rung in rungs[place + 2 :] if rung.is_worth_it))
    return None


def fit_block_laws(samples: Mapping[int, Sample], fetches: int) -> Law | None:
    """Fit the law to each block that has all numbers of workers, and summarise the blocks that have one."""
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
        peak=_unbounded([law.peak for law in laws]),
        limit=_unbounded([law.limit for law in laws]),
        misfit=median(misses),
    )


def _scaling(profile: str, run: Run) -> Scaling:
    ladders = _ladders(case for case in run.cases if case.profile.name == profile)
    trials: dict[str, list[Measurement]] = {case.id: [] for case in run.cases}
    for trial in run.trials:
        trials[trial.case].append(trial)
    samples = {
        contender: complete_enough({case.workers: trials[case.id] for case in cases})
        for contender, cases in ladders.items()
    }
    return Scaling(
        profile=profile,
        series=tuple(
            _series(contender, cases, samples[contender], trials)
            for contender, cases in ladders.items()
            if len(samples[contender]) >= _RUNGS_FOR_A_LAW
        ),
        rivalries=series_pairs(samples),
    )


def _ladders(cases: Iterable[Case]) -> dict[SeriesKey, list[Case]]:
    """Set out each contender's cases by workers, ascending."""
    ladders: dict[SeriesKey, list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.workers):
        ladders.setdefault(series_key(case), []).append(case)
    return ladders


def _series(
    contender: SeriesKey,
    ladder: Sequence[Case],
    samples: Mapping[int, Sample],
    trials: Mapping[str, Sequence[Measurement]],
) -> Series:
    cases = [case for case in ladder if case.workers in samples]
    below = [None, *samples.values()]
    rungs = tuple(
        ScalingPoint(
            workers=case.workers,
            blocks=len(samples[case.workers]),
            elapsed=median_interval(list(samples[case.workers].values())),
            efficiency=median_interval(_efficiencies(trials[case.id], samples[case.workers])),
            gain=None if lower is None else compare_samples(samples[case.workers], lower),
        )
        for case, lower in zip(cases, below, strict=False)
    )
    law = fit_block_laws(samples, len(cases[0].countries.fetches))
    left_out = tuple(case.workers for case in ladder if case not in cases)
    return Series(contender, rungs, find_knee(rungs, left_out), law, left_out)


def _efficiencies(trials: Sequence[Measurement], sample: Sample) -> list[float]:
    """Return ideal ÷ elapsed of each block that counts."""
    return [
        fmean(round_.ideal_s for round_ in trial.rounds) / sample[trial.block]
        for trial in trials
        if trial.outcome == "ok" and trial.block in sample
    ]


def _unbounded(values: Sequence[float]) -> Interval:
    """Bound the median of values of which some are infinite, by way of their reciprocals."""
    found = median_interval([1 / value for value in values])
    return Interval(_inverse(found.estimate), _bound(found.high), _bound(found.low))


def _bound(reciprocal: float | None) -> float | None:
    return None if reciprocal is None else _inverse(reciprocal)


def _inverse(reciprocal: float) -> float:
    return 1 / reciprocal if reciprocal > 0 else inf
