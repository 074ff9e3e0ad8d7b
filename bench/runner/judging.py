"""How a trial ended, in one word and one line: from all that is known of it once it is over."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.model.cases import Experiment
from bench.model.results import Outcome, Round
from bench.runner.contradiction import contradiction
from bench.runner.expectation import Expectation, flaw, surplus_of
from bench.runner.refusal import refusal
from bench.runner.trial import Ending, verdict
from bench.server.testimony import Statement
from bench.system.conditions import Snapshot, disturbance, turned_away
from bench.worker.words import counted


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of a trial once it is over.

    Attributes:
        seen: what the server says, by round.
        escaped: names of what was changed in the workspace outside of the trial's folder.
        waits: how often clients were seen to wait because the server had no descriptor for them.
        before: the machine's counters when it began; ``None``, like ``after``, if they cannot be read.
        warm_up: what awaited the first round, where that is not what awaited the others.
    """

    ending: Ending
    seen: Mapping[int, Statement]
    expected: Expectation
    escaped: Sequence[str]
    waits: int
    before: Snapshot | None
    after: Snapshot | None
    warm_up: Expectation | None = None

    def awaited(self, number: int) -> Expectation:
        """Say what awaited a round."""
        return self.warm_up if number == 0 and self.warm_up is not None else self.expected


def judged(
    evidence: Evidence, experiment: Experiment, file: Path, timed_rounds: Sequence[Round]
) -> tuple[Outcome, str]:
    """Say how a trial ended: by what it left, by its own account, by what the server saw, by the machine.

    What the strategy of the file did comes first: a busy machine excuses no wrong answer. That nobody let
    it in excuses that it got none.
    """
    if evidence.escaped:
        return "escape", counted(evidence.escaped, "change outside its folder", "changes outside its folder")
    ending, seen = evidence.ending, evidence.seen
    outcome, detail = verdict(ending, experiment.deadline_s, file)
    unserved = _unserved(evidence)
    if unserved and outcome == "timeout":
        return "invalid", unserved
    if outcome != "ok" or ending.report is None:
        return outcome, f"{detail}{_want_of_memory(evidence)}"
    untrue = contradiction(ending, seen) if timed_rounds else "reported no timed round"
    if untrue:
        return "error", untrue
    for number, timed in enumerate(ending.report.rounds):
        stated, awaited = seen.get(number), evidence.awaited(number)
        found = flaw(timed, None if stated is None else stated.witness, awaited)
        if found is not None:
            is_excused = unserved and surplus_of(timed, awaited) == {"timeout"}
            return ("invalid", unserved) if is_excused else found
    why = unserved or _disturbance(evidence) or refusal(timed_rounds, evidence.expected)
    return "invalid" if why and experiment.disturbed == "refuse" else "ok", why


def _want_of_memory(evidence: Evidence) -> str:
    """Add, where a worker died of SIGKILL, that the kernel killed for want of memory meanwhile."""
    ending, before, after = evidence.ending, evidence.before, evidence.after
    is_killed = ending.in_time and ending.report is None and ending.status == -signal.SIGKILL
    if not is_killed or before is None or after is None or after.oom_kills == before.oom_kills:
        return ""
    return ", when memory ran out"


def _unserved(evidence: Evidence) -> str:
    """Say why connections may not have come to the server; nothing if they did."""
    if evidence.waits:
        return "local_resource: the server had no descriptor for another connection"
    before, after = evidence.before, evidence.after
    return turned_away(before, after) if before and after else ""


def _disturbance(evidence: Evidence) -> str:
    before, after = evidence.before, evidence.after
    return disturbance(before, after) if before and after else ""
