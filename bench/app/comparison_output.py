"""What becomes of a contest's verdicts: stored, printed, written for others, and an exit code."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.model.results import Run
    from bench.stats.bounds import BoundVerdict
    from bench.stats.ruling import Ruling
    from bench.stats.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where verdicts go beside the terminal, and what counts.

    Attributes:
        as_json: print JSON instead of a table.
        junit: a file for JUnit XML.
        github: whether a job summary and annotations are wanted.
        allow_missing: whether a case that only the base has is no failure.
    """

    as_json: bool = False
    junit: Path | None = None
    github: bool = False
    allow_missing: bool = True


def present(document: "Run", folder: Path, outputs: Outputs) -> int:
    """Store what is derived from the journal, tell of it, and return the exit code."""
    from bench.app.output import emit, remarks, results
    from bench.app.verdict_codes import CODES, bounded, ruled
    from bench.report.contest import contest_sheet
    from bench.report.export.verdicts_json import to_json
    from bench.report.sheet import print_sheet, sheet_to_markdown
    from bench.report.sides import side_lines
    from bench.stats.ruling import ruling_of
    from bench.storage.folder import save

    verdicts, bounds = ruled(document), bounded(document)
    misses = bool(verdicts.vanished) and not outputs.allow_missing
    ruling = ruling_of(verdicts, bounds, misses=misses)
    sheet = contest_sheet(document.name, verdicts, side_lines(document), bounds)
    save(folder, document, sheet_to_markdown(sheet))
    if outputs.as_json:
        emit(to_json(document.name, verdicts, bounds, ruling))
    else:
        print_sheet(sheet, results())
    if document.status == "complete":
        _tell_others(document, outputs, verdicts, bounds, ruling)
        remarks().print(f"{ruling} (exit code {CODES[ruling]})", soft_wrap=True)
    return CODES[ruling]


def _tell_others(
    document: "Run",
    outputs: Outputs,
    verdicts: "Verdicts",
    bounds: "Sequence[BoundVerdict]",
    ruling: "Ruling",
) -> None:
    """Write for CI; a file written half-way would change the very tree that `--resume` is to go on with."""
    from bench.app.output import emit, emit_error
    from bench.report.export.junit import to_junit
    from bench.report.github import annotations, job_summary
    from bench.report.sides import side_lines

    if outputs.allow_missing:
        verdicts = replace(verdicts, vanished=())
    if outputs.junit is not None:
        _write(outputs.junit, to_junit(document, allow_missing=outputs.allow_missing))
    if outputs.github:
        for line in annotations(verdicts, bounds):
            (emit_error if outputs.as_json else emit)(f"{line}\n")
        _summarise(job_summary(document.name, verdicts, ruling, bounds, side_lines(document)))


def _write(file: Path, text: str) -> None:
    """Write a file whole, and make its folder if there is none.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    from bench.storage.files import replace, unwritable

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace(file, text)
    except OSError as error:
        raise unwritable(file, error, len(text.encode())) from error


def _summarise(summary: str) -> None:
    """Add to the summary of a job, where GitHub names a file for it.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    from bench.storage.files import unwritable

    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    try:
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(summary)
    except OSError as error:
        raise unwritable(Path(file), error, len(summary.encode())) from error
