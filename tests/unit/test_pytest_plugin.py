"""The pytest plugin without a session: its timer, its options for ``run``, its imports."""

import json
import subprocess
import sys
from dataclasses import replace
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.app.execute import CommandLine
from bench.errors import ConfigError, UsageError
from bench.model.cases import Case, Experiment
from bench.pytest_plugin import measure
from bench.pytest_plugin.items import replay_timer
from bench.pytest_plugin.measure import MeasuredCases, measure_cases, printable_lines
from bench.runner.processes.signals import Interrupted
from bench.storage.run_folder import Destination
from tests.builders import case

CASES = (case("threadpool_map"), case("threadpool_map", "urllib3"), case("sequential"))
EXPERIMENT = Experiment("x", CASES, {}, 2, None, 60, 10, 1)
ORDER = CommandLine("run", "x.yaml", ("--blocks", "1"))
LISTING = (
    "import sys, json, pytest; before = set(sys.modules); import bench.pytest_plugin.entry;"
    " print(json.dumps(sorted(set(sys.modules) - before)))"
)


def test_entry_imports_nothing_else_of_flagbench() -> None:
    """Every session of pytest loads it."""
    result = subprocess.run([sys.executable, "-c", LISTING], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == ["bench", "bench.pytest_plugin", "bench.pytest_plugin.entry"]


@given(st.lists(st.floats(min_value=1e-9, max_value=1e4)))
def test_timer_replays_each_duration_to_the_last_bit(durations_s: list[float]) -> None:
    timer = replay_timer(durations_s)
    read = []
    for _ in durations_s:
        start_s = timer()
        read.append(timer() - start_s)
    assert read == durations_s
    with pytest.raises(StopIteration):
        timer()


@pytest.mark.parametrize(
    ("selected", "options"),
    [
        (CASES, ()),
        (CASES[:2], ("--only", "threadpool_map/")),
        (CASES[:1], ("--only", "threadpool_map/requests/3/20ms")),
        (CASES[1:], ()),
    ],
)
def test_selected_cases_are_run_with_options_that_run_can_resume(
    monkeypatch: pytest.MonkeyPatch, selected: tuple[Case, ...], options: tuple[str, ...]
) -> None:
    """If no pattern selects just these cases, there is no option."""
    asked: list[tuple[Experiment, CommandLine]] = []

    def execute_run(
        experiment: Experiment, _present: object, order: CommandLine, place: Destination, *, quiet: bool
    ) -> int:
        assert (place, quiet) == (Destination(), True)
        asked.append((experiment, order))
        return 0

    monkeypatch.setattr(measure, "execute_run", execute_run)
    measure_cases(EXPERIMENT, {each.id for each in CASES if each in selected}, ORDER, quiet=True)
    ((experiment, order),) = asked
    assert experiment == replace(EXPERIMENT, cases=selected)
    assert order == replace(ORDER, options=(*options, "--blocks", "1"))


@pytest.mark.parametrize(("code", "kind"), [(130, KeyboardInterrupt), (143, pytest.exit.Exception)])
def test_signals_become_exceptions_of_pytest(
    monkeypatch: pytest.MonkeyPatch, code: int, kind: type[BaseException]
) -> None:
    """Before the run has begun, and after it has ended in order."""

    def interrupted(*_: object, **__: object) -> int:
        raise Interrupted(code - 128)

    for execute_run in (interrupted, lambda *_, **__: code):
        monkeypatch.setattr(measure, "execute_run", execute_run)
        assert isinstance(measure_cases(EXPERIMENT, {CASES[0].id}, ORDER, quiet=True).signal, kind)


def test_error_of_the_run_fails_every_item(monkeypatch: pytest.MonkeyPatch) -> None:
    error = UsageError("this is wrong", hint="do that")
    monkeypatch.setattr(measure, "execute_run", Mock(side_effect=error))
    measured = measure_cases(EXPERIMENT, {CASES[0].id}, ORDER, quiet=False)
    assert measured == MeasuredCases(problems=("this is wrong; do that",))
    assert measured.result_of(CASES[0].id).problems == ("this is wrong; do that",)
    assert measured.result_of(CASES[0].id).values_s == ()


def test_lines_of_an_error_are_printable() -> None:
    assert printable_lines(ConfigError(("one\n", "two"))) == ("one�", "two")
