"""Whether the candidate of a contest keeps to the bounds that its config sets, whatever the base does."""

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from statistics import fmean
from typing import Final, Literal, TypeAlias

from bench.model.comparison import Bound, BoundedFigure, Comparison, Relation
from bench.model.results import Measurement
from bench.stats.case_summary import count_errors
from bench.stats.intervals import Interval, median_interval
from bench.stats.metrics import SUMMED, metric_value

BoundStatus: TypeAlias = Literal["kept", "broken", "open"]
"""Whether a bound holds as far as the blocks can tell; *open* is what they cannot."""

_RELATIONS: Final[Mapping[Relation, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class BoundVerdict:
    """How the candidate keeps to a bound in one case.

    Attributes:
        case: without a variant.
        found: the median over blocks with its 95 % bounds, in seconds, bytes or as a share; of ``errors``
            the most, and between how few and how many there were. ``None`` where no block was measured.
        blocks: how many it rests on.
        repeats: how many rounds of the config's length each of theirs was made of; ``found`` is of one.
    """

    case: str
    bound: Bound
    verdict: BoundStatus
    found: Interval | None
    blocks: int
    repeats: int = 1


def bound_verdicts(contest: Comparison, trials: Sequence[Measurement]) -> tuple[BoundVerdict, ...]:
    """Hold the candidate's successful trials against each bound, in the order of cases and then of bounds.

    Of a block that was tried again, the last success counts.
    """
    good: dict[str, dict[int, Measurement]] = {f"{case}@{contest.candidate}": {} for case in contest.margins}
    for trial in trials:
        if trial.case in good and trial.outcome == "ok" and trial.rounds:
            good[trial.case][trial.block] = trial
    blocks = {case: [*each.values()] for case, each in zip(contest.margins, good.values(), strict=True)}
    return tuple(
        _verdict(case, bound, blocks[case], contest.repeats.get(case, 1))
        for case in contest.margins
        for bound in contest.bounds
        if fnmatchcase(case, bound.pattern)
    )


def bound_status(bound: Bound, interval: Interval) -> BoundStatus:
    """Say whether a bound holds for all of an interval, or for nothing of it."""
    low, high = interval.low, interval.high
    if low is None or high is None:
        return "open"
    holds = _RELATIONS[bound.relation]
    if holds(low, bound.value) and holds(high, bound.value):
        return "kept"
    if bound.relation == "==":
        return "open" if low <= bound.value <= high else "broken"
    return "open" if holds(low, bound.value) or holds(high, bound.value) else "broken"


def _verdict(case: str, bound: Bound, good: Sequence[Measurement], repeats: int) -> BoundVerdict:
    values = [*_values(good, bound.figure, repeats)]
    if not values:
        return BoundVerdict(case, bound, "open", None, 0, repeats)
    if bound.figure == "errors":
        holds = all(_RELATIONS[bound.relation](value, bound.value) for value in values)
        verdict: BoundStatus = "kept" if holds else "broken"
        found = Interval(max(values), min(values), max(values))
    else:
        found = median_interval(values)
        verdict = bound_status(bound, found)
    return BoundVerdict(case, bound, verdict, found, len(values), repeats)


def _values(good: Sequence[Measurement], name: BoundedFigure, repeats: int) -> Iterator[float]:
    """Yield the figure of each block, of as many fetches as a round has by the config."""
    for trial in good:
        if name == "errors":
            yield float(math.ceil(max(count_errors(round_) for round_ in trial.rounds) / repeats))
        elif name == "efficiency":
            elapsed_s = fmean(round_.elapsed_s for round_ in trial.rounds)
            yield fmean(round_.ideal_s for round_ in trial.rounds) / elapsed_s
        elif (value := metric_value(trial, name)) is not None:
            yield value / repeats if name in SUMMED else value
