"""Print a run on the terminal: its summary, or every table. Used by `run` and `show`."""

from rich.console import Console

from bench.app.output import how_to_show
from bench.model.results import Run
from bench.report.results_table import run_tables
from bench.report.summary_table import summary_tables
from bench.report.terminal import print_tables


def print_run(run: Run, name: str | None, console: Console, *, full: bool) -> None:
    """Print a run.

    Args:
        run: complete or not.
        name: the run as `show` takes it; None if it is not stored.
        console: the one for results.
        full: whether to print every table instead of the summary.
    """
    if full:
        print_tables(run_tables(run), console)
    else:
        print_tables(summary_tables(run, console.width, how_to_show(name)), console)
