"""``show``: print a stored run."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.model.results import Run
    from bench.report.sheet import Sheet


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
    from bench.storage.contest import contest_of
    from bench.storage.folder import load

    stored = load(run)
    contest = contest_of(stored)
    if contest is not None and (against is not None or scaling):
        raise UsageError(
            f"{stored.name} is a contest, whose rounds differ in length", hint="`compare` is for contests"
        )
    if contest is not None and form == "table":
        from bench.app.verdict_codes import bounded, ruled
        from bench.report.contest import contest_sheet
        from bench.report.sides import side_lines

        sheet = contest_sheet(stored.name, ruled(stored), side_lines(stored), bounded(stored))
        _print_sheets([sheet], form)
    elif against is not None or scaling:
        _print_sheets(list(_sheets(stored, against, scaling=scaling)), form)
    elif form == "table":
        from bench.app.output import results
        from bench.report.table import print_run

        print_run(stored, results())
    else:
        from bench.app.output import emit
        from bench.report.export.formats import FORMATS

        emit(FORMATS[form](stored))


def _sheets(stored: "Run", against: str | None, *, scaling: bool) -> "Iterator[Sheet]":
    """Work out what was asked for beside the table."""
    if against is not None:
        from bench.app.select import single
        from bench.report.against import against_sheet

        yield against_sheet(stored, single(stored.cases, against))
    if scaling:
        from bench.report.scaling import scaling_sheets

        yield from scaling_sheets(stored)


def _print_sheets(sheets: "list[Sheet]", form: str) -> None:
    from bench.app.output import emit, results
    from bench.report.sheet import print_sheet, sheet_to_markdown

    if form == "markdown":
        emit("\n".join(map(sheet_to_markdown, sheets)))
    elif form == "table":
        console = results()
        for sheet in sheets:
            print_sheet(sheet, console)
    else:
        raise UsageError(f"comparisons are not written as {form}", hint="take --format table or markdown")
