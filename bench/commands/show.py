"""``show``: print a stored run."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.model.results import Run
    from bench.report.table import ReportTable


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
    """Print a stored RUN: its folder, its name below results/runs, or `last`."""
    from bench.storage.comparison import comparison_of
    from bench.storage.run_folder import load

    stored = load(run)
    contest = comparison_of(stored)
    if contest is not None and (against is not None or scaling):
        raise UsageError(
            f"{stored.name} is a contest, whose rounds differ in length", hint="`compare` is for contests"
        )
    if contest is not None and form == "table":
        from bench.app.comparison_output import bound_verdicts_for_run, verdicts_for_run
        from bench.report.comparison_table import comparison_table, variant_lines

        sheet = comparison_table(
            stored.name, verdicts_for_run(stored), variant_lines(stored), bound_verdicts_for_run(stored)
        )
        _print_sheets([sheet], form)
    elif against is not None or scaling:
        _print_sheets(list(_sheets(stored, against, scaling=scaling)), form)
    elif form == "table":
        from bench.app.output import results
        from bench.report.results_table import print_run

        print_run(stored, results())
    else:
        from bench.app.output import emit
        from bench.report.export.registry import FORMATS

        emit(FORMATS[form](stored))


def _sheets(stored: "Run", against: str | None, *, scaling: bool) -> "Iterator[ReportTable]":
    """Work out what was asked for beside the table."""
    if against is not None:
        from bench.app.select import select_case
        from bench.report.baseline_table import baseline_table

        yield baseline_table(stored, select_case(stored.cases, against))
    if scaling:
        from bench.report.scaling_table import scaling_tables

        yield from scaling_tables(stored)


def _print_sheets(sheets: "list[ReportTable]", form: str) -> None:
    from bench.app.output import emit, results
    from bench.report.table import print_table, table_to_markdown

    if form == "markdown":
        emit("\n".join(map(table_to_markdown, sheets)))
    elif form == "table":
        console = results()
        for sheet in sheets:
            print_table(sheet, console)
    else:
        raise UsageError(f"comparisons are not written as {form}", hint="take --format table or markdown")
