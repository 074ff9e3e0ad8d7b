"""Stored runs for Python and notebooks: what ``bench.load_run`` returns."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from bench.errors import UsageError
from bench.model.cases import Case
from bench.model.results import Measurement, Run
from bench.model.stored_comparison import read_comparison
from bench.model.text import plural, printable
from bench.report.comparison_summary import comparison_summary
from bench.report.comparison_table import variant_lines
from bench.report.export.data_frame import Backend, FrameKind, to_frame
from bench.report.html.fragment import tables_to_html
from bench.report.run_ratios import RunRatios, ratios_between
from bench.report.summary_table import summary_tables
from bench.report.table import Table
from bench.stats.case_summary import CaseSummary
from bench.stats.comparability import SelectedCases
from bench.stats.ranking import Ranking, rankings
from bench.stats.verdicts import Verdicts, run_verdicts
from bench.storage import run_folder

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_WIDTH: Final = 80
"""Cells of a line on a terminal, for bars that HTML leaves out."""


@dataclass(frozen=True, repr=False)
class RunResults:
    """A stored run and what follows from it; a notebook shows its compact table.

    Times are in seconds, sizes in bytes, and None is what was not measured.

    Attributes:
        run: the stored document, with config and environment.
        source: the run as it was asked for.
    """

    run: Run
    source: str

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.run.name

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases, in the order of the config."""
        return self.run.cases

    @property
    def trials(self) -> tuple[Measurement, ...]:
        """All trials in the order of their end, failed and discarded ones included."""
        return self.run.trials

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        """The fastest case of each profile, and what each other case is against it."""
        return rankings(self.run)

    @property
    def summaries(self) -> tuple[CaseSummary, ...]:
        """The figures of each case with their intervals, profile by profile."""
        return tuple(row for ranking in self.rankings for row in ranking.rows)

    @cached_property
    def verdicts(self) -> Verdicts | None:
        """The verdicts of `ab` or `gate` on each metric of each case; None for other runs."""
        return None if read_comparison(self.run) is None else run_verdicts(self.run)

    @overload
    def frame(self, kind: FrameKind = ..., *, backend: Literal["pandas"]) -> "pd.DataFrame": ...
    @overload
    def frame(self, kind: FrameKind = ..., *, backend: Literal["polars"]) -> "pl.DataFrame": ...
    @overload
    def frame(self, kind: FrameKind = ..., *, backend: Backend | None = ...) -> Any: ...
    def frame(self, kind: FrameKind = "cases", *, backend: Backend | None = None) -> Any:
        """Return a table of the run as a data frame; missing values are missing, and never zero.

        Args:
            kind: ``cases``, a row for each case with the columns of ``export --to csv``; ``trials``, a row
                for each round with those of ``trials-csv``; ``fetches`` and ``requests``, a row for each of
                a call in some blocks, as client and server saw them; ``verdicts``, a row for each metric of
                each case of a comparison.
            backend: pandas or polars; None: whichever is installed, and pandas if both are.

        Raises:
            UsageError: there is no such kind or backend, or the run has nothing of it, such as verdicts.
            SetupError: the library is not installed.
            UnreadableResultError: a count does not fit into 64 bits, or stored fetches are damaged.
        """
        # known already: to rank a hundred cases takes seconds
        return to_frame(self.run, kind, backend, self.summaries if kind == "cases" else None)

    def compare(self, other: "RunResults") -> RunRatios:
        """Return the medians of both runs for each case, this one first; verdicts take `ab`.

        Raises:
            UsageError: one of the runs has several variants, as those of `ab`, `gate` and `noise`.
        """
        for each in (self, other):
            if any(case.variant for case in each.cases):
                raise UsageError(
                    f"{printable(each.name)} has several variants",
                    hint="name a run without any; a comparison has `verdicts` of its own",
                )
        return ratios_between(SelectedCases(self.run, ""), SelectedCases(other.run, ""))

    def __repr__(self) -> str:
        blocks = len({trial.block for trial in self.trials})
        facts = f"{plural(len(self.cases), 'case')}, {plural(blocks, 'block')}, {self.run.status}"
        return f"<RunResults {printable(self.name)}: {facts}>"

    def _repr_html_(self) -> str:
        return tables_to_html(self._summary())

    def _summary(self) -> Iterator[Table]:
        details = f"flagbench show {shlex.quote(self.source)} --full"
        if self.verdicts is None:
            return summary_tables(self.run, _WIDTH, details, self.rankings)
        return comparison_summary(self.name, self.verdicts, details, tuple(variant_lines(self.run)))


def load_run(run: str | PathLike[str]) -> RunResults:
    """Load a stored run; ``bench.load_run`` explains it."""
    source = fspath(run)
    return RunResults(run_folder.load_run(Path(source)), source)
