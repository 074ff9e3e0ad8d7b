"""Who is fastest among the cases of one profile, and how sure that is.

Cases are compared within a profile only; another profile is another question.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final, TypeVar

from bench.model.results import Measurement, Run
from bench.stats.case_summary import CaseSummary, block_sample, summarize_case
from bench.stats.pairwise import (
    PairVerdicts,
    Sample,
    blocks_needed,
    compare_samples,
    compare_with,
    judge_pairs,
)
from bench.stats.run_state import rule_of, stops_of

Name = TypeVar("Name", bound=Hashable)

_RANKED_FROM: Final = 0.5
"""Share of blocks in which a case must have succeeded to be ranked at all."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The cases of one profile.

    The fastest is the case that is ahead of most others, block by block, and that none is surely faster
    than. Its rivals are told from it by
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
    rows: tuple[CaseSummary, ...]
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


def rankings(run: Run) -> tuple[Ranking, ...]:
    """Work out the standings of a run, one podium a profile, in the order of the config."""
    return tuple(_podium(profile, run) for profile in dict.fromkeys(case.profile.name for case in run.cases))


def _podium(profile: str, run: Run) -> Ranking:
    cases = [case for case in run.cases if case.profile.name == profile]
    trials: dict[str, list[Measurement]] = {case.id: [] for case in cases}
    for trial in run.trials:
        if trial.case in trials:
            trials[trial.case].append(trial)
    samples = {case_id: block_sample(measured) for case_id, measured in trials.items()}
    baseline = next((case.id for case in cases if case.strategy == "sequential" and samples[case.id]), None)
    times_faster = {} if baseline is None else compare_with(samples[baseline], _without(baseline, samples))
    rows = tuple(summarize_case(case, trials[case.id], times_faster.get(case.id)) for case in cases)
    given_up = {case_id for case_id, stop in stops_of(run).items() if stop.reason == "given up"}
    ranked = complete_enough(trials, given_up)
    pairs = _judged(ranked)
    fastest = _fastest(ranked, pairs)
    verdicts = _verdicts(fastest, ranked, pairs)
    return Ranking(
        profile=profile,
        rows=rows,
        baseline=baseline,
        fastest=fastest,
        behind=_those(verdicts, "behind"),
        ties=_those(verdicts, "tied"),
        undecided=_those(verdicts, "undecided"),
        blocks_needed=blocks_needed(len(pairs)),
        skipped=_skipped(run, trials, given_up),
    )


def complete_enough(
    trials: Mapping[Name, Sequence[Measurement]], given_up: Collection[Name] = ()
) -> dict[Name, Sample]:
    """Keep the samples of cases that mostly succeeded; one that mostly failed would win by its luck.

    A case that left the blocks because enough was known of it is held against the blocks that it was
    run in, one that was given up against those of the most complete case.
    """
    samples = {name: block_sample(measured) for name, measured in trials.items()}
    most = max((len(sample) for sample in samples.values()), default=0)
    kept = {}
    for name, sample in samples.items():
        due = most if name in given_up else len({trial.block for trial in trials[name]})
        if sample and len(sample) >= _RANKED_FROM * due:
            kept[name] = sample
    return kept


def _without(case_id: str, samples: Mapping[str, Sample]) -> dict[str, Sample]:
    return {other: sample for other, sample in samples.items() if other != case_id}


def _judged(ranked: Mapping[str, Sample]) -> dict[tuple[str, str], PairVerdicts]:
    """Judge all pairs that share a block, the first of each against the second."""
    return judge_pairs(
        {
            (first, second): comparison
            for first, second in combinations(ranked, 2)
            if (comparison := compare_samples(ranked[first], ranked[second])) is not None
        }
    )


def _fastest(ranked: Mapping[str, Sample], pairs: Mapping[tuple[str, str], PairVerdicts]) -> str | None:
    """Choose the case that is ahead of most others, among those that none is surely faster than.

    Pairs with too few blocks to be judged count only where there are no others.
    """
    judged = {pair: each for pair, each in pairs.items() if each.verdict != "too few blocks"} or pairs
    ahead = dict.fromkeys(ranked, 0)
    beaten = set()
    for (first, second), judgement in judged.items():
        ahead[first if judgement.ratio.estimate > 1 else second] += 1
        if judgement.verdict in {"faster", "slower"}:
            beaten.add(second if judgement.verdict == "faster" else first)
    medians = {case_id: median(sample.values()) for case_id, sample in ranked.items()}
    unbeaten = [case_id for case_id in ranked if case_id not in beaten]
    return max(unbeaten or ranked, key=lambda case_id: (ahead[case_id], -medians[case_id]), default=None)


def _verdicts(
    fastest: str | None, ranked: Mapping[str, Sample], pairs: Mapping[tuple[str, str], PairVerdicts]
) -> dict[str, str]:
    verdicts = dict.fromkeys((case_id for case_id in ranked if case_id != fastest), "undecided")
    for (first, second), judgement in pairs.items():
        if fastest not in {first, second} or judgement.verdict == "too few blocks":
            continue
        is_ahead = judgement.verdict == ("faster" if first == fastest else "slower")
        verdicts[second if first == fastest else first] = "behind" if is_ahead else "tied"
    return verdicts


def _those(verdicts: Mapping[str, str], verdict: str) -> frozenset[str]:
    return frozenset(case_id for case_id, said in verdicts.items() if said == verdict)


def _skipped(
    run: Run, trials: Mapping[str, Sequence[Measurement]], given_up: Collection[str]
) -> dict[str, int]:
    """Count the blocks without a case that was given up: those planned, or else those that were run."""
    rule = rule_of(run)
    if run.status != "complete" or rule is None:
        return {}
    is_fixed = rule.precision is None and rule.budget_s is None
    blocks = rule.looks[-1] if is_fixed else len({trial.block for trial in run.trials})
    return {
        case_id: left
        for case_id, measured in trials.items()
        if case_id in given_up and (left := blocks - len({trial.block for trial in measured})) > 0
    }
