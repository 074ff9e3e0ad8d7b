"""Turn a stored run into verdicts: the one path that ab, gate, compare, history and all exports share.

``run_verdicts`` pairs the trials of both variants block by block, lets ``sequential_test`` give the verdict
on each metric of each case (its ``decide_metric`` applies the margin), and checks the candidate against the
absolute thresholds. ``overall_verdict`` sums all of it up in one word, which has an exit code in ``errors``.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Literal, TypeAlias

from bench.errors import UsageError
from bench.model.comparison import Comparison, Metric, Verdict
from bench.model.json_codec import added_field
from bench.model.observer import StopReason
from bench.model.results import Measurement, Run
from bench.model.stored_comparison import read_comparison
from bench.stats.absolute_thresholds import BoundVerdict, bound_verdicts
from bench.stats.comparison_state import ComparisonState, PairedTrial, Question, pair_trials, rule_of
from bench.stats.intervals import Interval
from bench.stats.metrics import SUMMED, metric_value
from bench.stats.retries import final_attempts
from bench.stats.sequential_test import decide_so_far

Overall: TypeAlias = Literal["passed", "regression", "failed", "inconclusive"]

_UNMEASURED: Final = "it was not measured"
_REASONS: Final[Mapping[StopReason | None, str]] = {
    "decided": "the case was no longer run: its own comparison had decided it",
    "given up": "its trials kept failing",
    "disturbed": "its trials were disturbed too often",
    "budget": "the budget was spent",
    None: "the run was stopped early",
}


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """The verdict on one metric of one case.

    Attributes:
        case: id without a variant.
        ratio: candidate ÷ base, with the bounds that were compared with the margin; ``None`` if no block
            was measured. Bounds are missing before the first look of the rule.
        blocks: number of blocks that the verdict rests on.
        margin: the greatest change that is still *equivalent*, as a share.
        base: the base's median over these blocks, in the metric's unit; ``None`` without blocks. Sums are
            those of one round of the config, however often a round was repeated to be long enough.
        candidate: the same of the candidate.
        why: the reason for *inconclusive*, else empty.
    """

    case: str
    metric: Metric
    verdict: Verdict
    ratio: Interval | None
    blocks: int
    margin: float
    base: float | None
    candidate: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """All verdicts on a run.

    Attributes:
        base: label of the variant that the candidate is compared with.
        candidate: label of the other variant.
        metrics: a verdict for each metric of each case, in the order of the cases.
        failed: trials that failed by their strategy's fault, by case without a variant.
        is_complete: whether the comparison reached its end; verdicts given before are final.
        spoilt: number of blocks, over all cases, that were left out as disturbed.
        vanished: cases that only the base has.
        unknown_base: why it is not known which cases the base's own config has; empty if it is.
        new: cases that only the candidate has.
        bounds: a verdict for each absolute threshold of each case that it is for.
    """

    base: str
    candidate: str
    metrics: tuple[MetricVerdict, ...]
    failed: Mapping[str, tuple[Measurement, ...]]
    is_complete: bool
    spoilt: int = 0
    vanished: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    bounds: tuple[BoundVerdict, ...] = ()
    unknown_base: str = added_field(str)

    @property
    def misses_cases(self) -> bool:
        """Whether the candidate lacks a case of the base, or may lack one without being noticed."""
        return bool(self.vanished or self.unknown_base)

    def failures(self, variant: str) -> Mapping[str, tuple[Measurement, ...]]:
        """Return the failed trials of one variant, by case; cases without any are left out."""
        own = {
            case: tuple(trial for trial in trials if trial.case.endswith(f"@{variant}"))
            for case, trials in self.failed.items()
        }
        return {case: trials for case, trials in own.items() if trials}


def run_verdicts(run: Run, comparison: Comparison | None = None) -> Verdicts:
    """Return the verdicts on a run, by its own comparison or by other settings for its variants.

    Raises:
        UnreadableResultError: the stored comparison does not fit the run's cases.
        UsageError: the run compares no variants, and no comparison is given.
    """
    stored = read_comparison(run)
    if stored is not None:
        return comparison_verdicts(comparison or stored, run.trials, stored)
    if comparison is None:
        raise UsageError(f"{run.name} compares no two variants", hint="measure a comparison with `ab`")
    return _plain_run_verdicts(comparison, run.trials)


def comparison_verdicts(
    comparison: Comparison, trials: Sequence[Measurement], measured_for: Comparison | None = None
) -> Verdicts:
    """Return the verdicts on the trials of a comparison.

    Args:
        comparison: the variants, metrics and margins.
        trials: in the order in which they were run, both trials of a pair next to each other.
        measured_for: the comparison that the trials were run for, if it is another one.
    """
    state = ComparisonState(comparison.margins, measured_for or comparison)
    pairs: dict[str, list[PairedTrial]] = {case: [] for case in comparison.margins}
    for case, pair in _pair_trials(comparison, trials):
        pairs[case].append(pair)
        state.add(pair.base, pair.candidate)
    final = {case: [pair for pair in each if pair.is_final] for case, each in pairs.items()}
    return Verdicts(
        base=comparison.base,
        candidate=comparison.candidate,
        metrics=_metric_verdicts(
            comparison,
            {case: [(pair.base, pair.candidate) for pair in pairs[case] if pair.is_ok] for case in pairs},
            lambda question: _reason(state, question),
        ),
        failed=_failed_trials(
            {
                case: [
                    trial for pair in each if not pair.is_disturbed for trial in (pair.base, pair.candidate)
                ]
                for case, each in final.items()
            }
        ),
        is_complete=not state.due,
        spoilt=sum(pair.is_disturbed for each in final.values() for pair in each),
        vanished=tuple(case for case, only in comparison.alone.items() if only == comparison.base),
        new=tuple(case for case, only in comparison.alone.items() if only == comparison.candidate),
        bounds=bound_verdicts(comparison, trials),
        unknown_base=comparison.unknown_base,
    )


def _plain_run_verdicts(comparison: Comparison, trials: Sequence[Measurement]) -> Verdicts:
    """Return the verdicts on two variants of a run that was not measured as a comparison.

    The test looks at the finished blocks as often as it would have while they were run.
    """
    by_case: dict[str, dict[int, Measurement]] = {}
    for trial in final_attempts(trials):
        by_case.setdefault(trial.case, {})[trial.block] = trial
    variants = {
        case: [by_case.get(f"{case}@{variant}", {}) for variant in (comparison.base, comparison.candidate)]
        for case in comparison.margins
    }
    return Verdicts(
        base=comparison.base,
        candidate=comparison.candidate,
        metrics=_metric_verdicts(
            comparison,
            {case: _successful_blocks(base, candidate) for case, (base, candidate) in variants.items()},
            lambda _: "there were too few blocks",
        ),
        failed=_failed_trials(
            {case: [trial for blocks in both for trial in blocks.values()] for case, both in variants.items()}
        ),
        is_complete=True,
        spoilt=sum(trial.outcome == "invalid" for blocks in by_case.values() for trial in blocks.values()),
        bounds=bound_verdicts(comparison, trials),
    )


def _successful_blocks(
    base: Mapping[int, Measurement], candidate: Mapping[int, Measurement]
) -> list[tuple[Measurement, Measurement]]:
    """Return both trials of each successful block."""
    shared = [(base[block], candidate[block]) for block in sorted(base.keys() & candidate.keys())]
    return [both for both in shared if all(trial.outcome == "ok" for trial in both)]


def _failed_trials(trials: Mapping[str, Sequence[Measurement]]) -> Mapping[str, tuple[Measurement, ...]]:
    """Return the trials that failed by their strategy's fault, by case; cases without any are left out."""
    failed = {
        case: tuple(trial for trial in each if trial.outcome not in {"ok", "invalid"})
        for case, each in trials.items()
    }
    return {case: each for case, each in failed.items() if each}


