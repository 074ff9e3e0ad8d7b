"""The pytest plugin without pytest-benchmark's session: its timer, its words for ``run``, what it imports."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.app.execute import RunOptions
from bench.errors import ConfigError, ResourceError, UsageError
from bench.model.cases import Case, Experiment
from bench.pytest_plugin import measure
from bench.pytest_plugin.items import replay_timer
from bench.pytest_plugin.measure import Measured, lines_of, measure_cases
from bench.runner.processes.signals import Interrupted
from tests.builders import case

CASES = (case("threadpool_map"), case("threadpool_map", "urllib3"), case("sequential"))
EXPERIMENT = Experiment("x", CASES, {}, 2, None, 60, 10, 1)
ORDER = RunOptions("run", "x.yaml", ("--blocks", "1"), None, None, quiet=True)
LISTING = (
    "import sys, json, pytest; before = set(sys.modules); import bench.pytest_plugin.entry;"
    " print(json.dumps(sorted(set(sys.modules) - before)))"
)


def test_the_entry_imports_nothing_but_itself() -> None:
    """Whoever does not ask for it pays for three small files."""
    result = subprocess.run([sys.executable, "-c", LISTING], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == ["bench", "bench.pytest_plugin", "bench.pytest_plugin.entry"]


@given(st.lists(st.floats(min_value=1e-9, max_value=1e4)))
def test_the_timer_yields_each_duration_to_the_last_bit(durations_s: list[float]) -> None:
    """Between the two readings of each round; it says nothing more after that."""
    timer = replay_timer(durations_s)
    read = []
    for _ in durations_s:
        start_s = timer()
        read.append(timer() - start_s)
    assert read == durations_s
    with pytest.raises(StopIteration):
        timer()


@pytest.mark.parametrize(
    ("chosen", "options"),
    [
        (CASES, ()),
        (CASES[:2], ("--only", "threadpool_map/")),
        (CASES[:1], ("--only", "threadpool_map/requests/3/20ms")),
        (CASES[1:], ()),
    ],
)
def test_only_what_was_chosen_is_run_in_words_that_run_takes(
    monkeypatch: pytest.MonkeyPatch, chosen: tuple[Case, ...], options: tuple[str, ...]
) -> None:
    """``run --resume`` can go on with it then; where no pattern keeps just these cases, there is none."""
    asked: list[tuple[Experiment, RunOptions]] = []

    def carried_out(experiment: Experiment, _present: object, order: RunOptions) -> int:
        asked.append((experiment, order))
        return 0

    monkeypatch.setattr(measure, "execute_run", carried_out)
    measure_cases(EXPERIMENT, {each.id for each in CASES if each in chosen}, ORDER)
    ((experiment, order),) = asked
    assert experiment == replace(EXPERIMENT, cases=chosen)
    assert order == replace(ORDER, options=(*options, "--blocks", "1"))


@pytest.mark.parametrize(("code", "kind"), [(130, KeyboardInterrupt), (143, pytest.exit.Exception)])
def test_signals_become_what_pytest_knows(
    monkeypatch: pytest.MonkeyPatch, code: int, kind: type[BaseException]
) -> None:
    """Whether the run had begun, and was left in order, or had not."""

    def interrupted(*_: object) -> int:
        raise Interrupted(code - 128)

    for carried_out in (interrupted, lambda *_: code):
        monkeypatch.setattr(measure, "execute_run", carried_out)
        assert isinstance(measure_cases(EXPERIMENT, {CASES[0].id}, ORDER).signalled, kind)


def test_a_fault_is_every_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""

    def faulty(*_: object) -> int:
        raise UsageError("this is wrong", hint="do that")

    monkeypatch.setattr(measure, "execute_run", faulty)
    found = measure_cases(EXPERIMENT, {CASES[0].id}, ORDER)
    assert found == Measured(why=("this is wrong; do that",))
    assert found.of(CASES[0].id).faults == ("this is wrong; do that",)
    assert found.of(CASES[0].id).values_s == ()


def test_errors_have_a_line_for_each_problem() -> None:
    """Which no name from outside can break."""
    assert lines_of(ConfigError(("one\n", "two"))) == ("one�", "two")
    assert lines_of(ResourceError(("files", "memory"))) == ("files", "memory")
