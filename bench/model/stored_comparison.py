"""What decided between the two sides of a run, as it is stored, and what its cases were before."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench.errors import UnreadableResultError, UsageError
from bench.model.cases import Case
from bench.model.comparison import Comparison
from bench.model.json_codec import MalformedError, from_json_value
from bench.model.results import Run, RunHeader


def read_comparison(run: Run) -> Comparison | None:
    """Return the contest of a run; ``None`` if it was none.

    Raises:
        UnreadableResultError: what is kept of it is no contest, or not that of its cases.
    """
    kept = run.config.get("contest")
    if kept is None:
        return None
    try:
        contest: Comparison = from_json_value(Comparison, kept, "contest")
    except MalformedError as error:
        raise UnreadableResultError(f"run {run.name}: {error.what}") from error
    variants = {case.variant for case in run.cases}
    if variants != {contest.base, contest.candidate} or {case.plain_id for case in run.cases} != set(
        contest.margins
    ):
        raise UnreadableResultError(f"run {run.name}: its contest is not of its cases")
    if min(contest.repeats.values(), default=1) < 1:
        raise UnreadableResultError(f"run {run.name}: rounds that are repeated less than once")
    return contest


def about_variant(run: Run, side: str) -> Mapping[str, Any]:
    """Return what is kept of a variant: commit, interpreter, libraries; nothing if nothing is."""
    match run.config.get("variants"):
        case {**sides} if isinstance(about := sides.get(side), Mapping):
            return about
    return {}


def as_configured(case: Case, contest: Comparison) -> Case:
    """Return a case of a contest as the config has it; how long rounds must be is found out on the spot."""
    repeat = case.countries.repeat // contest.repeats.get(case.plain_id, 1)
    return replace(case, countries=replace(case.countries, repeat=repeat))


def stored_repeats(beginning: RunHeader, contest: Comparison) -> Mapping[str, int]:
    """Return how long the rounds of each case of this contest were made when it began.

    Raises:
        UsageError: it began with other cases, or was no contest.
    """
    match beginning.config.get("contest"):
        case {"repeats": Mapping() as repeats} if repeats.keys() == contest.margins.keys():
            return {str(case): int(factor) for case, factor in repeats.items()}
    raise UsageError(
        "the run did not begin with these cases", hint="resume it with the command that began it"
    )