def _metric_verdicts(
    comparison: Comparison,
    successful: Mapping[str, Sequence[tuple[Measurement, Measurement]]],
    reason: Callable[[Question], str],
) -> tuple[MetricVerdict, ...]:
    """Judge each metric of each case by its successful blocks; the base comes first in each."""
    return tuple(
        _judge_metric(
            comparison,
            (case, metric),
            [
                (metric_value(base, metric), metric_value(candidate, metric))
                for base, candidate in successful[case]
            ],
            reason((case, metric)),
        )
        for case in comparison.margins
        for metric in comparison.metrics
    )


def _judge_metric(
    comparison: Comparison,
    question: Question,
    values: Sequence[tuple[float | None, float | None]],
    reason: str,
) -> MetricVerdict:
    """Judge one metric of one case; ``reason`` explains why it is undecided, if it is."""
    case, metric = question
    margin = comparison.margins[case]
    whole = [(base, candidate) for base, candidate in values if base is not None and candidate is not None]
    differences = [math.log(candidate) - math.log(base) for base, candidate in whole]
    metrics = len(comparison.margins) * len(comparison.metrics)
    found = decide_so_far(differences, metrics, replace(rule_of(comparison), margin=margin))
    blocks = 0 if found is None else found.blocks
    repeats = comparison.repeats.get(case, 1) if metric in SUMMED else 1
    verdict = None if found is None else found.verdict
    if verdict is None:
        why = reason if whole or not values else _UNMEASURED
    else:
        why = f"{blocks} blocks were not enough" if verdict == "inconclusive" else ""
    return MetricVerdict(
        case=case,
        metric=metric,
        verdict=verdict or "inconclusive",
        ratio=None if found is None else found.ratio,
        blocks=blocks,
        margin=margin,
        base=median(base for base, _ in whole[:blocks]) / repeats if blocks else None,
        candidate=median(candidate for _, candidate in whole[:blocks]) / repeats if blocks else None,
        why=why,
    )


def _pair_trials(comparison: Comparison, trials: Sequence[Measurement]) -> Iterator[tuple[str, PairedTrial]]:
    """Yield the trials of a comparison two by two, each pair with its case."""
    for one, other in zip(trials[::2], trials[1::2], strict=True):
        yield one.case.rpartition("@")[0], pair_trials(comparison, one, other)


def _reason(state: ComparisonState, question: Question) -> str:
    """Say why a metric is undecided."""
    if question in state.unmeasured:
        return _UNMEASURED
    stop = state.stops.get(question[0])
    return _REASONS[None if stop is None else stop.reason]


def overall_verdict(verdicts: Verdicts, *, misses: bool = False) -> Overall:
    """Sum up all verdicts; a proven regression comes before anything that is not known.

    Failed trials of the base do not count against the candidate; they leave verdicts inconclusive.

    Args:
        verdicts: of all metrics and bounds.
        misses: whether the candidate lacks a case that it should have.
    """
    metrics = {each.verdict for each in verdicts.metrics}
    bounds = {each.verdict for each in verdicts.bounds}
    if "slower" in metrics or "broken" in bounds or misses:
        return "regression"
    if verdicts.failures(verdicts.candidate):
        return "failed"
    if "inconclusive" in metrics or "open" in bounds or not verdicts.is_complete:
        return "inconclusive"
    return "passed"
