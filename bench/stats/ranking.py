"""Rank the cases of a run that were measured under the same conditions, and find the fastest.

Used by every table and export of a run.

Method: the exact signed-rank test over shared blocks (`pairwise`), with Holm's correction over *all* pairs of
ranked cases: the data choose the fastest, so the pairs that are shown are not the only ones looked at. Cases
that surely differ by less than the run's margin are *equivalent*. Only cases of one profile and number of
fetches are compared, since others ask another question.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median
from typing import Final, Literal, TypeAlias, TypeVar

from bench.model.comparison import DEFAULT_RUN_MARGIN
from bench.model.results import Measurement, Run
from bench.stats.case_summary import CaseSummary, block_sample, summarize_case
from bench.stats.missing_blocks import cases_with_too_few_blocks
from bench.stats.pairwise import (
    PairVerdict,
    Sample,
    blocks_needed,
    compare_samples,
    compare_with,
    judge_pairs,
)
from bench.stats.run_state import rule_of, stops_of

Name = TypeVar("Name", bound=Hashable)
_PairVerdicts: TypeAlias = Mapping[tuple[str, str], PairVerdict]
_Place: TypeAlias = Literal["slower", "equivalent", "inconclusive", "untestable"]

_RANKED_FROM: Final = 0.5
"""Share of blocks in which a case must have succeeded to be ranked at all."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The cases of one profile and number of fetches, compared with the fastest.

    Attributes:
        conditions: ``Case.conditions`` of them all.
        rows: a summary of each case, in the order of the config.
        baseline: id of the sequential case that ``times_faster`` refers to; ``None`` if there is none.
        fastest: id of the case that is ahead of most others, block by block, and that no case is surely
            faster than; ``None`` if every case failed, and in an open loop.
        slower: ids of ranked cases that are slower than the fastest.
        equivalent: ids of ranked cases that surely differ from the fastest by less than the margin.
        inconclusive: ids of ranked cases that can neither be told from the fastest nor called equivalent.
        untestable: ids of ranked cases that share too few blocks with the fastest for a difference to show.
        blocks_needed: number of blocks with which every ranked case would be testable.
        skipped: number of trials left out because their case was given up, by id.
        too_few: ids of cases that discarded trials left without a timing or an interval.
        margin: the least difference that matters, as a share of the shorter time.
        against_fastest: the verdict of the fastest on each other ranked case that shares a block with it.
    """

    conditions: str
    rows: tuple[CaseSummary, ...]
    baseline: str | None
    fastest: str | None
    slower: frozenset[str]
    equivalent: frozenset[str]
    inconclusive: frozenset[str]
    untestable: frozenset[str]
    blocks_needed: int
    skipped: Mapping[str, int]
    margin: float = 0.0
    against_fastest: Mapping[str, PairVerdict] = field(default_factory=dict)
    too_few: frozenset[str] = frozenset()

    @property
    def profile(self) -> str:
        """The name of their profile."""
        return self.rows[0].case.profile.name

    @property
    def ranked(self) -> int:
        """Count the cases that take part in the comparison."""
        return len(self.ranked_ids)

    @property
    def ranked_ids(self) -> frozenset[str]:
        """The ids of the cases that take part in the comparison."""
        fastest = frozenset[str]() if self.fastest is None else {self.fastest}
        return self.slower | self.equivalent | self.inconclusive | self.untestable | fastest


def rankings(run: Run) -> tuple[Ranking, ...]:
    """Rank the cases of a run, one profile and number of fetches after the other, in the config's order."""
    conditions = dict.fromkeys(case.conditions for case in run.cases)
    return tuple(_rank(each, run) for each in conditions)


