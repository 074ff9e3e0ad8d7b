"""Measure the selected cases in one run, and turn it into the result of each item."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from os.path import commonprefix
from pathlib import Path
from signal import SIGINT

import pytest

from bench.app.case_patterns import select_cases
from bench.app.execute import CommandLine, execute_run
from bench.app.select import option_words
from bench.errors import BenchError, ExitCode
from bench.model.cases import Case, Experiment
from bench.model.results import Run
from bench.model.text import printable
from bench.pytest_plugin.items import CaseResult
from bench.report.export.case_rows import case_figures
from bench.report.export.markdown import to_markdown
from bench.report.failures import failure_lines
from bench.runner.processes.signals import Interrupted, handle_termination
from bench.stats.ranking import rankings
from bench.storage.run_folder import Destination, save_run


@dataclass(frozen=True, slots=True)
class MeasuredCases:
    """The results of a run.

    Attributes:
        results: by case id.
        problems: why the other cases have no result, one line each.
        signal: exception to raise if a signal ended the run; None: it ended by itself.
    """

    results: Mapping[str, CaseResult] = field(default_factory=dict)
    problems: tuple[str, ...] = ("it was not measured",)
    signal: BaseException | None = None

    def result_of(self, case_id: str) -> CaseResult:
        """Return the result of a case."""
        return self.results.get(case_id, CaseResult((), {}, self.problems))


def measure_cases(
    experiment: Experiment, selected: AbstractSet[str], command: CommandLine, *, quiet: bool
) -> MeasuredCases:
    """Run the selected cases, and store the run in ``results/runs`` as ``run`` does.

    Args:
        experiment: the config, with all of its cases.
        selected: ids of the cases to run.
        command: the words of ``run`` that would do the same; the selection is added here.
        quiet: whether to print no progress, but notes and warnings.
    """
    results: dict[str, CaseResult] = {}

    def present(document: Run, folder: Path) -> int:
        save_run(folder, document, to_markdown(document))
        results.update(_case_results(document))
        return ExitCode.OK

    cases = tuple(case for case in experiment.cases if case.id in selected)
    command = replace(command, options=(*_selection_words(experiment.cases, cases), *command.options))
    try:
        with handle_termination():
            code = execute_run(replace(experiment, cases=cases), present, command, Destination(), quiet=quiet)
    except BenchError as error:
        return MeasuredCases(problems=printable_lines(error))
    except Interrupted as interrupted:
        return MeasuredCases(signal=_signal_exception(128 + interrupted.number))
    return MeasuredCases(results, signal=_signal_exception(code))


def printable_lines(error: BenchError) -> tuple[str, ...]:
    """Return the lines of an error without characters that could disturb a terminal."""
    return tuple(map(printable, error.lines))


def _case_results(document: Run) -> Iterator[tuple[str, CaseResult]]:
    """Yield the id and result of each case of a run."""
    for ranking in rankings(document):
        lines = tuple(failure_lines(ranking))
        for row in ranking.rows:
            start = f"{printable(row.case.id)}: "
            problems = tuple(line for line in lines if line.startswith(start))
            values_s = tuple(row.sample.values())
            if not values_s and not problems:
                problems = (f"{start}no block of it was measured",)
            figures = {name: value for name, value in case_figures(row).items() if value is not None}
            yield row.case.id, CaseResult(values_s, {"run": document.name, **figures}, problems)


def _selection_words(cases: tuple[Case, ...], selected: tuple[Case, ...]) -> tuple[str, ...]:
    """Return the ``--only`` option for ``run --resume`` to select the same cases.

    If no pattern selects exactly these, return none; ``run`` then refuses to resume with other cases.
    """
    start = commonprefix([case.id for case in selected])  # noqa: RUF071  `--only` takes a part of a name
    is_pattern = len(selected) < len(cases) and start and select_cases(cases, start) == selected
    return option_words(only=start if is_pattern else None)


def _signal_exception(code: int) -> BaseException | None:
    """Return the exception that ends pytest like a signal ended a run; None for exit code 0."""
    if code == 128 + SIGINT:
        return KeyboardInterrupt()
    return None if code == ExitCode.OK else pytest.exit.Exception("flagbench was terminated", code)
