"""Check the candidate of a comparison against the absolute thresholds (bounds) of its config.

Method: the 95 % interval of the median over blocks (`intervals`) is compared with the bound; errors are
counted and need no interval. The base plays no part, so neither does the margin. Used by `verdicts`, and by
`offered_rates` for runs with several rates.
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from statistics import fmean
from typing import Final, Literal, TypeAlias

from bench.model.comparison import Bound, BoundedFigure, Comparison, Relation
from bench.model.results import Measurement
from bench.stats.case_summary import count_errors, mean_ideal_s
from bench.stats.intervals import Interval, median_interval
from bench.stats.metrics import SUMMED, metric_value

BoundStatus: TypeAlias = Literal["kept", "broken", "open"]
"""Whether the candidate keeps a bound; *open* if the blocks cannot tell."""

_RELATIONS: Final[Mapping[Relation, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class BoundVerdict:
    """The verdict on one bound in one case.

    Attributes:
        case: id without a variant.
        found: median over blocks with its 95 % interval, in seconds, bytes or as a share; of ``errors`` the
            most in any block, between the fewest and the most. ``None`` if no block was measured.
        blocks: number of blocks that ``found`` rests on.
        repeats: how many times the config's countries were fetched in each call of an older run; ``found``
            is for one.
    """

    case: str
    bound: Bound
    verdict: BoundStatus
    found: Interval | None
    blocks: int
    repeats: int = 1


def bound_verdicts(comparison: Comparison, trials: Sequence[Measurement]) -> tuple[BoundVerdict, ...]:
    """Check the candidate's successful trials against each bound, in the order of cases, then of bounds.

    If a block was repeated, its last success counts.
    """
    good: dict[str, dict[int, Measurement]] = {case: {} for case in comparison.margins}
    for trial in trials:
        case, _, variant = trial.case.rpartition("@")
        if case in good and variant == comparison.candidate and trial.outcome == "ok" and trial.rounds:
            good[case][trial.block] = trial
    return tuple(
        check_bound(case, bound, [*blocks.values()], comparison.repeats.get(case, 1))
        for case, blocks in good.items()
        for bound in comparison.bounds
        if fnmatchcase(case, bound.pattern)
    )


def bound_status(bound: Bound, interval: Interval) -> BoundStatus:
    """Return *kept* if a bound holds for the whole interval, *broken* if for none of it."""
    low, high = interval.low, interval.high
    if low is None or high is None:
        return "open"
    holds = _RELATIONS[bound.relation]
    if holds(low, bound.value) and holds(high, bound.value):
        return "kept"
    if bound.relation == "==":
        return "open" if low <= bound.value <= high else "broken"
    return "open" if holds(low, bound.value) or holds(high, bound.value) else "broken"


def check_bound(case: str, bound: Bound, good: Sequence[Measurement], repeats: int = 1) -> BoundVerdict:
    """Check the successful trials of a case, one of each block, against a bound."""
    values = [*_block_values(good, bound.figure, repeats)]
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


def _block_values(good: Sequence[Measurement], figure: BoundedFigure, repeats: int) -> Iterator[float]:
    """Yield the figure of each block, for as many fetches as a round has by the config."""
    for trial in good:
        if figure == "errors":
            yield float(max(math.ceil(count_errors(each) / each.calls / repeats) for each in trial.rounds))
        elif figure == "efficiency":
            elapsed_s, ideal_s = (
                fmean(round_.elapsed_s for round_ in trial.rounds),
                mean_ideal_s(trial.rounds),
            )
            if ideal_s is not None:
                yield ideal_s / elapsed_s
        elif (value := metric_value(trial, figure)) is not None:
            yield value / repeats if figure in SUMMED else value
