"""From a stored contest to its verdicts, and from those to the exit code."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.app.output import stderr_console, stdout_console, write_stderr, write_stdout
from bench.model.results import Run
from bench.report.comparison_table import comparison_table, variant_lines
from bench.report.export.json import verdicts_to_json
from bench.report.export.junit import to_junit
from bench.report.github import github_annotations, github_summary
from bench.report.markdown import tables_to_markdown
from bench.report.terminal import print_tables
from bench.stats.verdicts import Overall, Verdicts, overall_verdict, run_verdicts
from bench.storage.atomic_write import write_atomically, write_error
from bench.storage.run_folder import save_run

CODES: Final[Mapping[Overall, int]] = {"passed": 0, "regression": 1, "failed": 3, "inconclusive": 8}


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


def present_comparison(document: Run, folder: Path, outputs: Outputs) -> int:
    """Store what is derived from the journal, tell of it, and return the exit code."""
    verdicts = run_verdicts(document)
    misses = bool(verdicts.vanished) and not outputs.allow_missing
    overall = overall_verdict(verdicts, misses=misses)
    table = comparison_table(document.name, verdicts, variant_lines(document))
    save_run(folder, document, tables_to_markdown([table]))
    if outputs.as_json:
        write_stdout(verdicts_to_json(document.name, verdicts, overall))
    else:
        print_tables([table], stdout_console())
    if document.status == "complete":
        _tell_others(document, outputs, verdicts, overall)
        stderr_console().print(f"{overall} (exit code {CODES[overall]})", soft_wrap=True)
    return CODES[overall]


def _tell_others(
    document: Run,
    outputs: Outputs,
    verdicts: Verdicts,
    overall: Overall,
) -> None:
    """Write for CI; a file written half-way would change the very tree that `--resume` is to go on with."""
    if outputs.allow_missing:
        verdicts = replace(verdicts, vanished=())
    if outputs.junit is not None:
        _write(outputs.junit, to_junit(document, allow_missing=outputs.allow_missing))
    if outputs.github:
        for line in github_annotations(verdicts):
            (write_stderr if outputs.as_json else write_stdout)(f"{line}\n")
        _summarise(github_summary(document.name, verdicts, overall, variant_lines(document)))


def _write(file: Path, text: str) -> None:
    """Write a file whole, and make its folder if there is none.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)
    except OSError as error:
        raise write_error(file, error, len(text.encode())) from error


def _summarise(summary: str) -> None:
    """Add to the summary of a job, where GitHub names a file for it.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    try:
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(summary)
    except OSError as error:
        raise write_error(Path(file), error, len(summary.encode())) from error
