"""``show``: print a stored run."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bench.app.case_patterns import select_case
from bench.app.comparison_output import print_comparison
from bench.app.output import program_name, stdout_console, write_stdout
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
from bench.report.picture import console_to_svg, recording_console
from bench.report.scaling_table import scaling_tables
from bench.report.table import Table
from bench.report.terminal import print_tables
from bench.stats.verdicts import run_verdicts
from bench.storage.atomic_write import replace_file
from bench.storage.output_check import check_output_file
from bench.storage.run_folder import load_run

_WRITERS: Final[Mapping[str, Callable[[Run], str]]] = {
    "markdown": to_markdown,
    "csv": to_csv,
    "json": to_json,
}


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
    type=click.Choice(["table", *_WRITERS]),
    default="table",
    show_default=True,
    help="Format of the output; markdown has every table, csv and json are of the whole run.",
)
@click.option("--svg", metavar="FILE", type=options.PATH, help="Also write what is printed as a picture.")
def show(  # noqa: PLR0913  one argument an option
    *, run: Path, against: str | None, scaling: bool, full: bool, form: str, svg: Path | None
) -> None:
    """Print a stored RUN: a folder, a name in results/runs, or `last`."""
    if svg is not None and form != "table":
        raise UsageError(f"--svg is a picture of the table, not of {form}", hint="leave out --format")
    stored = load_run(run)
    target = None if svg is None else check_output_file(svg, "--svg", makes_folder=False)
    console = stdout_console()
    recorder = recording_console(console.width)
    for each in (console,) if target is None else (console, recorder):
        if against is not None or scaling:
            _write_case_tables(list(_case_tables(stored, against, scaling=scaling)), form, each)
        elif form == "table":
            _print_tables(stored, str(run), each, full=full)
        else:
            write_stdout(_WRITERS[form](stored))
    if target is not None:
        words = ("show", str(run), *(("--against", against) if against is not None else ()))
        flags = (("--scaling", scaling), ("--full", full))
        title = shlex.join([*words, *(word for word, is_given in flags if is_given)])
        replace_file(target, console_to_svg(recorder, f"{program_name()} {title}"))


def _print_tables(stored: Run, name: str, console: Console, *, full: bool) -> None:
    if read_comparison(stored) is None:
        print_run(stored, name, console, full=full)
        return
    details = None if full else f"show {shlex.quote(name)} --full"
    verdicts, notes = run_verdicts(stored), tuple(variant_lines(stored))
    print_comparison(stored.name, verdicts, notes, console, details=details)


def _case_tables(stored: Run, against: str | None, *, scaling: bool) -> Iterator[Table]:
    if read_comparison(stored) is not None:
        raise UsageError(
            f"{stored.name} is a comparison, whose rounds differ in length", hint="print it with `compare`"
        )
    if against is not None:
        yield baseline_table(stored, select_case(stored.cases, against))
    if scaling:
        yield from scaling_tables(stored)


def _write_case_tables(tables: list[Table], form: str, console: Console) -> None:
    if form == "markdown":
        write_stdout(tables_to_markdown(tables))
    elif form == "table":
        print_tables(tables, console)
    else:
        raise UsageError(
            f"--against and --scaling cannot be written as {form}", hint="use --format table or markdown"
        )
