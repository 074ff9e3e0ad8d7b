"""What a trial is called whose clients were not let in: the strategy's doing comes first."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bench.model.cases import Experiment
from bench.model.served_trials import ObservedRound
from bench.runner.expected_round import Expectation
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.validate import Evidence, classify_trial
from bench.system.disturbance import Snapshot
from bench.worker.protocol import Report, TimedRound, TrialOutcome
from tests.builders import round_of, witness

STRATEGY = Path("s.py")
CALM = Snapshot(100.0, 1e9, 100.0, 50.0, 1.0, 200.0, 20.0, 3, 7)
LATER = Snapshot(101.0, 1e9 + 1, 101.0, 50.5, 1.0, 201.5, 20.45, 3, 7)
DROPPED = replace(LATER, dropped=5)
KERNEL = "the kernel dropped connections: 2 (ListenOverflows, ListenDrops)"
SERVER = "local_resource: the server had no descriptor for another connection"


def evidence(
    *,
    said: TrialOutcome = "ok",
    timed_out: int = 0,
    in_time: bool = True,
    waits: int = 0,
    after: Snapshot | None = LATER,
) -> Evidence:
    """Build all that is known of a trial with a single round of three fetches."""
    fetches = {"ok": 3 - timed_out, "timeout": timed_out} if timed_out else {"ok": 3}
    report = Report(said, "its words", 0.0, 0.1, (TimedRound(0.03, fetches, 3 - timed_out, ()),))
    return Evidence(
        ending=WorkerExit(0.0, report if in_time else None, 0, in_time, "", (), 0, 1.0),
        seen={0: ObservedRound(witness(), 0.0, 0.0, 3, 0.0, 0.0, 0.0)},
        expected=Expectation(0.02, 0.06, 3, {"ok": 3}, {}),
        escaped=(),
        waits=waits,
        before=CALM,
        after=after,
    )


def called(of: Evidence, disturbed: Literal["refuse", "keep"] = "refuse") -> tuple[str, str]:
    """Judge it."""
    experiment = Experiment("e", (), {}, 1, 1, 5.0, 1.0, 1, disturbed=disturbed)
    return classify_trial(of, experiment, STRATEGY, (round_of(0.03),))


def test_a_trial_without_blemish_is_ok() -> None:
    """Also where the machine's counters cannot be read."""
    assert called(evidence()) == ("ok", "")
    assert called(evidence(after=None)) == ("ok", "")


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (evidence(after=DROPPED), KERNEL),
        (evidence(waits=1), SERVER),
        (evidence(waits=1, after=DROPPED), SERVER),
        (evidence(timed_out=1, after=DROPPED), KERNEL),
        (evidence(timed_out=1, waits=9), SERVER),
        (evidence(in_time=False, after=DROPPED), KERNEL),
        (evidence(in_time=False, waits=9), SERVER),
    ],
)
def test_a_trial_whose_clients_were_not_let_in_is_invalid(of: Evidence, why: str) -> None:
    """Whether it was only late for that or got no answer at all."""
    assert called(of) == ("invalid", why)


def test_a_time_out_is_the_strategys_own_where_everybody_was_let_in() -> None:
    """Neither a fetch nor a whole trial is excused by nothing."""
    assert called(evidence(timed_out=1))[0] == "error"
    assert called(evidence(in_time=False)) == ("timeout", "not done after 5 s")


def test_that_nobody_let_it_in_excuses_no_wrong_answer() -> None:
    """Wrong bytes were let in."""
    assert called(evidence(said="corrupt", waits=9, after=DROPPED)) == ("corrupt", "its words")


def test_that_nobody_let_it_in_excuses_no_other_class() -> None:
    """Who asked for what is not there was let in to do so."""
    of = evidence(waits=9, after=DROPPED)
    assert of.ending.report is not None
    (timed,) = of.ending.report.rounds
    cheated = replace(of.ending.report, rounds=(replace(timed, fetches={"not_found": 3}),))
    outcome, detail = called(replace(of, ending=replace(of.ending, report=cheated)))
    assert (outcome, detail) == ("error", "fetches: 3 not_found instead of 3 ok")


def test_a_disturbed_trial_may_be_kept_and_an_unanswered_one_may_not() -> None:
    """There is nothing to keep of it."""
    assert called(evidence(after=DROPPED), "keep") == ("ok", KERNEL)
    assert called(evidence(timed_out=1, after=DROPPED), "keep") == ("invalid", KERNEL)
