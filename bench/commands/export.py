"""``export``: a stored run in the format of another tool."""

import sys
from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from bench.app.output import stderr_console, write_stdout_bytes
from bench.errors import UsageError
from bench.model.text import join_or
from bench.report.export.registry import FORMATS, export_runs, export_warnings
from bench.report.export.run_metadata import with_commit
from bench.storage.atomic_write import write_atomically, write_error
from bench.storage.run_folder import load_run


@click.command()
@click.argument("runs", metavar="RUN...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--to",
    "form",
    type=click.Choice(list(FORMATS)),
    metavar="FORMAT",
    required=True,
    help=f"{join_or(FORMATS)}; docs/exports.md says what is in each.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="File to write, whole or not at all [stdout]."
)
@click.option("--commit", metavar="COMMIT", help="For otava: stands for the commit that RUN began on.")
def export(*, runs: Sequence[Path], form: str, out: Path | None, commit: str | None) -> None:
    """Write a stored RUN in the format of another tool.

    Only otava takes several runs, and writes a line for each.
    """
    _check(runs, form, commit)
    target = None if out is None else _target(out)
    loaded = [load_run(run) for run in runs]
    if commit is not None:
        loaded = [with_commit(run, commit) for run in loaded]
    content = export_runs(loaded, form)
    _write(content, target)
    for note in export_warnings(loaded, form):
        stderr_console().print(f"! {note}", soft_wrap=True)


def _check(runs: Sequence[Path], form: str, commit: str | None) -> None:
    if len(runs) > 1 and not FORMATS[form].is_series:
        raise UsageError(f"{form} takes one run, not {len(runs)}", hint="export them one by one")
    if commit is not None and form != "otava":
        raise UsageError(f"--commit means nothing to {form}", hint="leave it out")
    if commit is not None and len(runs) > 1:
        raise UsageError("--commit cannot be that of several runs", hint="leave it out, or export one run")


def _target(out: Path) -> Path:
    """Return the file that is to be written, links followed.

    Raises:
        UsageError: there is no folder for it, or something else than a file is there.
    """
    path = out.resolve()
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", hint="make it first, or name another file")
    if path.exists() and not path.is_file():
        raise UsageError(f"{out} is no file", hint="name a file, or leave -o out and redirect stdout")
    return path


def _write(content: str | bytes, target: Path | None) -> None:
    """Write to a file or to stdout, whose terminal only gets text.

    Raises:
        UsageError: it would get something else.
        EnvironmentFault: the file cannot be written; it is as it was.
    """
    whole = content.encode() if isinstance(content, str) else content
    if target is not None:
        try:
            write_atomically(target, whole)
        except OSError as error:
            raise write_error(target, error, len(whole)) from error
    elif isinstance(content, bytes) and sys.stdout.isatty():
        raise UsageError("this format is not for terminals", hint="name a file with -o, or redirect stdout")
    else:
        write_stdout_bytes(whole)
