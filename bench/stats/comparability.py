"""Whether stored trials of two variants can be compared at all, and if not, why."""

from collections.abc import Iterator, Sequence

from bench.model.results import Run
from bench.stats.block_order import block_order


def refusals(first: Run, second: Run) -> Iterator[str]:
    """Say what keeps the trials of two runs, or of one with itself, from being held against each other.

    Verdicts are for trials of the same blocks of the same session: identical code moves more between two
    sessions than most changes do (docs/statistics.md).
    """
    if (theirs := first.environment.get("fingerprint")) != second.environment.get(
        "fingerprint"
    ) or not theirs:
        yield "they were measured on different machines"
    if first.config.get("seed") != second.config.get("seed"):
        yield "they have different seeds, and so met different weather"
    elif first.config.get("sha256") != second.config.get("sha256"):
        yield "they have different configs"
    if not _is_same_session(first, second):
        yield "they are of different sessions"
    for run in dict.fromkeys((first.name, second.name)):
        each = first if run == first.name else second
        if each.status != "complete":
            yield f"{run} was stopped early"
        if is_of_fixed_order(each):
            yield f"the order within the blocks of {run} was not drawn from its seed, so drift takes sides"


def is_of_fixed_order(run: Run) -> bool:
    """Say whether which variant came first was decided by something else than the coins of the run's seed."""
    sides = _sides(run)
    seed = coins_of(run)
    if not isinstance(seed, int) or isinstance(seed, bool):
        return True
    places = {(trial.case, trial.block): trial.position for trial in run.trials}
    for block in {trial.block for trial in run.trials}:
        for ids in sides:
            present = [each for each in ids if (each, block) in places]
            drawn = [each for each in block_order(ids, seed, block) if each in present]
            if sorted(present, key=lambda each: places[each, block]) != drawn:
                return True
    return False


def coins_of(run: Run) -> object:
    """Return what drew who goes first: the coins of a contest, else the seed of the order of the blocks."""
    match run.config.get("contest"):
        case {"coins": coins}:
            return coins
    return run.config.get("seed")


def _sides(run: Run) -> Sequence[Sequence[str]]:
    """Return the ids of the variants of each case."""
    return [
        [case.id for case in run.cases if case.plain_id == plain]
        for plain in dict.fromkeys(case.plain_id for case in run.cases)
    ]


def _is_same_session(first: Run, second: Run) -> bool:
    return (first.started, first.name, first.trials) == (second.started, second.name, second.trials)
