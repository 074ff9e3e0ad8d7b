"""From ``RUN`` and ``RUN@VARIANT`` to the cases and trials that are meant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import UsageError
from bench.model.cases import Case
from bench.model.comparison import DEFAULT_MARGIN, DEFAULT_METRICS, Comparison
from bench.model.results import Run
from bench.model.stored_comparison import read_comparison
from bench.stats.comparability import workload_digests
from bench.storage.run_folder import load_run


@dataclass(frozen=True, slots=True)
class SelectedCases:
    """One side of a comparison.

    Attributes:
        variant: empty for a run that has none.
    """

    run: Run
    variant: str

    @property
    def name(self) -> str:
        """Name it as it is addressed."""
        return f"{self.run.name}@{self.variant}" if self.variant else self.run.name

    @property
    def cases(self) -> tuple[Case, ...]:
        """Its cases."""
        return tuple(case for case in self.run.cases if case.variant == self.variant)

    @property
    def digests(self) -> Mapping[str, str]:
        """What is kept of its strategies' files."""
        return workload_digests(self.run)


def select_run(address: str) -> SelectedCases:
    """Load the run, and check that it has the variant.

    Raises:
        UsageError: there is no such run, or it has no such variant, or several of which none is named.
    """
    name, _, variant = address.partition("@")
    run = load_run(Path(name))
    variants = [*dict.fromkeys(case.variant for case in run.cases)]
    if variant not in variants:
        choice = ", ".join(f"{name}@{each}" for each in variants if each) or name
        what = f"has no variant {variant!r}" if variant else "has several variants"
        raise UsageError(f"{run.name} {what}", hint=f"there are {choice}")
    return SelectedCases(run, variant)


def both_variants(address: str) -> tuple[SelectedCases, SelectedCases]:
    """Load a contest, and return its base and its candidate.

    Raises:
        UsageError: it is no contest.
    """
    run = load_run(Path(address))
    contest = read_comparison(run)
    if contest is None:
        raise UsageError(f"{run.name} is no contest of two variants", hint="name a second run beside it")
    return SelectedCases(run, contest.base), SelectedCases(run, contest.candidate)


def comparison_between(first: SelectedCases, second: SelectedCases, margin: float | None) -> Comparison:
    """Return what decides between two variants of one run.

    A contest keeps its terms, and may be looked at from its other side; of other runs all blocks count.
    """
    if first.variant == second.variant:
        raise UsageError(f"{first.name} is compared with itself", hint="name two variants of the run")
    kept = read_comparison(first.run)
    if kept is not None:
        margins = kept.margins if margin is None else dict.fromkeys(kept.margins, margin)
        return replace(kept, base=first.variant, candidate=second.variant, margins=margins)
    shared = {case.plain_id for case in first.cases} & {case.plain_id for case in second.cases}
    return Comparison(
        base=first.variant,
        candidate=second.variant,
        metrics=DEFAULT_METRICS,
        margins={
            case.plain_id: DEFAULT_MARGIN if margin is None else margin
            for case in first.cases
            if case.plain_id in shared
        },
        budget_s=float("inf"),
    )
