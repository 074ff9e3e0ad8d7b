"""``report``: write stored runs as one page with charts, or one chart as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from bench.app.output import print_note, write_result, write_stdout
from bench.app.report_output import (
    PictureFormat,
    check_libraries,
    draw_chart,
    refuse_part_of_run,
    report_page,
)
from bench.commands import options
from bench.errors import UsageError
from bench.storage.atomic_write import replace_file
from bench.storage.output_check import check_output_file
from bench.storage.run_folder import document_path, load_run

_PAGE: Final = "report.html"
_MEGABYTE: Final = 1e6


@click.command()
@click.argument("runs", metavar="RUN...", type=options.PATH, nargs=-1, required=True)
@click.option("-o", "--out", type=options.PATH, help="File to write [report.html in the folder of RUN].")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "svg", "png"]),
    help="A page, or one chart as a picture [html; with --chart svg].",
)
@click.option("--chart", metavar="NAME", help="Only this chart; docs/report.md describes each [stdout].")
def report(*, runs: Sequence[Path], out: Path | None, form: str | None, chart: str | None) -> None:
    """Write a stored RUN as one page with charts, which needs no network.

    Several runs are laid over one another; of a comparison, the page has its verdicts.
    """
    form = form or ("html" if chart is None else "svg")
    check_libraries()
    if form == "html":
        if chart is not None:
            raise UsageError("--chart is one picture, and html a whole page", hint="use --format svg or png")
        _write_page(runs, out)
    else:
        if chart is None:
            raise UsageError(f"{form} is one chart", hint="name it with --chart, such as --chart elapsed")
        _write_chart(runs, out, chart, "svg" if form == "svg" else "png")


def _write_page(runs: Sequence[Path], out: Path | None) -> None:
    loaded = [load_run(run) for run in runs]
    folders = [document_path(run).parent for run in runs]
    file = out or folders[0] / _PAGE
    target = check_output_file(file, "--out", makes_folder=False)
    for folder in folders:
        refuse_part_of_run(target, folder.resolve(), "--out")
    page = report_page(loaded).encode()
    replace_file(target, page)
    print_note(f"wrote {len(page) / _MEGABYTE:.1f} MB; open in a browser:")
    write_stdout(f"{file}\n")


def _write_chart(runs: Sequence[Path], out: Path | None, chart: str, form: PictureFormat) -> None:
    target = None if out is None else check_output_file(out, "--out", makes_folder=False)
    write_result(draw_chart([load_run(run) for run in runs], chart, form), target)
