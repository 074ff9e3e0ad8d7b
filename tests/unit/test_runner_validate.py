"""The validity of a trial: what its strategy did comes first, and what the machine did last."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bench.model.job_use import JobUse
from bench.model.results import ServerRound
from bench.model.served_trials import ObservedRound
from bench.model.trial_outcome import Invalid
from bench.model.worker_runtime import ImportedLibrary, WorkerRuntime
from bench.runner.expected_round import Expectation
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.validate import Evidence, check_lateness, check_saturation, check_times, classify_trial
from bench.system.disturbance import Snapshot
from bench.worker.protocol import Report, TimedRound
from tests.builders import server_round

TIMED = TimedRound(0.5, {"ok": 3}, 3, ())
REPORT = Report("ok", "", 10.1, 10.2, (TIMED, TIMED))
GOOD = WorkerExit(
    started_s=10.0,
    report=REPORT,
    status=0,
    in_time=True,
    malformed=None,
    stderr=(),
    processes_left=0,
    ended_s=12.0,
)
KILLED = replace(GOOD, report=None, status=-9)
TIMED_OUT = replace(GOOD, report=None, in_time=False)
SEEN = ObservedRound(server_round(), 100.0, 100.1, 3, 0.6, 0.0, 0.01, arriving_s=0.4)
BEFORE = Snapshot(100.0, 1e9, 100.0, 50.0, 1.0, 200.0, 20.0, 3, 7, oom_kills=5)
CALM = replace(BEFORE, at_s=101.0, wall_s=1e9 + 1, boot_s=101.0, idle_s=201.5)
DROPPED = replace(CALM, dropped=5)
BUSY = replace(CALM, processes_s=50.5, own_s=20.0)
FULL = replace(CALM, processes_s=52.0, own_s=22.0, idle_s=200.02)
LATE_ROUND = replace(server_round(), late_p99_s=0.003)
EVIDENCE = Evidence(
    strategy_file=Path("mine.py"),
    deadline_s=60.0,
    exit=GOOD,
    seen={0: SEEN, 1: SEEN},
    expected=Expectation(0.02, 0.06, 3, {"ok": 3}, {}),
    before=BEFORE,
    after=CALM,
)
LATE = "not done after 60 s (`deadline`), in timed round 1 with 3 of 3 requests answered"
KERNEL = "the kernel dropped connections: 2 (ListenOverflows, ListenDrops)"
HTTPX = ImportedLibrary("httpx", "client", "httpx", "0.27.2", "/environment/httpx/__init__.py")
NO_CLIENT = (
    "error: mine.py opened no client of its job, and its case was planned with requests: "
    "declare CLIENTS = None"
)
SERVER = "local_resource: the server had no descriptor for another connection"


def test_reason_that_a_trial_gives_itself_is_an_error_in_its_last_attempt() -> None:
    """It is repeated, and what a machine lacks stays discarded: another program may hold it."""
    slower = replace(EVIDENCE, expected=replace(EVIDENCE.expected, ideal_s=5.0))
    outcome, detail = classify_trial(slower, "keep")
    assert (outcome, detail.endswith("is less than the ideal of 5.000000 s")) == ("invalid", True)
    assert classify_trial(slower, "keep", is_last=True) == ("error", f"{detail}, in the last attempt")
    report = replace(REPORT, outcome="invalid", detail="local_resource: BR: too many threads")
    lacking = replace(EVIDENCE, exit=replace(GOOD, report=report))
    assert classify_trial(lacking, "keep") == ("invalid", report.detail)
    assert classify_trial(lacking, "keep", is_last=True) == ("invalid", report.detail)


@pytest.mark.parametrize(
    "evidence",
    [
        replace(EVIDENCE, after=replace(CALM, dropped=9)),
        replace(EVIDENCE, after=replace(CALM, boot_s=500.0, wall_s=CALM.wall_s + 399)),
        replace(EVIDENCE, waits=1),
    ],
    ids=["dropped connections", "sleep", "no descriptor at the server"],
)
def test_reason_of_the_machine_is_no_error_in_the_last_attempt(evidence: Evidence) -> None:
    assert classify_trial(evidence, "keep", is_last=True)[0] == "invalid"


def classified(evidence: Evidence, disturbed: Literal["refuse", "keep"] = "refuse") -> str:
    return ": ".join(classify_trial(evidence, disturbed))


def with_rounds(*rounds: TimedRound, lived_s: float = 2.0) -> Evidence:
    """Build the evidence of a report of these rounds, each of which the server saw alike."""
    ending = replace(GOOD, report=replace(REPORT, rounds=rounds), ended_s=GOOD.started_s + lived_s)
    return replace(EVIDENCE, exit=ending, seen=dict.fromkeys(range(len(rounds)), SEEN))


def test_a_round_cannot_be_faster_than_its_server_was_late() -> None:
    """Three fetches of 20 ms on three workers are planned; one took 250 ms at the server by its log."""
    slow = replace(SEEN, service_s=0.29, longest_service_s=0.25)
    evidence = replace(with_rounds(TIMED, replace(TIMED, elapsed_s=0.4)), seen={0: slow, 1: slow})
    assert classified(evidence) == "ok: "
    evidence = replace(with_rounds(TIMED, replace(TIMED, elapsed_s=0.2)), seen={0: SEEN, 1: slow})
    evidence = replace(evidence, seen={0: replace(SEEN, arriving_s=0.1), 1: replace(slow, arriving_s=0.1)})
    assert classified(evidence) == "invalid: 0.200000 s is less than the ideal of 0.250000 s"


def with_timeouts(count: int, **changes: int | Snapshot) -> Evidence:
    """Build the evidence of rounds in which so many of three fetches timed out."""
    timed = replace(TIMED, fetches={"ok": 3 - count, "timeout": count}, verified=3 - count)
    return replace(with_rounds(timed, timed), **changes)  # type: ignore[arg-type]


def test_a_trial_without_problems_is_ok() -> None:
    assert classified(EVIDENCE) == "ok: "
    assert classified(replace(EVIDENCE, before=None, after=None)) == "ok: "


def test_each_problem_hides_those_of_later_checks() -> None:
    """Added one after the other, from the last check to the first."""
    evidence = replace(EVIDENCE, after=BUSY)
    assert classified(evidence) == "invalid: others used 50% of a core"
    assert classified(evidence, "keep") == "ok: others used 50% of a core"
    evidence = replace(EVIDENCE, after=replace(BUSY, swapped=8, own_faults=1))
    reason = "invalid: memory was swapped: 1 page, and the run's processes waited for 1 page from a disk"
    assert classified(evidence) == reason
    assert classified(evidence, "keep") == reason
    assert classified(replace(EVIDENCE, after=replace(CALM, swapped=8)), "keep") == "ok: "
    evidence = replace(evidence, seen={0: SEEN})
    assert classified(evidence) == "missing: the server saw 0 requests for 3 fetches"
    evidence = replace(evidence, seen={0: replace(SEEN, arriving_s=0.6)})
    assert classified(evidence).startswith(
        "error: a round is said to have taken 0.500000 s, but its requests"
    )
    report = Report("ok", "", 10.1, 10.2, (TIMED,))
    evidence = replace(evidence, exit=replace(GOOD, report=report))
    assert classified(evidence) == "error: reported no timed round"
    evidence = replace(evidence, exit=replace(GOOD, report=replace(report, outcome="corrupt", detail="x")))
    assert classified(evidence) == "corrupt: x"
    evidence = replace(evidence, escaped=("reference/br.gif", "stray.txt"))
    assert classified(evidence) == "escape: 2 changes outside its folder: reference/br.gif, stray.txt"


@pytest.mark.parametrize(
    ("client", "use", "problem"),
    [
        (
            "requests",
            JobUse((), workers=True),
            NO_CLIENT,
        ),
        ("requests", JobUse(("sync",), workers=True), "ok: "),
        ("requests", None, "ok: "),  # a worker could not tell
        (None, JobUse((), workers=True), "ok: "),
    ],
)
def test_trial_that_opened_no_client_is_not_one_of_the_planned_client(
    client: str | None, use: JobUse | None, problem: str
) -> None:
    ending = replace(GOOD, report=replace(REPORT, job_use=use))
    evidence = replace(EVIDENCE, exit=ending, client=client)
    assert classified(evidence) == problem
    assert classified(evidence, "keep") == problem


@pytest.mark.parametrize(
    ("libraries", "found"),
    [
        ([HTTPX], ""),
        ([replace(HTTPX, version="0.28.1")], "0.28.1"),
        ([replace(HTTPX, distribution="", file="/x/httpx.py")], "0.27.2 of /x/httpx.py"),
        ([replace(HTTPX, module="h2")], "of no known version"),
    ],
)
def test_trial_that_imported_another_version_than_its_row_names_is_an_error(
    libraries: list[ImportedLibrary], found: str
) -> None:
    runtime = WorkerRuntime("CPython 3.11.7", has_gil=True, libraries=tuple(libraries))
    evidence = replace(
        EVIDENCE,
        exit=replace(GOOD, report=replace(REPORT, runtime=runtime)),
        client="httpx",
        client_version="0.27.2",
    )
    detail = f"imported httpx {found}, where 0.27.2 is installed for it"
    assert classify_trial(evidence, "keep") == (("error", detail) if found else ("ok", ""))


def test_an_escape_of_a_pair_may_be_of_either_variant() -> None:
    evidence = replace(EVIDENCE, escaped=("stray.txt",), paired_calls=1)
    by = "escape: by this variant or the other: "
    assert classified(evidence) == f"{by}1 change outside its folder: stray.txt"
    reported = replace(GOOD, report=replace(REPORT, outcome="escape", detail="x"))
    assert classified(replace(EVIDENCE, exit=reported, paired_calls=1)) == f"{by}x"


def test_a_trial_of_a_pair_that_did_not_run_all_rounds_was_cut_short() -> None:
    """It is not to blame, unless it reported a failure itself."""
    evidence = replace(EVIDENCE, escaped=("stray.txt",), paired_calls=2)
    assert classified(evidence) == "invalid: cut short: the other variant failed"
    failed = replace(GOOD, report=replace(REPORT, outcome="error", detail="x"))
    assert classified(replace(EVIDENCE, exit=failed, paired_calls=2)) == "error: x"


@pytest.mark.parametrize(
    ("ending", "after", "line"),
    [
        (KILLED, replace(CALM, oom_kills=6), "crash: killed by SIGKILL, when memory ran out"),
        (KILLED, CALM, "crash: killed by SIGKILL"),
        (KILLED, None, "crash: killed by SIGKILL"),
        (replace(KILLED, status=-11), replace(CALM, oom_kills=6), "crash: killed by SIGSEGV"),
        (replace(KILLED, in_time=False), replace(CALM, oom_kills=6), f"timeout: {LATE}"),
    ],
)
def test_a_crash_mentions_memory_if_the_kernel_killed_for_it(
    ending: WorkerExit, after: Snapshot | None, line: str
) -> None:
    """Not if the harness killed the worker itself."""
    assert classified(replace(EVIDENCE, exit=ending, after=after)) == line


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(EVIDENCE, after=DROPPED), KERNEL),
        (replace(EVIDENCE, waits=1), SERVER),
        (replace(EVIDENCE, waits=1, after=DROPPED), SERVER),
        (with_timeouts(1, after=DROPPED), KERNEL),
        (with_timeouts(1, waits=9), SERVER),
        (replace(EVIDENCE, exit=TIMED_OUT, after=DROPPED), KERNEL),
        (replace(EVIDENCE, exit=TIMED_OUT, waits=9), SERVER),
    ],
)
def test_a_trial_whose_connections_were_refused_is_invalid(evidence: Evidence, reason: str) -> None:
    """Whether it was only late for that, or a fetch or all of it timed out."""
    assert classified(evidence) == f"invalid: {reason}"


def test_a_time_out_is_blamed_on_the_strategy_where_no_connection_was_refused() -> None:
    assert classified(with_timeouts(1)).startswith("error: fetches: 2 ok, 1 timeout instead of 3 ok")
    assert classified(replace(EVIDENCE, exit=TIMED_OUT)) == f"timeout: {LATE}"


@pytest.mark.parametrize(
    ("seen", "paired_calls", "progress"),
    [
        ({}, None, "before its first request"),
        ({0: replace(SEEN, answered=2)}, None, "in the warm-up with 2 of 3 requests answered"),
        ({0: SEEN, 4: replace(SEEN, answered=0)}, None, "in timed round 4 with 0 of 3 requests answered"),
        ({0: SEEN, 4: SEEN}, 15, "in timed call 4 with 3 of 3 requests answered"),
    ],
)
def test_a_trial_past_its_deadline_names_the_key_and_how_far_it_got(
    seen: Mapping[int, ObservedRound], paired_calls: int | None, progress: str
) -> None:
    late = replace(EVIDENCE, exit=TIMED_OUT, seen=seen, paired_calls=paired_calls)
    assert classified(late) == f"timeout: not done after 60 s (`deadline`), {progress}"


def test_refused_connections_excuse_only_time_outs() -> None:
    refused = replace(EVIDENCE, waits=9, after=DROPPED)
    corrupt = replace(GOOD, report=replace(REPORT, outcome="corrupt", detail="x"))
    assert classified(replace(refused, exit=corrupt)) == "corrupt: x"
    cheated = replace(TIMED, fetches={"not_found": 3})
    evidence = replace(with_rounds(cheated, cheated), waits=9, after=DROPPED)
    assert classified(evidence) == "error: fetches: 3 not_found instead of 3 ok"


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(EVIDENCE, after=DROPPED), KERNEL),
        (with_timeouts(1, after=DROPPED), KERNEL),
        (replace(EVIDENCE, waits=1), SERVER),
        (replace(EVIDENCE, after=replace(CALM, boot_s=103.0, wall_s=1e9 + 3)), "the machine slept for 2 s"),
        (replace(EVIDENCE, after=replace(CALM, wall_s=1e9 - 4)), "the clock jumped by -5 s"),
        (
            replace(EVIDENCE, after=replace(CALM, oom_kills=6)),
            "memory ran out, and the kernel killed processes: 1",
        ),
        (
            replace(EVIDENCE, seen={0: SEEN, 1: replace(SEEN, cpu_s=0.46)}),
            "the server was at its limit: 92% of its core",
        ),
    ],
)
def test_a_trial_whose_timing_means_nothing_is_never_kept(evidence: Evidence, reason: str) -> None:
    assert classified(evidence, "keep") == f"invalid: {reason}"
    assert classified(evidence) == f"invalid: {reason}"


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(EVIDENCE, after=BUSY), "others used 50% of a core"),
        (replace(EVIDENCE, after=FULL), "every core of the machine was busy"),
        (
            replace(EVIDENCE, seen={0: SEEN, 1: replace(SEEN, server_round=LATE_ROUND)}),
            "the server was late: by 3 ms at the 99th percentile",
        ),
    ],
)
def test_a_trial_that_a_busy_machine_slowed_down_is_kept_unless_it_is_to_be_refused(
    evidence: Evidence, reason: str
) -> None:
    assert classified(evidence, "keep") == f"ok: {reason}"
    assert classified(evidence, "refuse") == f"invalid: {reason}"


def test_a_trial_throttled_in_a_timed_call_is_disturbed_and_names_the_quota() -> None:
    slow = replace(TIMED, throttled=2)
    evidence = replace(with_rounds(TIMED, slow, slow), quotas=("/g/cpu.max",), after=BUSY)
    reason = "throttled by the CPU quota of /g/cpu.max; periods: 4"
    assert classified(evidence) == f"invalid: {reason}"
    assert classified(evidence, disturbed="keep") == f"ok: {reason}"


def test_throttling_in_the_warm_up_disturbs_nothing_and_excuses_no_wrong_answer() -> None:
    assert classified(with_rounds(replace(TIMED, throttled=2), TIMED)) == "ok: "
    wrong = replace(TIMED, fetches={"ok": 2, "reset": 1}, throttled=2)
    assert classified(with_rounds(TIMED, wrong)).startswith("error: fetches: 2 ok, 1 reset")


def test_a_round_lasts_at_least_until_its_last_request() -> None:
    """Where a fetch timed out, its request may be read later."""
    assert check_times(EVIDENCE) is None
    quick = replace(TIMED, elapsed_s=0.05)
    detail = "a round is said to have taken 0.050000 s, but its requests came within 0.400000 s"
    assert check_times(with_rounds(TIMED, quick)) == Invalid("error", detail)
    negative = check_times(with_rounds(TIMED, replace(quick, elapsed_s=-1.0)))
    assert negative is not None
    assert negative.detail.startswith("a round is said to have taken -1.000000 s")
    assert check_times(with_rounds(TIMED, replace(quick, fetches={"ok": 2, "timeout": 1}))) is None


def test_a_process_lives_at_least_as_long_as_its_rounds() -> None:
    detail = "its rounds are said to have taken 1.000000 s, but its process lived 0.800000 s"
    assert check_times(with_rounds(TIMED, TIMED, lived_s=0.8)) == Invalid("error", detail)


def test_rounds_that_the_server_did_not_see_contradict_no_times() -> None:
    """That requests are missing is found by another check."""
    assert check_times(replace(EVIDENCE, seen={})) is None


FIFTY = Expectation(0.05, 0.15, 3, {"ok": 3}, {})
AT_ONCE = Expectation(0.0, 0.0, 3, {"ok": 3}, {})


@pytest.mark.parametrize(
    ("server_round", "expected", "detail"),
    [
        (server_round(), FIFTY, None),
        (server_round(), AT_ONCE, None),
        (
            replace(server_round(), late_p99_s=0.0021),
            FIFTY,
            "the server was late: by 2.1 ms at the 99th percentile",
        ),
        (
            replace(server_round(), late_mean_s=0.0018, late_p99_s=0.002),
            replace(FIFTY, service_s=0.1),
            "the server was late: by 1.8 ms on average where 33.3 ms were planned",
        ),
        (replace(server_round(), late_mean_s=0.00045), AT_ONCE, None),
        (
            replace(server_round(), late_mean_s=0.0006),
            AT_ONCE,
            "the server was late: by 0.6 ms on average where 0 ms were planned",
        ),
    ],
)
def test_a_late_server_is_found(server_round: ServerRound, expected: Expectation, detail: str | None) -> None:
    found = check_lateness(observed({1: SEEN, 2: replace(SEEN, server_round=server_round)}, expected))
    assert found == (None if detail is None else Invalid("invalid", detail))


def test_a_server_that_uses_nine_tenths_of_its_core_is_found() -> None:
    busy = replace(SEEN, cpu_s=0.95 * TIMED.elapsed_s)
    found = check_saturation(observed({1: SEEN, 2: busy}, FIFTY))
    assert found == Invalid("invalid", "the server was at its limit: 95% of its core")


def test_the_server_is_not_checked_in_the_warm_up_nor_without_a_log() -> None:
    late = replace(SEEN, server_round=replace(server_round(), late_p99_s=1.0))
    assert check_lateness(observed({0: late}, FIFTY)) is None


def observed(seen: Mapping[int, ObservedRound], expected: Expectation) -> Evidence:
    return replace(with_rounds(TIMED, TIMED, TIMED), seen=seen, expected=expected)
