"""Check and write reports and single charts. Used by `report`, and by `--report` of run, ab and gate."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from bench.app.output import optional_file, print_note, write_linked_file
from bench.errors import BenchError, SetupError, UsageError
from bench.model.results import Run
from bench.storage.output_check import check_output_file
from bench.storage.run_folder import DOCUMENT, JOURNAL, LOCK, TABLE, Destination, journal_path
from bench.system.optional_dependencies import REPORT, missing_extra

PictureFormat: TypeAlias = Literal["svg", "png"]


def check_report_file(file: Path, option: str, destination: Destination) -> None:
    """Check before anything is measured that a report can be written.

    Raises:
        UsageError: the file is a folder, a device or a part of the run, or its name is impossible.
        SetupError: it cannot be written, or the libraries for reports are missing.
    """
    check_libraries()
    check_file_beside_run(file, option, destination)


def check_file_beside_run(file: Path, option: str, destination: Destination) -> None:
    """Check before anything is measured that a file can be written which is no part of the run.

    Raises:
        UsageError: the file is a folder, a device or a part of the run, or its name is impossible.
        SetupError: it cannot be written.
    """
    target = check_output_file(file, option)
    out, resume = destination.out, destination.resume
    folder = out if resume is None else journal_path(resume).parent
    if folder is not None:
        refuse_part_of_run(target, Path(os.path.realpath(folder)), option)


def check_libraries() -> None:
    """Check that reports can be made.

    Raises:
        SetupError: a library is missing.
    """
    missing = missing_extra(REPORT)
    if missing is not None:
        raise SetupError(f"a report {missing.what}", hint=missing.hint)


def refuse_part_of_run(target: Path, folder: Path, option: str) -> None:
    """Refuse a file that the run writes itself, or that would be a folder above it.

    Raises:
        UsageError: the file is one of these.
    """
    own = {folder / name for name in (DOCUMENT, JOURNAL, TABLE, LOCK)}
    if target in {folder, *folder.parents, *own}:
        raise UsageError(f"{option}: {target} is a part of the run in {folder}", hint="name another file")


def write_report(runs: Sequence[Run], file: Path) -> None:
    """Write the report of runs that were just measured; print a warning if that is impossible."""
    with optional_file(file, "--report"):
        try:
            page = report_page(runs)
        except BenchError as error:
            print_note(f"warning: --report: {file} was not written: {error}")
        else:
            write_linked_file(file, page)


def report_page(runs: Sequence[Run]) -> str:
    """Return the report of runs as a page.

    Raises:
        UsageError: a comparison cannot be laid over other runs.
    """
    # an optional dependency
    from bench.report.html.page import render_page

    return render_page(runs)


def draw_chart(runs: Sequence[Run], name: str, form: PictureFormat) -> str | bytes:
    """Return one chart of a report as a picture.

    Raises:
        UsageError: there is no chart of this name, or the runs have no data for it.
    """
    # an optional dependency
    from bench.report.html.picture import draw_picture
    from bench.report.html.registry import find_chart
    from bench.report.html.subject import read_subject

    subject = read_subject(runs)
    kind, drawing = find_chart(subject, name)
    return draw_picture(kind, drawing, " · ".join((*subject.roles, subject.facts)), form)
