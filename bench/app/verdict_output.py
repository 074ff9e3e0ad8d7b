"""Print the verdicts of a comparison on the terminal. Used by every command that shows some."""

from collections.abc import Iterable, Sequence

from rich.console import Console

from bench.report.comparison_summary import comparison_summary
from bench.report.comparison_table import comparison_table
from bench.report.table import Table
from bench.report.terminal import print_tables
from bench.stats.verdicts import Verdicts


def print_comparison(
    title: str, verdicts: Verdicts, notes: Sequence[str], console: Console, *, details: str | None
) -> None:
    """Print the verdicts of a comparison.

    Args:
        title: names the run.
        verdicts: those of its cases, or of some of them.
        notes: lines on its variants and cases.
        console: the one for results.
        details: how to see every figure, for the end of the summary; None: print every figure now.
    """
    if details is None:
        tables: Iterable[Table] = [comparison_table(title, verdicts, notes)]
    else:
        tables = comparison_summary(title, verdicts, details, notes)
    print_tables(tables, console)
