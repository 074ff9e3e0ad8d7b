"""Read the comparison and variants stored with a run. Used by statistics, reports and resuming."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench.errors import UnreadableResultError, UsageError
from bench.model.cases import Case
from bench.model.comparison import Comparison
from bench.model.json_codec import MalformedError, from_json_value
from bench.model.results import Run, RunHeader


def read_comparison(run: Run) -> Comparison | None:
    """Return the comparison that a run was measured for; return None for a plain run.

    Raises:
        UnreadableResultError: the stored comparison is malformed, or does not fit the run's cases.
    """
    stored = run.config.get("contest")
    if stored is None:
        return None
    try:
        comparison: Comparison = from_json_value(Comparison, stored, "contest")
    except MalformedError as error:
        raise UnreadableResultError(f"run {run.name}: {error.what}") from error
    variants = {case.variant for case in run.cases}
    cases = {case.plain_id for case in run.cases}
    if variants != {comparison.base, comparison.candidate} or cases != set(comparison.margins):
        raise UnreadableResultError(f"run {run.name}: its comparison does not fit its cases")
    if min((*comparison.repeats.values(), *comparison.calls.values()), default=1) < 1:
        raise UnreadableResultError(f"run {run.name}: the calls or repeats of a case are below 1")
    return comparison


def about_variant(run: Run, label: str) -> Mapping[str, Any]:
    """Return the stored facts about a variant: commit, interpreter, libraries; empty if there are none."""
    match run.config.get("variants"):
        case {**variants} if isinstance(about := variants.get(label), Mapping):
            return about
    return {}


def as_configured(case: Case, comparison: Comparison) -> Case:
    """Return a case as the config has it, without the repeats of older runs."""
    repeat = case.countries.repeat // comparison.repeats.get(case.plain_id, 1)
    return replace(case, countries=replace(case.countries, repeat=repeat))


def stored_calls(header: RunHeader, comparison: Comparison) -> Mapping[str, int]:
    """Return the calls in a round of each case when the run began.

    Raises:
        UsageError: it began with other cases, or without a comparison.
    """
    match header.config.get("contest"):
        case {"calls": Mapping() as calls} if calls.keys() == comparison.margins.keys():
            return {str(case): int(count) for case, count in calls.items()}
    raise UsageError(
        "the run did not begin with these cases", hint="resume it with the command that started it"
    )
