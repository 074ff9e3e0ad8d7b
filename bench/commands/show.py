"""``show``: print a stored run."""

from collections.abc import Iterator
from pathlib import Path

import rich_click as click

from bench.app.output import stdout_console, write_stdout
from bench.app.select import select_case
from bench.errors import UsageError
from bench.model.results import Run
from bench.model.stored_comparison import read_comparison
from bench.report.baseline_table import baseline_table
from bench.report.comparison_table import comparison_table, variant_lines
from bench.report.export.csv import to_csv
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown
from bench.report.markdown import tables_to_markdown
from bench.report.results_table import run_tables
from bench.report.scaling_table import scaling_tables
from bench.report.table import Table
from bench.report.terminal import print_tables
from bench.stats.verdicts import run_verdicts
from bench.storage.run_folder import load_run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--against", metavar="CASE", help="Each case against this one: its id, or a pattern of it.")
@click.option(
    "--scaling", is_flag=True, help="What more workers bring, and where one style overtakes another."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print it; csv and json are of the whole run.",
)
def show(*, run: Path, against: str | None, scaling: bool, form: str) -> None:
    """Print a stored RUN: a folder, a name in results/runs, or `last`."""
    stored = load_run(run)
    contest = read_comparison(stored)
    if contest is not None and (against is not None or scaling):
        raise UsageError(
            f"{stored.name} is a contest, whose rounds differ in length", hint="`compare` is for contests"
        )
    if against is not None or scaling:
        _write_comparisons(list(_comparisons(stored, against, scaling=scaling)), form)
    elif form == "csv":
        write_stdout(to_csv(stored))
    elif form == "json":
        write_stdout(to_json(stored))
    elif form == "markdown":
        write_stdout(to_markdown(stored))
    elif contest is not None:
        table = comparison_table(stored.name, run_verdicts(stored), variant_lines(stored))
        print_tables([table], stdout_console())
    else:
        print_tables(run_tables(stored), stdout_console())


def _comparisons(stored: Run, against: str | None, *, scaling: bool) -> Iterator[Table]:
    """Build the tables that compare cases of a run."""
    if against is not None:
        yield baseline_table(stored, select_case(stored.cases, against))
    if scaling:
        yield from scaling_tables(stored)


def _write_comparisons(tables: list[Table], form: str) -> None:
    if form == "markdown":
        write_stdout(tables_to_markdown(tables))
    elif form == "table":
        print_tables(tables, stdout_console())
    else:
        raise UsageError(f"comparisons are not written as {form}", hint="take --format table or markdown")
