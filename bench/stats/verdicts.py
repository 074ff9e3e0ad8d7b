"""What a contest comes to: a verdict on each metric of each case, worked out from the trials alone."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Literal, TypeAlias

from bench.model.comparison import Comparison, Metric
from bench.model.results import Measurement
from bench.stats.absolute_thresholds import BoundVerdict
from bench.stats.comparison_state import RULE, ComparisonState, Leave, PairedTrial, Question
from bench.stats.intervals import Interval
from bench.stats.metrics import SUMMED, metric_value
from bench.stats.retries import final_attempts
from bench.stats.sequential_test import Verdict, decide_so_far


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """What was found of one metric of one case.

    Attributes:
        case: without a variant.
        ratio: candidate ÷ base, with the bounds that were compared with the margin; ``None`` where no block
            was measured. Bounds are missing before the rule's first look.
        blocks: how many the verdict rests on.
        margin: the greatest change that is still *equivalent*, as a share.
        base: median over these blocks, in the metric's unit; ``None`` where there are none. Rounds that were
            repeated to be long enough count once: it is what the countries of the config take.
        candidate: the same of the other side.
        why: why there is no better verdict than *inconclusive*; empty if there is.
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
    """What was found of all.

    Attributes:
        base: the variant that is the measure of the other.
        candidate: the other.
        metrics: a line for each metric of each case, in the order of the cases.
        failed: the trials that failed by their own fault, by case without a variant.
        spoilt: how many blocks of all cases together were left out as the machine had spoilt them.
        vanished: cases that the base alone has, and ``new`` those of the candidate alone.
        is_complete: whether the contest came to its end; verdicts that were reached before are final.
    """

    base: str
    candidate: str
    metrics: tuple[MetricVerdict, ...]
    failed: Mapping[str, tuple[Measurement, ...]]
    is_complete: bool
    spoilt: int = 0
    vanished: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    def failures(self, side: str) -> Mapping[str, tuple[Measurement, ...]]:
        """Return the trials by which one of the sides failed, by case; a case that has none is left out."""
        own = {
            case: tuple(trial for trial in trials if trial.case.endswith(f"@{side}"))
            for case, trials in self.failed.items()
        }
        return {case: trials for case, trials in own.items() if trials}


def comparison_verdicts(
    contest: Comparison, trials: Sequence[Measurement], own: Comparison | None = None
) -> Verdicts:
    """Work out the verdicts from the trials of a contest, in the order in which they were run.

    Both trials of a duet stand next to each other. ``own`` is the contest that the trials were run for, where
    they are now judged by other terms.
    """
    tally = ComparisonState(contest.margins, own or contest)
    seen: dict[str, list[PairedTrial]] = {case: [] for case in contest.margins}
    for case, duet in paired_trials_of(contest, trials):
        seen[case].append(duet)
        tally.take(case, duet)
    return Verdicts(
        base=contest.base,
        candidate=contest.candidate,
        metrics=tuple(
            judge_metric(contest, (case, metric), _pairs(seen[case], metric), _why(tally, (case, metric)))
            for case in contest.margins
            for metric in contest.metrics
        ),
        failed={case: failed for case in seen if (failed := _failed(seen[case]))},
        is_complete=not tally.due,
        spoilt=sum(duet.is_final and duet.is_spoilt for each in seen.values() for duet in each),
        vanished=tuple(case for case, only in contest.alone.items() if only == contest.base),
        new=tuple(case for case, only in contest.alone.items() if only == contest.candidate),
    )


def judge_metric(
    contest: Comparison, question: Question, pairs: Sequence[tuple[float | None, float | None]], why: str
) -> MetricVerdict:
    """Judge one metric of one case by both sides' figures of each sound block, base first.

    ``why`` says why there is no verdict, if there is none.
    """
    case, metric = question
    margin = contest.margins[case]
    whole = [(base, candidate) for base, candidate in pairs if base is not None and candidate is not None]
    differences = [math.log(candidate) - math.log(base) for base, candidate in whole]
    metrics = len(contest.margins) * len(contest.metrics)
    found = decide_so_far(differences, metrics, replace(RULE, margin=margin))
    blocks = 0 if found is None else found.blocks
    once = contest.repeats.get(case, 1) if metric in SUMMED else 1
    verdict = None if found is None else found.verdict
    return MetricVerdict(
        case=case,
        metric=metric,
        verdict=verdict or "inconclusive",
        ratio=None if found is None else found.ratio,
        blocks=blocks,
        margin=margin,
        base=median(base for base, _ in whole[:blocks]) / once if blocks else None,
        candidate=median(candidate for _, candidate in whole[:blocks]) / once if blocks else None,
        why=_explained(verdict, blocks, why if whole or not pairs else "it was not measured"),
    )


