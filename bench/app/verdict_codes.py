"""From a stored contest to its verdicts, and from those to the exit code."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.model.comparison import Contest
    from bench.model.results import Run
    from bench.stats.bounds import BoundVerdict
    from bench.stats.ruling import Ruling
    from bench.stats.verdicts import Verdicts

CODES: "Final[Mapping[Ruling, int]]" = {"passed": 0, "regression": 1, "failed": 3, "inconclusive": 8}


def ruled(document: "Run", contest: "Contest | None" = None) -> "Verdicts":
    """Work out the verdicts of a run, on its own terms or on those of another contest of its variants.

    Raises:
        UsageError: the run is no contest, and none is given.
    """
    from bench.errors import UsageError
    from bench.stats.paired_verdicts import paired_verdicts
    from bench.stats.verdicts import verdicts_of
    from bench.storage.contest import contest_of

    kept = contest_of(document)
    if kept is not None:
        return verdicts_of(contest or kept, document.trials, kept)
    if contest is None:
        raise UsageError(f"{document.name} is no contest of two variants", hint="measure one with `ab`")
    return paired_verdicts(contest, document.trials)


def bounded(document: "Run", contest: "Contest | None" = None) -> "tuple[BoundVerdict, ...]":
    """Hold the candidate against the bounds of a contest, or of the one that a run is; none has none."""
    from bench.stats.bounds import bound_verdicts
    from bench.storage.contest import contest_of

    kept = contest or contest_of(document)
    return () if kept is None else bound_verdicts(kept, document.trials)
