"""The validity of a trial: three ordered lists of checks decide whether its measurement counts.

``FAILURE_CHECKS`` come first, then ``MEANINGLESS_CHECKS``; of ``DISTURBANCE_CHECKS``, ``disturbed: keep``
makes remarks. They call ``expected_round`` for the figures of a round and ``bench.system.disturbance`` for
the machine. One reason is not here: ``bench.runner.trial`` discards trials during which the server crashed.

A worker shares its process with a strategy, which may have tampered with its clock and its report. The
checks therefore compare the report with the server log, the machine's counters and the trial's folder.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum
from pathlib import Path
from typing import Final, Literal, TypeAlias

from bench.model.results import ServerRound
from bench.model.served_trials import ObservedRound
from bench.model.text import count_names, join_and
from bench.model.trial_outcome import Invalid, Outcome
from bench.runner.expected_round import (
    Expectation,
    actual_ideal_s,
    compare_with_plan,
    expected_call,
    surplus_outcomes,
)
from bench.runner.processes.worker_exit import WorkerExit, find_exit_problem
from bench.runner.time_breakdown import server_busy
from bench.system.disturbance import Snapshot, find_disturbance, find_interruption, refused_connections
from bench.worker.protocol import TimedRound

_MOST_LATE_P99_S: Final = 0.002
"""Lateness that is allowed at the 99th percentile."""
_MOST_LATE_SHARE: Final = 0.05
"""Mean lateness that is allowed, as a share of the mean planned delay."""
_FINEST_S: Final = 0.0005
"""Below this, no server on a general-purpose system keeps time: a share of less would mean nothing."""
_SATURATED: Final = 0.9
"""Share of its core from which the server limits its clients."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known about a trial once it is over.

    Attributes:
        strategy_file: file of its strategy, which messages quote.
        deadline_s: seconds that its worker was allowed.
        exit: how its worker ended.
        seen: the server log, by call.
        expected: the expected figures of each call.
        escaped: names of changes in the workspace outside the trial's folder.
        waits: number of times that clients had to wait because the server had no descriptor for them.
        client: the client that its case was planned with; ``None`` for none.
        before: counters of the machine when it began; ``None``, like ``after``, if they cannot be read.
        paired_calls: number of timed calls that a trial of a pair was to make; ``None`` for a single trial.
        quotas: files of the CPU quotas that may have stopped the worker.
        shares_machine: whether a server of the user's is on this machine; its work is no disturbance.
        client_version: version of the client's library that it was to import; ``None`` for any.
    """

    strategy_file: Path
    deadline_s: float
    exit: WorkerExit
    seen: Mapping[int, ObservedRound]
    expected: Expectation
    escaped: Sequence[str] = ()
    waits: int = 0
    before: Snapshot | None = None
    after: Snapshot | None = None
    client: str | None = None
    paired_calls: int | None = None
    quotas: Sequence[str] = ()
    shares_machine: bool = False
    client_version: str | None = None

    @property
    def reported(self) -> tuple[TimedRound, ...]:
        """The calls of the worker's report, the warm-up first."""
        return self.exit.report.rounds if self.exit.report else ()


Check: TypeAlias = Callable[[Evidence], Invalid | None]
"""Returns why a trial is not valid; ``None`` if it finds nothing."""


def classify_trial(
    evidence: Evidence, disturbed: Literal["refuse", "keep"], *, is_last: bool = False
) -> tuple[Outcome, str]:
    """Return the outcome of a trial, and one line of detail.

    The first check that finds a problem decides. With ``disturbed: keep``, a trial that was only disturbed is
    ok, and the disturbance is its detail. A reason that a trial itself gives is an error in the last attempt.
    """
    if problem := _first_problem((*FAILURE_CHECKS, *MEANINGLESS_CHECKS), evidence):
        if is_last and problem.of_trial:
            return "error", f"{problem.detail}, in the last attempt"
        return problem.outcome, problem.detail
    if problem := _first_problem(DISTURBANCE_CHECKS, evidence):
        return ("ok" if disturbed == "keep" else problem.outcome), problem.detail
    return "ok", ""


def _first_problem(checks: Iterable[Check], evidence: Evidence) -> Invalid | None:
    return next((problem for check in checks if (problem := check(evidence))), None)


def check_cut_short(evidence: Evidence) -> Invalid | None:
    """Discard a trial that had to report early because the other trial of its pair failed."""
    report, calls = evidence.exit.report, evidence.paired_calls
    if calls is None or report is None or report.outcome != "ok" or len(report.rounds) > calls:
        return None
    return Invalid("invalid", "cut short: the other variant failed")


