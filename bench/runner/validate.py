"""Whether a worker's account agrees with what others saw: its clock may have been tampered with."""

import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from typing import Any, Final, get_args

from bench.api.outcomes import FetchOutcome
from bench.model.cases import Experiment
from bench.model.json_codec import MalformedError, to_json_value
from bench.model.latency_histogram import are_counts
from bench.model.results import Outcome, Round, ServerRound
from bench.model.served_trials import ObservedRound
from bench.model.text import count_names
from bench.runner.expected_round import Expectation, check_round, surplus_of
from bench.runner.processes.worker_exit import WorkerExit, exit_problem
from bench.system.disturbance import Snapshot, find_disturbance, refused_connections
from bench.worker.protocol import Report, TimedRound


def implausible_times(ending: WorkerExit, seen: Mapping[int, ObservedRound]) -> str:
    """Say what cannot be true of the rounds that a worker reported; nothing if nothing is.

    No round can be over before its last request came, nor can all of them take longer than the process
    lived. Where a fetch timed out, the server may read its request after the client has left.
    """
    rounds = ending.report.rounds if ending.report else ()
    return next(_contradictions(rounds, ending.ended_s - ending.started_s, seen), "")


def _contradictions(
    rounds: tuple[TimedRound, ...], lived_s: float, seen: Mapping[int, ObservedRound]
) -> Iterator[str]:
    for number, timed in enumerate(rounds):
        said = seen.get(number)
        arriving_s = said.arriving_s if said and "timeout" not in timed.fetches else 0.0
        if timed.elapsed_s < arriving_s:
            yield (
                f"a round is said to have taken {timed.elapsed_s:.6f} s, "
                f"but its requests came within {arriving_s:.6f} s"
            )
    told_s = fsum(timed.elapsed_s for timed in rounds)
    if told_s > lived_s:
        yield f"its rounds are said to have taken {told_s:.6f} s, but its process lived {lived_s:.6f} s"


_OUTCOMES: Final = frozenset(get_args(FetchOutcome))
_LONGEST_TEXT: Final = 1_000
_GREATEST: Final = 1e15
"""Beyond it, sums of what a worker reports might be no numbers any more."""


def validate_report(report: Report) -> Report:
    """Return a report that can be recorded, which is not to say that it is true.

    Raises:
        MalformedError: it cannot.
    """
    for scalar in _scalars(to_json_value(report)):
        if isinstance(scalar, str) and len(scalar) > _LONGEST_TEXT:
            raise MalformedError(f"a text of {len(scalar):,} characters")
        if isinstance(scalar, int | float) and abs(scalar) > _GREATEST:
            raise MalformedError("a number that is no time and no count")
    for timed in report.rounds:
        _check_counts(timed)
    if report.left is not None and min(report.left.threads, report.left.descriptors) < 0:
        raise MalformedError("less than nothing left behind")
    return report


def _check_counts(timed: TimedRound) -> None:
    if not timed.fetches.keys() <= _OUTCOMES:
        raise MalformedError("fetches of a class that there is not")
    if timed.verified < 0 or any(count < 1 for count in timed.fetches.values()):
        raise MalformedError("counts of less than one fetch")
    if not are_counts(timed.latencies_us):
        raise MalformedError("latencies that are no counts")


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.keys()
        for each in value.values():
            yield from _scalars(each)
    elif isinstance(value, list):
        for each in value:
            yield from _scalars(each)
    else:
        yield value


_MOST_LATE_P99_S: Final = 0.002
_MOST_LATE_SHARE: Final = 0.05
"""Of what was planned, on average."""
_FINEST_S: Final = 0.0005
"""Below this, no server on a general-purpose system keeps time: a share of less would mean nothing."""
_SATURATED: Final = 0.9


def server_overload(rounds: Iterable[Round], expected: Expectation) -> str:
    """Say what makes these rounds worthless; nothing if nothing does."""
    for round_ in rounds:
        late = "" if round_.server is None else _lateness(round_.server, expected)
        if why := late or _saturation(round_.server_busy or 0.0):
            return why
    return ""


def _lateness(seen: ServerRound, expected: Expectation) -> str:
    planned_s = expected.service_s / max(1, sum(expected.fetches.values()))
    if seen.late_p99_s > _MOST_LATE_P99_S:
        return f"the server was late: by {seen.late_p99_s * 1000:.2g} ms at the 99th percentile"
    if seen.late_mean_s > max(_FINEST_S, _MOST_LATE_SHARE * planned_s):
        late_ms, planned_ms = seen.late_mean_s * 1000, planned_s * 1000
        return f"the server was late: by {late_ms:.2g} ms on average where {planned_ms:.3g} ms were planned"
    return ""


def _saturation(busy: float) -> str:
    return f"the server was at its limit: {busy:.0%} of its core" if busy > _SATURATED else ""


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

    ending: WorkerExit
    seen: Mapping[int, ObservedRound]
    expected: Expectation
    escaped: Sequence[str]
    waits: int
    before: Snapshot | None
    after: Snapshot | None
    warm_up: Expectation | None = None

    def awaited(self, number: int) -> Expectation:
        """Say what awaited a round."""
        return self.warm_up if number == 0 and self.warm_up is not None else self.expected


def classify_trial(
    evidence: Evidence, experiment: Experiment, file: Path, timed_rounds: Sequence[Round]
) -> tuple[Outcome, str]:
    """Say how a trial ended: by what it left, by its own account, by what the server saw, by the machine.

    What the strategy of the file did comes first: a busy machine excuses no wrong answer. That nobody let
    it in excuses that it got none.
    """
    if evidence.escaped:
        return "escape", count_names(
            evidence.escaped, "change outside its folder", "changes outside its folder"
        )
    ending, seen = evidence.ending, evidence.seen
    outcome, detail = exit_problem(ending, experiment.deadline_s, file)
    unserved = _unserved(evidence)
    if unserved and outcome == "timeout":
        return "invalid", unserved
    if outcome != "ok" or ending.report is None:
        return outcome, f"{detail}{_want_of_memory(evidence)}"
    untrue = implausible_times(ending, seen) if timed_rounds else "reported no timed round"
    if untrue:
        return "error", untrue
    for number, timed in enumerate(ending.report.rounds):
        stated, awaited = seen.get(number), evidence.awaited(number)
        found = check_round(timed, None if stated is None else stated.server_round, awaited)
        if found is not None:
            is_excused = unserved and surplus_of(timed, awaited) == {"timeout"}
            return ("invalid", unserved) if is_excused else found
    why = unserved or _disturbance(evidence) or server_overload(timed_rounds, evidence.expected)
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
    return (refused_connections(before, after) if before and after else None) or ""


def _disturbance(evidence: Evidence) -> str:
    before, after = evidence.before, evidence.after
    return (find_disturbance(before, after) if before and after else None) or ""
