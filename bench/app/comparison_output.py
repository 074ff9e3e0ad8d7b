"""Work out the verdicts of a stored comparison, and write them for the terminal, JUnit and GitHub."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from bench.app.output import print_note, stdout_console, write_stderr, write_stdout
from bench.errors import EXIT_CODE_OF_VERDICT, ExitCode
from bench.model.results import Run
from bench.report.comparison_table import comparison_table, missing_cases_reason, variant_lines
from bench.report.export.json import verdicts_to_json
from bench.report.export.junit import to_junit
from bench.report.github import github_annotations, github_summary
from bench.report.markdown import tables_to_markdown
from bench.report.terminal import print_tables
from bench.stats.verdicts import Overall, Verdicts, overall_verdict, run_verdicts
from bench.storage.atomic_write import write_atomically, write_error
from bench.storage.run_folder import save_run


@dataclass(frozen=True, slots=True)
class Outputs:
    """Formats to write the verdicts in, beside the table on the terminal.

    Attributes:
        as_json: print JSON instead of the table.
        junit: file for JUnit XML.
        github: write a job summary and annotations for GitHub Actions.
        allow_missing: a case that only the base has does not fail.
    """

    as_json: bool = False
    junit: Path | None = None
    github: bool = False
    allow_missing: bool = True


def present_comparison(document: Run, folder: Path, outputs: Outputs) -> ExitCode:
    """Store a comparison, write its verdicts in all formats, and return the exit code."""
    verdicts = run_verdicts(document)
    misses = verdicts.misses_cases and not outputs.allow_missing
    overall = overall_verdict(verdicts, misses=misses)
    exit_code = EXIT_CODE_OF_VERDICT[overall]
    table = comparison_table(document.name, verdicts, variant_lines(document))
    save_run(folder, document, tables_to_markdown([table]))
    if outputs.as_json:
        write_stdout(verdicts_to_json(document.name, verdicts, overall))
    else:
        print_tables([table], stdout_console())
    if document.status == "complete":  # a file more in the work tree would keep `--resume` from going on
        _write_for_ci(document, outputs, verdicts, overall)
        print_note(f"{overall} (exit code {exit_code}){_missing_cases_hint(verdicts) if misses else ''}")
    return exit_code


def _missing_cases_hint(verdicts: Verdicts) -> str:
    return f": {missing_cases_reason(verdicts)}; if that is intended, use --allow-missing"


def _write_for_ci(document: Run, outputs: Outputs, verdicts: Verdicts, overall: Overall) -> None:
    if outputs.allow_missing:
        verdicts = replace(verdicts, vanished=(), unknown_base="")
    if outputs.junit is not None:
        _write_file(outputs.junit, to_junit(document, allow_missing=outputs.allow_missing))
    if outputs.github:
        for line in github_annotations(verdicts):
            (write_stderr if outputs.as_json else write_stdout)(f"{line}\n")
        _append_summary(github_summary(document.name, verdicts, overall, variant_lines(document)))


def _write_file(file: Path, text: str) -> None:
    """Write a file atomically, and create its folder if it is missing.

    Raises:
        SetupError: the file cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)
    except OSError as error:
        raise write_error(file, error, len(text.encode())) from error


def _append_summary(summary: str) -> None:
    """Append to the job summary if GitHub Actions names a file for it.

    Raises:
        SetupError: the file cannot be written.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    try:
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(summary)
    except OSError as error:
        raise write_error(Path(file), error, len(summary.encode())) from error
