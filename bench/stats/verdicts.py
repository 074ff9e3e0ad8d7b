"""What a contest comes to: a verdict on each metric of each case, worked out from the trials alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.contest import Contest, Metric
from bench.measurement import Measurement
from bench.stats.attempts import final_attempts
from bench.stats.contest import ContestTally, Duet, Leave, Question
from bench.stats.intervals import Interval
from bench.stats.metrics import SUMMED, figure
from bench.stats.sequential import Verdict


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
        failed: the trials that failed by their own fault, by case without a variant; of cases that were
            given up, those that the machine spoilt, too.
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


def verdicts_of(contest: Contest, trials: Sequence[Measurement]) -> Verdicts:
    """Work out the verdicts from the trials of a contest, in the order in which they were run.

    Both trials of a duet stand next to each other.
    """
    duets = duets_of(contest, trials)
    tally = ContestTally(contest.margins, contest)
    seen: dict[str, list[Duet]] = {case: [] for case in contest.margins}
    for case, duet in duets:
        seen[case].append(duet)
        if case in tally.due:
            tally.take(case, duet)
    return Verdicts(
        base=contest.base,
        candidate=contest.candidate,
        metrics=tuple(
            _metric_verdict(contest, tally, seen[case], (case, metric))
            for case in contest.margins
            for metric in contest.metrics
        ),
        failed={case: failed for case in seen if (failed := _failed(seen[case], tally.left.get(case)))},
        is_complete=not tally.due,
        spoilt=sum(duet.is_final and duet.is_spoilt for _, duet in duets),
        vanished=tuple(case for case, only in contest.alone.items() if only == contest.base),
        new=tuple(case for case, only in contest.alone.items() if only == contest.candidate),
    )


def duets_of(contest: Contest, trials: Sequence[Measurement]) -> list[tuple[str, Duet]]:
    """Put the trials of a contest together, two by two, with the case that they are of."""
    duets = []
    for one, other in zip(trials[::2], trials[1::2], strict=True):
        case, _, variant = one.case.rpartition("@")
        base, candidate = (one, other) if variant == contest.base else (other, one)
        duets.append((case, Duet(base, candidate)))
    return duets


def _metric_verdict(
    contest: Contest, tally: ContestTally, duets: Sequence[Duet], question: Question
) -> MetricVerdict:
    case, metric = question
    decision = tally.decisions.get(question)
    verdict = None if decision is None else decision.verdict
    blocks = 0 if decision is None else decision.blocks
    pairs = [(figure(duet.base, metric), figure(duet.candidate, metric)) for duet in duets if duet.is_sound]
    once = contest.repeats.get(case, 1) if metric in SUMMED else 1
    whole = [(base, candidate) for base, candidate in pairs if base is not None and candidate is not None]
    return MetricVerdict(
        case=case,
        metric=metric,
        verdict=verdict or "inconclusive",
        ratio=None if decision is None else decision.ratio,
        blocks=blocks,
        margin=contest.margins[case],
        base=median(base for base, _ in whole[:blocks]) / once if blocks else None,
        candidate=median(candidate for _, candidate in whole[:blocks]) / once if blocks else None,
        why="" if verdict else _why(tally, question),
    )


def _why(tally: ContestTally, question: Question) -> str:
    """Say what kept a metric from being decided."""
    if question in tally.unmeasured:
        return "it was not measured"
    return _REASONS.get(tally.left.get(question[0]), "it was stopped early")


_REASONS: Mapping[Leave | None, str] = {
    "given up": "its trials kept failing",
    "budget": "the budget was spent",
    "blocks": "too many of its blocks failed",
}


def _failed(duets: Sequence[Duet], left: Leave | None) -> tuple[Measurement, ...]:
    blamed = [duet for duet in duets if duet.is_final and (left == "given up" or not duet.is_spoilt)]
    trials = [trial for duet in blamed for trial in (duet.base, duet.candidate)]
    return tuple(trial for trial in final_attempts(trials) if trial.outcome != "ok")