def check_escape(evidence: Evidence) -> Invalid | None:
    """Reject a trial that changed files outside its folder; the trials of a pair share a workspace."""
    if not evidence.escaped:
        return None
    changes = count_names(evidence.escaped, "change outside its folder", "changes outside its folder")
    return _escape(evidence, changes)


def check_exit(evidence: Evidence) -> Invalid | None:
    """Reject a trial whose worker failed, or reported a failure, unless it was refused connections."""
    progress = " (`deadline`)"
    if evidence.expected.is_planned:
        progress += f", {_describe_progress(evidence)}"
    problem = find_exit_problem(evidence.exit, evidence.deadline_s, evidence.strategy_file, progress)
    if problem is None:
        return None
    if problem.outcome == "timeout" and (refused := check_refused_connections(evidence)):
        return refused
    if problem.outcome == "escape":
        return _escape(evidence, problem.detail)
    if _was_killed_for_memory(evidence):
        return replace(problem, detail=f"{problem.detail}, when memory ran out")
    return problem


def check_times(evidence: Evidence) -> Invalid | None:
    """Reject a trial whose reported times cannot be true.

    No round can be over before its last request came, nor can all of them take longer than the process
    lived. Where a fetch timed out, the server may read its request after the client has left.
    """
    if not evidence.reported[1:]:
        return Invalid("error", "reported no timed round")
    for number, timed in enumerate(evidence.reported):
        seen = evidence.seen.get(number)
        arriving_s = seen.arriving_s if seen and "timeout" not in timed.fetches else 0.0
        if timed.elapsed_s < arriving_s:
            return Invalid(
                "error",
                f"a round is said to have taken {timed.elapsed_s:.6f} s, "
                f"but its requests came within {arriving_s:.6f} s",
            )
    reported_s = fsum(timed.elapsed_s for timed in evidence.reported)
    lived_s = evidence.exit.ended_s - evidence.exit.started_s
    if reported_s > lived_s:
        return Invalid(
            "error",
            f"its rounds are said to have taken {reported_s:.6f} s, but its process lived {lived_s:.6f} s",
        )
    return None


def check_rounds(evidence: Evidence) -> Invalid | None:
    """Reject a trial with a round that differs from the expected one, unless connections were refused.

    Refused connections excuse time-outs, and no other outcome.
    """
    for number, timed in enumerate(evidence.reported):
        seen = evidence.seen.get(number)
        planned = expected_call(evidence.expected, number)
        expected = replace(planned, ideal_s=actual_ideal_s(seen, planned))
        problem = compare_with_plan(timed, None if seen is None else seen.server_round, expected)
        if problem is not None:
            refused = check_refused_connections(evidence)
            return refused if refused and surplus_outcomes(timed, expected) == {"timeout"} else problem
    return None


def check_client(evidence: Evidence) -> Invalid | None:
    """Reject a trial that opened no client where one was planned: its row would have the wrong name.

    The opposite cannot be: without a client in the plan, none can be opened.
    """
    use = evidence.exit.report.job_use if evidence.exit.report else None
    if evidence.client is None or use is None or use.clients:
        return None
    return Invalid(
        "error",
        f"{evidence.strategy_file.name} opened no client of its job, and its case was planned with "
        f"{evidence.client}: declare CLIENTS = None",
    )


def check_client_version(evidence: Evidence) -> Invalid | None:
    """Reject a trial that imported another version of its client's library than its row names."""
    report, wanted = evidence.exit.report, evidence.client_version
    if wanted is None or report is None:
        return None
    libraries = () if report.runtime is None else report.runtime.libraries
    found = next((each for each in libraries if each.module == evidence.client), None)
    if found is not None and found.distribution and found.version == wanted:
        return None
    place = "" if found is None or found.distribution else f" of {found.file}"
    version = "of no known version" if found is None else f"{found.version}{place}"
    return Invalid("error", f"imported {evidence.client} {version}, where {wanted} is installed for it")


def check_refused_connections(evidence: Evidence) -> Invalid | None:
    """Discard a trial whose connections may not have reached the server."""
    if evidence.waits:
        return Invalid("invalid", "local_resource: the server had no descriptor for another connection")
    return _discard_by_snapshots(evidence, refused_connections)


def check_interruption(evidence: Evidence) -> Invalid | None:
    """Discard a trial during which the machine stood still, or its clock or memory failed."""
    return _discard_by_snapshots(evidence, find_interruption)


def check_saturation(evidence: Evidence) -> Invalid | None:
    """Discard a trial that the server limited: its time would be the server's, not the strategy's."""
    for timed, seen in _observed_rounds(evidence):
        busy = server_busy(timed, seen) or 0.0
        if busy > _SATURATED:
            return Invalid("invalid", f"the server was at its limit: {busy:.0%} of its core")
    return None


