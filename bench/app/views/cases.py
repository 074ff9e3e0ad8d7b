"""View of the cases of a run: each against one of them, or with more and with fewer workers."""

from collections.abc import Iterator

from rich.console import Console

from bench.app.case_patterns import select_case
from bench.app.output import write_stdout
from bench.app.views import ViewOptions
from bench.errors import UsageError
from bench.model.results import Run
from bench.model.stored_comparison import read_comparison
from bench.report.baseline_table import baseline_table
from bench.report.markdown import tables_to_markdown
from bench.report.scaling_table import scaling_tables
from bench.report.table import Table
from bench.report.terminal import print_tables


def print_view(stored: Run, options: ViewOptions, console: Console) -> None:
    """Print the tables that `--against` and `--scaling` ask for.

    Raises:
        UsageError: the run is a comparison, no such case is in it, or there is no such format.
    """
    tables = list(_case_tables(stored, options))
    if options.form == "markdown":
        write_stdout(tables_to_markdown(tables))
    elif options.form == "table":
        print_tables(tables, console)
    else:
        raise UsageError(
            f"--against and --scaling cannot be written as {options.form}",
            hint="use --format table or markdown",
        )


def _case_tables(stored: Run, options: ViewOptions) -> Iterator[Table]:
    if read_comparison(stored) is not None:
        raise UsageError(
            f"{stored.name} is a comparison, whose rounds differ in length", hint="print it with `compare`"
        )
    if options.against is not None:
        yield baseline_table(stored, select_case(stored.cases, options.against))
    if options.scaling:
        yield from scaling_tables(stored)
