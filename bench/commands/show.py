"""``show``: print a stored run."""

import shlex
from pathlib import Path
from typing import Final

import click

from bench.app.output import stdout_console
from bench.app.views import ViewName, ViewOptions, load_view
from bench.commands import options
from bench.errors import UsageError
from bench.model.results import Run
from bench.model.stored_comparison import read_comparison
from bench.report.picture import console_to_svg, recording_console
from bench.storage.atomic_write import replace_file
from bench.storage.output_check import check_output_file
from bench.storage.run_folder import load_run
from bench.system.program_name import program_name

_FORMATS: Final = ("table", "markdown", "csv", "json")


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
    type=click.Choice(_FORMATS),
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
    wanted = ViewOptions(str(run), against, scaling, full, form)
    stored = load_run(run)
    target = None if svg is None else check_output_file(svg, "--svg", makes_folder=False)
    print_view = load_view(_choose_view(stored, wanted))
    console = stdout_console()
    print_view(stored, wanted, console)
    if target is not None:
        recorder = recording_console(console.width)
        print_view(stored, wanted, recorder)
        replace_file(target, console_to_svg(recorder, f"{program_name()} {_title(wanted)}"))


def _choose_view(stored: Run, wanted: ViewOptions) -> ViewName:
    if wanted.against is not None or wanted.scaling:
        return "cases"
    if wanted.form != "table":
        return "document"
    return "run" if read_comparison(stored) is None else "comparison"


def _title(wanted: ViewOptions) -> str:
    """Write the command that prints the picture, without the name of the program."""
    words = ("show", wanted.name, *(("--against", wanted.against) if wanted.against is not None else ()))
    flags = (("--scaling", wanted.scaling), ("--full", wanted.full))
    return shlex.join([*words, *(word for word, is_given in flags if is_given)])
