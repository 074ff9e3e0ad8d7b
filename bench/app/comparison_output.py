"""Store a comparison, and write its verdicts for the terminal, JUnit and GitHub. Used by `ab` and `gate`."""

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.app.output import (
    OutputForm,
    how_to_show,
    optional_file,
    optional_stdout,
    print_note,
    saved,
    stdout_console,
    write_linked_file,
    write_stderr,
    write_stdout,
)
from bench.app.report_output import check_file_beside_run, check_report_file, write_report
from bench.app.verdict_output import print_comparison
from bench.config.loader import find_config
from bench.errors import EXIT_CODE_OF_VERDICT, ExitCode, UsageError
from bench.model.results import Run
from bench.report.comparison_table import comparison_table, missing_cases_reason, variant_lines
from bench.report.export.junit import to_junit
from bench.report.export.verdicts_json import verdicts_to_json
from bench.report.github import github_annotations, github_summary
from bench.report.gitlab import code_quality_report
from bench.report.markdown import tables_to_markdown
from bench.stats.verdicts import Overall, Verdicts, overall_verdict, run_verdicts
from bench.storage.output_check import check_appended_file
from bench.storage.run_folder import Destination, save_run
from bench.system.git import top_folder

_SUMMARY: Final = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, slots=True)
class Outputs:
    """Formats to write the verdicts in, beside the table on the terminal.

    Attributes:
        form: of what is printed.
        junit: file for JUnit XML.
        report: file for a report.
        github: write a job summary and annotations for GitHub Actions.
        summary: file for the same summary.
        code_quality: file for a code quality report of GitLab.
        config: the path of the config, to which that report links.
        allow_missing: a case that only the base has does not fail.
    """

    form: OutputForm = "summary"
    junit: Path | None = None
    report: Path | None = None
    github: bool = False
    summary: Path | None = None
    code_quality: Path | None = None
    config: str = ""
    allow_missing: bool = True


def check_outputs(outputs: Outputs, out: Path | None, resume: Path | None) -> None:
    """Check that all files can be written, before anything is built.

    Args:
        outputs: the files.
        out: the folder of a new run, if one is named.
        resume: the run to resume, if there is one.

    Raises:
        UsageError: a file is a folder, a device or a part of the run, its name is impossible, or two options
            name the same.
        SetupError: a file cannot be written.
    """
    destination = Destination(out, resume)
    checks = {
        "--junit": (outputs.junit, check_file_beside_run),
        "--summary": (outputs.summary, check_file_beside_run),
        "--code-quality": (outputs.code_quality, check_file_beside_run),
        "--report": (outputs.report, check_report_file),
    }
    options: dict[Path, str] = {}
    for option, (file, check) in checks.items():
        if file is None:
            continue
        if (other := options.setdefault(file.absolute(), option)) != option:
            raise UsageError(f"{option}: {file} is the file of {other}", hint="name another file")
        check(file, option, destination)
    if outputs.github and (summary := _summary_file()) is not None:
        check_appended_file(summary, _SUMMARY)


def present_comparison(document: Run, folder: Path, outputs: Outputs) -> ExitCode:
    """Store a comparison, write its verdicts in all formats, and return the exit code."""
    verdicts = run_verdicts(document)
    misses = verdicts.misses_cases and not outputs.allow_missing
    overall = overall_verdict(verdicts, misses=misses)
    exit_code = EXIT_CODE_OF_VERDICT[overall]
    notes = tuple(variant_lines(document))
    table = comparison_table(document.name, verdicts, notes)
    with saved(partial(save_run, folder, document, tables_to_markdown([table])), exit_code) as is_saved:
        with optional_stdout():
            if outputs.form == "json":
                write_stdout(verdicts_to_json(document.name, verdicts, overall))
            else:
                details = None if outputs.form == "full" else how_to_show(str(folder) if is_saved else None)
                print_comparison(document.name, verdicts, notes, stdout_console(), details=details)
        if document.status == "complete":  # a file more in the work tree would keep `--resume` from going on
            _write_for_ci(document, outputs, verdicts, overall)
            print_note(f"{overall} (exit code {exit_code}){_missing_cases_hint(verdicts) if misses else ''}")
            if outputs.report is not None:  # last, so that whatever goes wrong in it loses nothing else
                write_report([document], outputs.report)
    return exit_code


def _missing_cases_hint(verdicts: Verdicts) -> str:
    return f": {missing_cases_reason(verdicts)}; if that is intended, use --allow-missing"


def _write_for_ci(document: Run, outputs: Outputs, verdicts: Verdicts, overall: Overall) -> None:
    if outputs.allow_missing:
        verdicts = replace(verdicts, vanished=(), unknown_base="")
    if outputs.junit is not None:
        with optional_file(outputs.junit, "--junit"):
            write_linked_file(outputs.junit, to_junit(document, allow_missing=outputs.allow_missing))
    if outputs.code_quality is not None:
        with optional_file(outputs.code_quality, "--code-quality"):
            write_linked_file(
                outputs.code_quality, code_quality_report(verdicts, _path_in_repository(outputs.config))
            )
    if outputs.summary is not None:
        with optional_file(outputs.summary, "--summary"):
            write_linked_file(outputs.summary, _summarize(document, verdicts, overall))
    if outputs.github:
        with optional_stdout():
            for line in github_annotations(verdicts):
                (write_stderr if outputs.form == "json" else write_stdout)(f"{line}\n")
        if (file := _summary_file()) is not None:
            with optional_file(file, _SUMMARY):
                _append(file, _summarize(document, verdicts, overall))


def _summarize(document: Run, verdicts: Verdicts, overall: Overall) -> str:
    return github_summary(document.name, verdicts, overall, variant_lines(document))


def _path_in_repository(config: str) -> str:
    """Return the path of a config below the root of the repository, as GitLab links to it.

    A config elsewhere, such as a shipped one, has its name.
    """
    file = find_config(config).resolve()
    root = Path(top_folder() or ".").resolve()
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def _summary_file() -> Path | None:
    """Return the file of the job summary, if GitHub Actions names one."""
    name = os.environ.get(_SUMMARY)
    return Path(name) if name else None


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(text)
