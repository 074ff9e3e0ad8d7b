"""``export``: write a stored run in the format of another tool."""

from collections.abc import Sequence
from pathlib import Path

import click

from bench.app.output import print_note, write_result
from bench.commands import options
from bench.errors import UsageError
from bench.model.text import join_or
from bench.report.export.registry import FORMATS, export_runs, export_warnings
from bench.report.export.run_metadata import with_commit
from bench.storage.output_check import check_output_file
from bench.storage.run_folder import load_run


@click.command()
@click.argument("runs", metavar="RUN...", type=options.PATH, nargs=-1, required=True)
@click.option(
    "--to",
    "form",
    type=click.Choice(list(FORMATS)),
    metavar="FORMAT",
    required=True,
    help=f"{join_or(FORMATS)}; docs/exports.md describes each.",
)
@click.option("-o", "--out", type=options.PATH, help="File to write, atomically [stdout].")
@click.option(
    "--commit", metavar="COMMIT", help="For otava: record this commit instead of the one that RUN began on."
)
def export(*, runs: Sequence[Path], form: str, out: Path | None, commit: str | None) -> None:
    """Write a stored RUN in the format of another tool.

    Only otava takes several runs, and writes a line for each.
    """
    _check_options(runs, form, commit)
    target = None if out is None else check_output_file(out, "--out", makes_folder=False)
    loaded = [load_run(run) for run in runs]
    if commit is not None:
        loaded = [with_commit(run, commit) for run in loaded]
    write_result(export_runs(loaded, form), target)
    for warning in export_warnings(loaded, form):
        print_note(f"! {warning}")


def _check_options(runs: Sequence[Path], form: str, commit: str | None) -> None:
    if len(runs) > 1 and not FORMATS[form].is_series:
        raise UsageError(f"{form} takes one run, not {len(runs)}", hint="export them one by one")
    if commit is not None and form != "otava":
        raise UsageError(f"--commit has no meaning for {form}", hint="leave it out")
    if commit is not None and len(runs) > 1:
        raise UsageError("--commit cannot stand for several runs", hint="leave it out, or export one run")
