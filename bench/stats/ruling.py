"""What a contest comes to as a whole: one word, from which the exit code follows."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from bench.stats.bounds import BoundVerdict
from bench.stats.verdicts import Verdicts

Ruling: TypeAlias = Literal["passed", "regression", "failed", "inconclusive"]


def ruling_of(verdicts: Verdicts, bounds: Iterable[BoundVerdict] = (), *, misses: bool = False) -> Ruling:
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
