"""Compare the times of two stored runs without verdicts. Used by ``compare``, reports and notebooks."""

from dataclasses import dataclass

from bench.report.comparison_table import descriptive_table
from bench.report.html.fragment import tables_to_html
from bench.report.table import Table
from bench.stats.comparability import (
    CaseMatching,
    DescribedCase,
    SelectedCases,
    describe_cases,
    incomparable_reasons,
    is_same_session,
    match_cases,
)


@dataclass(frozen=True, slots=True)
class RunRatios:
    """The ratios of the cases that two runs share; a notebook shows them as a table.

    Attributes:
        names: of both runs.
        cases: medians over blocks, in seconds, and ratios; a case that succeeded in one run only is left out.
        matching: which cases both have, and which only one.
        reasons: why there are no verdicts.
        are_paired: whether both were measured in the same blocks, as two variants of one run are.
    """

    names: tuple[str, str]
    cases: tuple[DescribedCase, ...]
    matching: CaseMatching
    reasons: tuple[str, ...]
    are_paired: bool

    @property
    def table(self) -> Table:
        """The table of medians and ratios."""
        return descriptive_table(
            self.names, self.cases, self.matching, self.reasons, are_paired=self.are_paired
        )

    def _repr_html_(self) -> str:
        return tables_to_html([self.table])


def ratios_between(first: SelectedCases, second: SelectedCases) -> RunRatios:
    """Return the ratios of the cases that two runs, or two variants, share."""
    matching = match_cases(first.cases, second.cases, (first.digests, second.digests))
    return RunRatios(
        names=(first.name, second.name),
        cases=tuple(describe_cases(first.run, second.run, (*matching.shared, *matching.renamed))),
        matching=matching,
        reasons=tuple(incomparable_reasons(first.run, second.run)) or ("none was asked for",),
        are_paired=is_same_session(first.run, second.run),
    )
