"""The line that says how busy the machine was."""

from dataclasses import replace

import pytest

from bench.model.results import Conditions, OtherProcesses, ProcessUse, Run
from bench.report.busy_machine import busy_machine_lines
from tests.builders import case, run_of, trials

LOOP = case("asyncio_gather")
OTHERS = OtherProcesses(10.0, (ProcessUse("web", 3.0), ProcessUse("\x1b[31mred", 1.0)), 0.8)
PINNED = {"pinning": {"server": [0], "worker": [1], "harness": [0]}}


def run_with(conditions: Conditions | None, others: OtherProcesses | None = OTHERS) -> Run:
    """Build a run of trials with one round of 0.1 s each."""
    measured = [replace(each, conditions=conditions) for each in trials(LOOP, [0.1] * 6)]
    return replace(run_of({LOOP: measured}), environment=PINNED, others=others)


@pytest.mark.parametrize("conditions", [None, Conditions(0.0, 0.0), Conditions(0.09, 0.04, idle=1.6)])
def test_a_quiet_machine_has_no_line(conditions: Conditions | None) -> None:
    assert list(busy_machine_lines(run_with(conditions))) == []


def test_line_names_cores_processes_and_the_share_of_waiting() -> None:
    found = Conditions(0.45, 0.0, idle=1.2, worker_waited_s=0.01, server_waited_s=0.002)
    (line,) = busy_machine_lines(run_with(found))
    assert line == (
        "Busy machine: other processes used 0.45 cores of CPUs 0 and 1 "
        "(web 30%, �[31mred 10%, ended processes 8%); "
        "the downloads waited about 12% of their time for a CPU. Intervals are wider for it."
    )


def test_full_use_of_all_cores_is_said() -> None:
    (line,) = busy_machine_lines(run_with(Conditions(1.4, 0.0, idle=0.05), None))
    assert line == (
        "Busy machine: other processes used 1.4 cores of CPUs 0 and 1, which were fully used. "
        "Intervals are wider for it."
    )


def test_waiting_is_at_most_what_others_used() -> None:
    """Threads wait for those of their own process, too."""
    (line,) = busy_machine_lines(run_with(Conditions(0.2, 0.0, 1.0, worker_waited_s=0.3)))
    assert "waited about 20% of their time" in line


def test_runs_before_waiting_was_measured_have_a_line_without_it() -> None:
    (line,) = busy_machine_lines(run_with(Conditions(0.45, 0.0), None))
    assert line == (
        "Busy machine: other processes used 0.45 cores of CPUs 0 and 1. Intervals are wider for it."
    )
