"""From chosen cases to a stored run, and from that to what each item reports."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from os.path import commonprefix
from pathlib import Path
from signal import SIGINT

import pytest

from bench.app.execute import RunOptions, execute_run
from bench.app.select import select_cases
from bench.errors import BenchError, ConfigError, ResourceError
from bench.model.cases import Case, Experiment
from bench.model.results import Run
from bench.model.text import printable
from bench.pytest_plugin.items import CaseResult
from bench.report.export.csv import case_figures
from bench.report.export.markdown import to_markdown
from bench.report.failures import failure_lines
from bench.runner.processes.signals import Interrupted, handle_termination
from bench.stats.ranking import rankings
from bench.storage.run_folder import save_run


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of the run.

    Attributes:
        yields: by case.
        why: why there is nothing of the others, a line each.
        signalled: what is to be raised as the user or the system ended it; ``None`` if nobody did.
    """

    yields: Mapping[str, CaseResult] = field(default_factory=dict)
    why: tuple[str, ...] = ("it was not measured",)
    signalled: BaseException | None = None

    def of(self, case_id: str) -> CaseResult:
        """Return what the run yielded of a case."""
        return self.yields.get(case_id, CaseResult((), {}, self.why))


def measure_cases(experiment: Experiment, chosen: AbstractSet[str], order: RunOptions) -> Measured:
    """Run the chosen cases and keep the run below ``results/runs``, as ``run`` does.

    Args:
        experiment: with all cases of the config.
        chosen: ids of those that are to be run.
        order: says the same as the words of ``run`` would; which cases were chosen is added to it.
    """
    yields: dict[str, CaseResult] = {}

    def present(document: Run, folder: Path) -> int:
        save_run(folder, document, to_markdown(document))
        yields.update(_yields(document))
        return 0

    cases = tuple(case for case in experiment.cases if case.id in chosen)
    order = replace(order, options=(*_only(experiment.cases, cases), *order.options))
    try:
        with handle_termination():
            code = execute_run(replace(experiment, cases=cases), present, order)
    except BenchError as error:
        return Measured(why=lines_of(error))
    except Interrupted as interrupted:
        return Measured(signalled=_signalled(128 + interrupted.number))
    return Measured(yields, signalled=_signalled(code))


def lines_of(error: BenchError) -> tuple[str, ...]:
    """Return what an error says, a line each, as it can be shown."""
    if isinstance(error, ConfigError):
        lines = error.problems
    elif isinstance(error, ResourceError):
        lines = error.shortages
    else:
        lines = (str(error),)
    return tuple(printable(line) for line in lines)


def _yields(document: Run) -> Iterator[tuple[str, CaseResult]]:
    """Return what each case of a run reports, with its id."""
    for podium in rankings(document):
        lines = tuple(failure_lines(podium))
        for row in podium.rows:
            start = f"{printable(row.case.id)}: "
            faults = tuple(line for line in lines if line.startswith(start))
            values_s = tuple(row.sample.values())
            known = {name: value for name, value in case_figures(row).items() if value is not None}
            nothing = () if values_s or faults else (f"{start}no block of it was measured",)
            yield row.case.id, CaseResult(values_s, {"run": document.name, **known}, faults + nothing)


def _only(cases: tuple[Case, ...], chosen: tuple[Case, ...]) -> tuple[str, ...]:
    """Return the words by which ``run`` keeps the same cases, so that it can go on with this run.

    Where no pattern keeps just these, there are none; ``run`` then says that the cases are others.
    """
    start = commonprefix([case.id for case in chosen])  # noqa: RUF071  `--only` takes a part of a name
    is_some = len(chosen) < len(cases)
    return ("--only", start) if is_some and start and select_cases(cases, start) == chosen else ()


def _signalled(code: int) -> BaseException | None:
    """Return what pytest takes for the signal that ended a run with this exit code; ``None`` for none."""
    if code == 128 + SIGINT:
        return KeyboardInterrupt()
    return None if code == 0 else pytest.exit.Exception("flagbench was terminated", code)
