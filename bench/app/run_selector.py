"""Parse ``RUN`` and ``RUN@VARIANT``, and choose the settings to compare them by. Used by ``compare``."""

from dataclasses import replace
from pathlib import Path

from bench.errors import UsageError
from bench.model.comparison import DEFAULT_MARGIN, DEFAULT_METRICS, Comparison
from bench.model.stored_comparison import read_comparison
from bench.stats.comparability import SelectedCases
from bench.storage.run_folder import load_run


def select_run(address: str) -> SelectedCases:
    """Load a ``RUN`` or ``RUN@VARIANT``.

    Raises:
        UsageError: there is no such run or variant, or the run has several and none is named.
    """
    name, _, variant = address.partition("@")
    run = load_run(Path(name))
    variants = [*dict.fromkeys(case.variant for case in run.cases)]
    if variant not in variants:
        choices = ", ".join(f"{name}@{each}" for each in variants if each) or name
        problem = f"has no variant {variant!r}" if variant else "has several variants"
        raise UsageError(f"{run.name} {problem}", hint=f"there are {choices}")
    return SelectedCases(run, variant)


def both_variants(address: str) -> tuple[SelectedCases, SelectedCases]:
    """Load a comparison, and return its base and its candidate.

    Raises:
        UsageError: the run is not a comparison.
    """
    run = load_run(Path(address))
    comparison = read_comparison(run)
    if comparison is None:
        raise UsageError(f"{run.name} is not a comparison of two variants", hint="name a second run")
    return SelectedCases(run, comparison.base), SelectedCases(run, comparison.candidate)


def comparison_between(first: SelectedCases, second: SelectedCases, margin: float | None) -> Comparison:
    """Return the settings for a comparison of two variants of one run.

    A stored comparison keeps its own, in either direction; for other runs all blocks count.

    Args:
        first: the base.
        second: the candidate.
        margin: slow-down that matters, as a share; None: as stored, or the default.

    Raises:
        UsageError: both are the same variant.
    """
    if first.variant == second.variant:
        raise UsageError(f"{first.name} is compared with itself", hint="name two variants of the run")
    stored = read_comparison(first.run)
    if stored is not None:
        margins = stored.margins if margin is None else dict.fromkeys(stored.margins, margin)
        return replace(stored, base=first.variant, candidate=second.variant, margins=margins)
    candidate_ids = {case.plain_id for case in second.cases}
    shared = [case.plain_id for case in first.cases if case.plain_id in candidate_ids]
    return Comparison(
        base=first.variant,
        candidate=second.variant,
        metrics=DEFAULT_METRICS,
        margins=dict.fromkeys(shared, DEFAULT_MARGIN if margin is None else margin),
        budget_s=float("inf"),
    )