def _explained(verdict: Verdict | None, blocks: int, why: str) -> str:
    """Say why there is no better verdict than *inconclusive*."""
    if verdict is None:
        return why
    return f"{blocks} blocks were not enough" if verdict == "inconclusive" else ""


def paired_trials_of(contest: Comparison, trials: Sequence[Measurement]) -> list[tuple[str, PairedTrial]]:
    """Put the trials of a contest together, two by two, with the case that they are of."""
    duets = []
    for one, other in zip(trials[::2], trials[1::2], strict=True):
        case, _, variant = one.case.rpartition("@")
        base, candidate = (one, other) if variant == contest.base else (other, one)
        duets.append((case, PairedTrial(base, candidate)))
    return duets


def _pairs(duets: Sequence[PairedTrial], metric: Metric) -> list[tuple[float | None, float | None]]:
    return [
        (metric_value(duet.base, metric), metric_value(duet.candidate, metric))
        for duet in duets
        if duet.is_sound
    ]


def _why(tally: ComparisonState, question: Question) -> str:
    """Say what kept a metric from being decided."""
    if question in tally.unmeasured:
        return "it was not measured"
    return _REASONS.get(tally.left.get(question[0]), "it was stopped early")


_REASONS: Final[Mapping[Leave | None, str]] = {
    "decided": "the contest had let the case go by its own terms",
    "given up": "its trials kept failing",
    "spoilt": "the machine kept spoiling its blocks",
    "budget": "the budget was spent",
}


def _failed(duets: Sequence[PairedTrial]) -> tuple[Measurement, ...]:
    """Return the trials by which a side failed."""
    blamed = [duet for duet in duets if duet.is_final and not duet.is_spoilt]
    trials = [trial for duet in blamed for trial in (duet.base, duet.candidate)]
    return tuple(trial for trial in trials if trial.outcome not in {"ok", "invalid"})


def paired_verdicts(contest: Comparison, trials: Sequence[Measurement]) -> Verdicts:
    """Look at the blocks of a finished run as often as the rule would have while it went on."""
    by_case: dict[str, dict[int, Measurement]] = {}
    for trial in final_attempts(trials):
        by_case.setdefault(trial.case, {})[trial.block] = trial
    failed = {case: _failed_side(contest, case, by_case) for case in contest.margins}
    return Verdicts(
        base=contest.base,
        candidate=contest.candidate,
        metrics=tuple(
            judge_metric(
                contest,
                (case, metric),
                [(metric_value(base, metric), metric_value(candidate, metric)) for base, candidate in shared],
                "there were too few blocks",
            )
            for case in contest.margins
            for shared in [_shared(contest, case, by_case)]
            for metric in contest.metrics
        ),
        failed={case: found for case, found in failed.items() if found},
        is_complete=True,
        spoilt=sum(trial.outcome == "invalid" for each in by_case.values() for trial in each.values()),
    )


def _shared(
    contest: Comparison, case: str, by_case: Mapping[str, Mapping[int, Measurement]]
) -> list[tuple[Measurement, Measurement]]:
    """Return both trials of each block in which both succeeded."""
    base, candidate = (by_case.get(side, {}) for side in _sides(contest, case))
    pairs = [(base[block], candidate[block]) for block in sorted(base.keys() & candidate.keys())]
    return [pair for pair in pairs if all(trial.outcome == "ok" for trial in pair)]


def _failed_side(
    contest: Comparison, case: str, by_case: Mapping[str, Mapping[int, Measurement]]
) -> tuple[Measurement, ...]:
    return tuple(
        trial
        for side in _sides(contest, case)
        for trial in by_case.get(side, {}).values()
        if trial.outcome not in {"ok", "invalid"}
    )


def _sides(contest: Comparison, case: str) -> tuple[str, str]:
    return f"{case}@{contest.base}", f"{case}@{contest.candidate}"


Overall: TypeAlias = Literal["passed", "regression", "failed", "inconclusive"]


def overall_verdict(
    verdicts: Verdicts, bounds: Iterable[BoundVerdict] = (), *, misses: bool = False
) -> Overall:
    """Weigh all that was found; what is proven comes before what is not known.

    Trials of the base that failed are no fault of the candidate's; what they kept from being known is open.

    Args:
        verdicts: of all metrics.
        bounds: how the candidate kept to each bound of its own.
        misses: whether the candidate has lost a case that it should have.
    """
    found = {each.verdict for each in verdicts.metrics}
    kept = {each.verdict for each in bounds}
    if "slower" in found or "broken" in kept or misses:
        return "regression"
    if verdicts.failures(verdicts.candidate):
        return "failed"
    if "inconclusive" in found or "open" in kept or not verdicts.is_complete:
        return "inconclusive"
    return "passed"
