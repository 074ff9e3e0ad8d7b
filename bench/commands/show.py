"""``show``: print a stored run."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from bench.app.case_patterns import select_case
from bench.app.comparison_output import print_comparison
from bench.app.output import stdout_console, write_stdout
from bench.app.run_output import print_run
from bench.commands import options
from bench.errors import UsageError
from bench.model.results import Run
from bench.model.stored_comparison import read_comparison
from bench.report.baseline_table import baseline_table
from bench.report.comparison_table import variant_lines
from bench.report.export.csv import to_csv
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown
from bench.report.markdown import tables_to_markdown
from bench.report.scaling_table import scaling_tables
from bench.report.table import Table
from bench.report.terminal import print_tables
from bench.stats.verdicts import run_verdicts
from bench.storage.run_folder import load_run


@click.command()
@click.argument("run", type=options.PATH)
@click.option(
    "--against", metavar="CASE", help="Compare each case with this one: its id, or a pattern of it."
)
@click.option(
    "--scaling",
    is_flag=True,
    help="Show the effect of more workers, and where one strategy overtakes another.",
)
@options.full
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="Format of the output; markdown has every table, csv and json are of the whole run.",
)
def show(*, run: Path, against: str | None, scaling: bool, full: bool, form: str) -> None:
    """Print a stored RUN: a folder, a name in results/runs, or `last`."""
    stored = load_run(run)
    is_comparison = read_comparison(stored) is not None
    if against is not None or scaling:
        if is_comparison:
            raise UsageError(
                f"{stored.name} is a comparison, whose rounds differ in length",
                hint="print it with `compare`",
            )
        _write_case_tables(list(_case_tables(stored, against, scaling=scaling)), form)
    elif form == "csv":
        write_stdout(to_csv(stored))
    elif form == "json":
        write_stdout(to_json(stored))
    elif form == "markdown":
        write_stdout(to_markdown(stored))
    elif is_comparison:
        details = None if full else f"show {shlex.quote(str(run))} --full"
        print_comparison(stored.name, run_verdicts(stored), tuple(variant_lines(stored)), details=details)
    else:
        print_run(stored, str(run), full=full)


def _case_tables(stored: Run, against: str | None, *, scaling: bool) -> Iterator[Table]:
    if against is not None:
        yield baseline_table(stored, select_case(stored.cases, against))
    if scaling:
        yield from scaling_tables(stored)


def _write_case_tables(tables: list[Table], form: str) -> None:
    if form == "markdown":
        write_stdout(tables_to_markdown(tables))
    elif form == "table":
        print_tables(tables, stdout_console())
    else:
        raise UsageError(
            f"--against and --scaling cannot be written as {form}", hint="use --format table or markdown"
        )