def _rank(conditions: str, run: Run) -> Ranking:
    cases = [case for case in run.cases if case.conditions == conditions]
    trials: dict[str, list[Measurement]] = {case.id: [] for case in cases}
    for trial in run.trials:
        if trial.case in trials:
            trials[trial.case].append(trial)
    samples = {case_id: block_sample(measured) for case_id, measured in trials.items()}
    baseline = next((case.id for case in cases if case.strategy == "sequential" and samples[case.id]), None)
    margin = run_margin(run)
    is_open_loop = any(case.rate for case in cases)  # its schedule decides how long a round takes
    if is_open_loop:
        baseline = None
    others = {case_id: sample for case_id, sample in samples.items() if case_id != baseline}
    times_faster = {} if baseline is None else compare_with(samples[baseline], others, margin)
    given_up = {case_id for case_id, stop in stops_of(run).items() if stop.reason == "given up"}
    ranked = {} if is_open_loop else complete_enough(trials, given_up)
    pairs = _judge_all_pairs(ranked, margin)
    fastest = _find_fastest(ranked, pairs)
    against_fastest = dict(_pairs_of(fastest, pairs))
    places = {case_id: _place(against_fastest.get(case_id)) for case_id in ranked if case_id != fastest}
    return Ranking(
        conditions=conditions,
        rows=tuple(summarize_case(case, trials[case.id], times_faster.get(case.id)) for case in cases),
        baseline=baseline,
        fastest=fastest,
        slower=_ids_at(places, "slower"),
        equivalent=_ids_at(places, "equivalent"),
        inconclusive=_ids_at(places, "inconclusive"),
        untestable=_ids_at(places, "untestable"),
        blocks_needed=blocks_needed(len(pairs)),
        skipped=_count_skipped(run, trials, given_up),
        margin=margin,
        against_fastest=against_fastest,
        too_few=cases_with_too_few_blocks(run) & trials.keys(),
    )


def run_margin(run: Run) -> float:
    """Return the least difference that matters in a run; older runs have the usual one."""
    margin = run.config.get("margin", DEFAULT_RUN_MARGIN)
    return float(margin) if isinstance(margin, (int, float)) else DEFAULT_RUN_MARGIN


def complete_enough(
    trials: Mapping[Name, Sequence[Measurement]], given_up: Collection[Name] = ()
) -> dict[Name, Sample]:
    """Return the samples of cases that mostly succeeded; one that mostly failed would win by its luck.

    A case that left early because it was precise enough is compared with the blocks it ran in, a case
    that was given up with those of the most complete case.
    """
    samples = {name: block_sample(measured) for name, measured in trials.items()}
    most = max((len(sample) for sample in samples.values()), default=0)
    kept = {}
    for name, sample in samples.items():
        due = most if name in given_up else len({trial.block for trial in trials[name]})
        if sample and len(sample) >= _RANKED_FROM * due:
            kept[name] = sample
    return kept


def _judge_all_pairs(ranked: Mapping[str, Sample], margin: float) -> _PairVerdicts:
    """Judge all pairs that share a block, the first of each against the second."""
    return judge_pairs(
        {
            (first, second): ratio
            for first, second in combinations(ranked, 2)
            if (ratio := compare_samples(ranked[first], ranked[second], margin)) is not None
        }
    )


def _find_fastest(ranked: Mapping[str, Sample], pairs: _PairVerdicts) -> str | None:
    """Choose the case that is ahead of most others, among those that no case is surely faster than.

    Pairs that are not testable count only if no pair is.
    """
    counted = {pair: each for pair, each in pairs.items() if each.is_testable} or pairs
    ahead = dict.fromkeys(ranked, 0)
    beaten = set()
    for (first, second), found in counted.items():
        ahead[first if found.ratio.estimate > 1 else second] += 1
        if found.verdict in {"faster", "slower"}:
            beaten.add(second if found.verdict == "faster" else first)
    medians = {case_id: median(sample.values()) for case_id, sample in ranked.items()}
    unbeaten = [case_id for case_id in ranked if case_id not in beaten]
    return max(unbeaten or ranked, key=lambda case_id: (ahead[case_id], -medians[case_id]), default=None)


def _pairs_of(fastest: str | None, pairs: _PairVerdicts) -> Iterator[tuple[str, PairVerdict]]:
    """Yield the verdict of the fastest case on each other one that shares a block with it."""
    for (first, second), found in pairs.items():
        if first == fastest:
            yield second, found
        elif second == fastest:
            yield first, found.turn_round()


def _place(found: PairVerdict | None) -> _Place:
    """Say how a ranked case compares with the fastest."""
    if found is None or not found.is_testable:
        return "untestable"
    if found.verdict == "equivalent":
        return "equivalent"
    return "slower" if found.verdict == "faster" else "inconclusive"


def _ids_at(places: Mapping[str, _Place], wanted: _Place) -> frozenset[str]:
    return frozenset(case_id for case_id, place in places.items() if place == wanted)


def _count_skipped(
    run: Run, trials: Mapping[str, Sequence[Measurement]], given_up: Collection[str]
) -> dict[str, int]:
    """Count the blocks that each given-up case missed, of those planned or else of those run."""
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
