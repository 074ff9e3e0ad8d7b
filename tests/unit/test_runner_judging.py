"""How a trial ended: what its strategy did comes first, and what the machine did last."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.model.cases import Experiment
from bench.model.served_trials import ObservedRound
from bench.runner.expected_round import Expectation
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.validate import Evidence, classify_trial
from bench.system.disturbance import Snapshot
from bench.worker.protocol import Report, TimedRound
from tests.builders import case, round_of, witness

FILE = Path("mine.py")
EXPERIMENT = Experiment("x", (case(),), {}, 1, 1, 60.0, 10.0, 1)
TIMED = TimedRound(0.5, {"ok": 3}, 3, ())
GOOD = WorkerExit(
    started_s=10.0,
    report=Report("ok", "", 10.1, 10.2, (TIMED, TIMED)),
    status=0,
    in_time=True,
    nonsense="",
    words=(),
    processes_left=0,
    ended_s=12.0,
)
KILLED = replace(GOOD, report=None, status=-9)
SEEN = ObservedRound(witness(), 100.0, 100.1, 3, 0.6, 0.0, 0.01, arriving_s=0.4)
BEFORE = Snapshot(100.0, 1e9, 100.0, 50.0, 1.0, 200.0, 20.0, 3, 7, oom_kills=5)
CALM = replace(BEFORE, at_s=101.0, wall_s=1e9 + 1, boot_s=101.0, idle_s=201.5)
EVIDENCE = Evidence(GOOD, {0: SEEN, 1: SEEN}, Expectation(0.02, 0.06, 3, {"ok": 3}, {}), (), 0, BEFORE, CALM)


def said_of(evidence: Evidence, experiment: Experiment = EXPERIMENT) -> str:
    """Judge a trial, in one word and one line."""
    report = evidence.ending.report
    rounds = [round_of(0.5) for _ in report.rounds[1:]] if report else []
    return ": ".join(classify_trial(evidence, experiment, FILE, rounds))


def test_a_trial_without_fault_is_ok() -> None:
    """And there is nothing to say."""
    assert said_of(EVIDENCE) == "ok: "


def test_each_fault_hides_those_that_weigh_less() -> None:
    """Added one after the other, from the lightest to the gravest."""
    evidence = replace(EVIDENCE, after=replace(CALM, swapped=8))
    assert said_of(evidence) == "invalid: memory was swapped: 1 pages"
    assert said_of(evidence, replace(EXPERIMENT, disturbed="keep")) == "ok: memory was swapped: 1 pages"
    evidence = replace(evidence, seen={0: SEEN})
    assert said_of(evidence) == "missing: the server saw 0 requests for 3 fetches"
    evidence = replace(evidence, seen={0: replace(SEEN, arriving_s=0.6)})
    assert said_of(evidence).startswith("error: a round is said to have taken 0.500000 s, but its requests")
    report = Report("ok", "", 10.1, 10.2, (TIMED,))
    evidence = replace(evidence, ending=replace(GOOD, report=report))
    assert said_of(evidence) == "error: reported no timed round"
    evidence = replace(evidence, ending=replace(GOOD, report=replace(report, outcome="corrupt", detail="x")))
    assert said_of(evidence) == "corrupt: x"
    evidence = replace(evidence, escaped=("reference/br.gif", "stray.txt"))
    assert said_of(evidence) == "escape: 2 changes outside its folder: reference/br.gif, stray.txt"


@pytest.mark.parametrize(
    ("ending", "after", "line"),
    [
        (KILLED, replace(CALM, oom_kills=6), "crash: killed by SIGKILL, when memory ran out"),
        (KILLED, CALM, "crash: killed by SIGKILL"),
        (KILLED, None, "crash: killed by SIGKILL"),
        (replace(KILLED, status=-11), replace(CALM, oom_kills=6), "crash: killed by SIGSEGV"),
        (replace(KILLED, in_time=False), replace(CALM, oom_kills=6), "timeout: not done after 60 s"),
    ],
)
def test_who_was_killed_when_memory_ran_out_is_said_to_have_been(
    ending: WorkerExit, after: Snapshot | None, line: str
) -> None:
    """If the kernel counted such a death meanwhile, and the harness did not kill it itself."""
    assert said_of(replace(EVIDENCE, ending=ending, after=after)) == line