def check_throttling(evidence: Evidence) -> Invalid | None:
    """Find timed rounds in which a CPU quota stopped the processes of this container."""
    periods = sum(timed.throttled for timed in evidence.reported[1:])
    if not periods:
        return None
    return Invalid(
        "invalid", f"throttled by the CPU quota of {join_and(evidence.quotas)}; periods: {periods}"
    )


def check_machine(evidence: Evidence) -> Invalid | None:
    """Find other processes that used the processors of the trial.

    They cannot be told from a server of the user's on the same machine.
    """
    return None if evidence.shares_machine else _discard_by_snapshots(evidence, find_disturbance)


def _discard_by_snapshots(
    evidence: Evidence, find_reason: Callable[[Snapshot, Snapshot], str | None]
) -> Invalid | None:
    """Discard a trial if the snapshots of the machine before and after it give a reason."""
    before, after = evidence.before, evidence.after
    reason = find_reason(before, after) if before and after else None
    return Invalid("invalid", reason) if reason else None


def check_lateness(evidence: Evidence) -> Invalid | None:
    """Find a server that answered late."""
    for _, seen in _observed_rounds(evidence):
        if late := _lateness(seen.server_round, evidence.expected):
            return Invalid("invalid", f"the server was late: by {late}")
    return None


def _observed_rounds(evidence: Evidence) -> Iterator[tuple[TimedRound, ObservedRound]]:
    """Yield the timed rounds of which there is a server log."""
    for number, timed in enumerate(evidence.reported):
        if number > 0 and number in evidence.seen:
            yield timed, evidence.seen[number]


FAILURE_CHECKS: Final[tuple[Check, ...]] = (
    check_cut_short,
    check_escape,
    check_exit,
    check_times,
    check_rounds,
    check_client,
    check_client_version,
)
"""Problems of the trial itself, the gravest first: a busy machine excuses no wrong answer.

Some find an ``invalid`` trial, which is discarded: ``check_cut_short``, first since a trial that was stopped
has nothing else to show; ``check_rounds`` where the server's faults are not those planned, or a round is
faster than its ideal; and ``check_exit`` and ``check_rounds`` where time-outs are not the strategy's fault,
since the server could not accept its connections. Where only the trial itself can be the reason (a round
faster than its ideal), the last attempt is an error.
"""
MEANINGLESS_CHECKS: Final[tuple[Check, ...]] = (
    check_refused_connections,
    check_interruption,
    check_saturation,
)
"""Events that leave a timing without a meaning, whatever the strategy did; such a trial never counts."""
DISTURBANCE_CHECKS: Final[tuple[Check, ...]] = (
    check_throttling,
    check_machine,
    check_lateness,
)
"""Disturbances of a trial that is valid otherwise; only ``disturbed: refuse`` discards it.

Throttling comes before the machine and the server, as it makes both of them slow.
"""


def _escape(evidence: Evidence, detail: str) -> Invalid:
    """Describe an escape, which may be of either variant in a pair."""
    by = "" if evidence.paired_calls is None else "by this variant or the other: "
    return Invalid("escape", f"{by}{detail}")


def _describe_progress(evidence: Evidence) -> str:
    """Describe by the server log how far a trial had got."""
    if not evidence.seen:
        return "before its first request"
    number = max(evidence.seen)
    noun = "round" if evidence.paired_calls is None else "call"
    place = f"timed {noun} {number}" if number else "the warm-up"
    asked = sum(evidence.expected.fetches.values()) - evidence.expected.unseen
    return f"in {place} with {evidence.seen[number].answered:,} of {asked:,} requests answered"


def _was_killed_for_memory(evidence: Evidence) -> bool:
    """Return whether the worker died of SIGKILL while the kernel killed for want of memory."""
    ending, before, after = evidence.exit, evidence.before, evidence.after
    is_killed = ending.in_time and ending.report is None and ending.status == -signal.SIGKILL
    return is_killed and before is not None and after is not None and after.oom_kills != before.oom_kills


def _lateness(seen: ServerRound, expected: Expectation) -> str | None:
    """Describe by how much the server was late; ``None`` if it kept to the planned delays."""
    planned_s = expected.service_s / max(1, sum(expected.fetches.values()))
    if seen.late_p99_s > _MOST_LATE_P99_S:
        return f"{seen.late_p99_s * 1000:.2g} ms at the 99th percentile"
    if seen.late_mean_s > max(_FINEST_S, _MOST_LATE_SHARE * planned_s):
        late_ms, planned_ms = seen.late_mean_s * 1000, planned_s * 1000
        return f"{late_ms:.2g} ms on average where {planned_ms:.3g} ms were planned"
    return None
