"""Who is fastest among the cases of one profile, and how sure that is.

Cases are compared within a profile only; another profile is another question.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final

from bench.measurement import Measurement, Run
from bench.stats.paired import Comparison, holm
from bench.stats.standing import Sample, Standing, compare_samples, sample_of, standing_of

SIGNIFICANCE: Final = 0.05
_RANKED_FROM: Final = 0.5
"""Share of the blocks of the most complete case that a case needs to be ranked at all."""


@dataclass(frozen=True, slots=True)
class Podium:
    """The cases of one profile.

    The fastest is the case that is ahead of most others, block by block. Its rivals are told from it by
    the exact signed-rank test over shared blocks, Holm over *all* pairs of ranked cases: the fastest is
    chosen by the data, so the pairs that are shown are not the only ones that were looked at.

    Attributes:
        baseline: id of the sequential case that the others are compared with, if there is one.
        fastest: id of the fastest; ``None`` where every case failed.
        behind: ids of ranked cases that are slower than the fastest.
        ties: ids of ranked cases that cannot be told from it.
        undecided: ids of ranked cases that share too few blocks with it for any difference to show.
        blocks_needed: blocks with which no ranked case would be undecided.
        skipped: trials that were left out because their case was given up, by id.
    """

    profile: str
    rows: tuple[Standing, ...]
    baseline: str | None
    fastest: str | None
    behind: frozenset[str]
    ties: frozenset[str]
    undecided: frozenset[str]
    blocks_needed: int
    skipped: Mapping[str, int]

    @property
    def ranked(self) -> int:
        """How many cases take part in the comparison."""
        return len(self.behind | self.ties | self.undecided) + (self.fastest is not None)


def podiums(run: Run) -> tuple[Podium, ...]:
    """Work out the standings of a run, one podium a profile, in the order of the config."""
    return tuple(_podium(profile, run) for profile in dict.fromkeys(case.profile.name for case in run.cases))


def _podium(profile: str, run: Run) -> Podium:
    cases = [case for case in run.cases if case.profile.name == profile]
    trials: dict[str, list[Measurement]] = {case.id: [] for case in cases}
    for trial in run.trials:
        if trial.case in trials:
            trials[trial.case].append(trial)
    samples = {case_id: sample_of(measured) for case_id, measured in trials.items()}
    baseline = next((case.id for case in cases if case.strategy == "sequential" and samples[case.id]), None)
    rows = tuple(
        standing_of(case, trials[case.id], samples[baseline] if baseline not in {None, case.id} else None)
        for case in cases
    )
    ranked = _ranked(samples)
    pairs = _compared(ranked)
    fastest = _fastest(ranked, pairs)
    verdicts = _verdicts(fastest, ranked, pairs)
    return Podium(
        profile=profile,
        rows=rows,
        baseline=baseline,
        fastest=fastest,
        behind=_those(verdicts, "behind"),
        ties=_those(verdicts, "tied"),
        undecided=_those(verdicts, "undecided"),
        blocks_needed=_blocks_needed(len(pairs)),
        skipped=_skipped(run, trials),
    )


def _ranked(samples: Mapping[str, Sample]) -> dict[str, Sample]:
    """Keep the cases with enough blocks; one that mostly failed would win by its luck."""
    most = max((len(sample) for sample in samples.values()), default=0)
    return {
        case_id: sample
        for case_id, sample in samples.items()
        if sample and len(sample) >= _RANKED_FROM * most
    }


def _compared(ranked: Mapping[str, Sample]) -> dict[tuple[str, str], Comparison]:
    """Compare all pairs that share a block; the ratio is second ÷ first."""
    return {
        (first, second): comparison
        for first, second in combinations(ranked, 2)
        if (comparison := compare_samples(ranked[first], ranked[second])) is not None
    }


def _fastest(ranked: Mapping[str, Sample], pairs: Mapping[tuple[str, str], Comparison]) -> str | None:
    ahead = dict.fromkeys(ranked, 0)
    for (first, second), comparison in pairs.items():
        ahead[first if comparison.ratio.estimate > 1 else second] += 1
    medians = {case_id: median(sample.values()) for case_id, sample in ranked.items()}
    return max(ranked, key=lambda case_id: (ahead[case_id], -medians[case_id]), default=None)


def _verdicts(
    fastest: str | None, ranked: Mapping[str, Sample], pairs: Mapping[tuple[str, str], Comparison]
) -> dict[str, str]:
    adjusted = dict(zip(pairs, holm([comparison.p for comparison in pairs.values()]), strict=True))
    needed = _blocks_needed(len(pairs))
    verdicts = dict.fromkeys((case_id for case_id in ranked if case_id != fastest), "undecided")
    for (first, second), comparison in pairs.items():
        if fastest not in {first, second} or comparison.blocks < needed:
            continue
        is_ahead = (comparison.ratio.estimate > 1) == (first == fastest)
        is_certain = is_ahead and adjusted[first, second] <= SIGNIFICANCE
        verdicts[second if first == fastest else first] = "behind" if is_certain else "tied"
    return verdicts


def _those(verdicts: Mapping[str, str], verdict: str) -> frozenset[str]:
    return frozenset(case_id for case_id, said in verdicts.items() if said == verdict)


def _blocks_needed(pairs: int) -> int:
    """Return the blocks with which even the strictest of Holm's steps can be passed.

    The smallest two-sided p of n blocks is 2 / 2ⁿ.
    """
    return math.ceil(math.log2(2 * max(1, pairs) / SIGNIFICANCE))


def _skipped(run: Run, trials: Mapping[str, Sequence[Measurement]]) -> dict[str, int]:
    planned = run.config.get("blocks")
    if run.status != "complete" or not isinstance(planned, int):
        return {}
    return {
        case_id: planned - len(measured) for case_id, measured in trials.items() if len(measured) < planned
    }
