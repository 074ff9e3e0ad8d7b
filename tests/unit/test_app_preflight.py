"""Comparing the needs of a run with the limits of a machine."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bench.app import preflight
from bench.app.preflight import (
    Needs,
    check_import_path,
    check_resources,
    find_shortages,
    port_shortage,
    resource_needs,
    resource_warnings,
    shared_core_note,
    unreadable_limits,
)
from bench.errors import ResourceError, SetupError
from bench.model.body_sizes import FixedSize
from bench.model.cases import Case, Experiment, Fault, Fixed, Profile, Selection, Stopping, Strategy
from bench.model.lower_bound import CaseForecast
from bench.model.work import Work
from bench.system.cpu_affinity import Pinning
from bench.system.limits import DiskSpace, Limits
from bench.system.machine import Figure

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
FLAGS: Mapping[str, int] = {"BR": 10_000, "CN": 20_000, "IN": 1}
DISK = DiskSpace(1, Figure(GIB, "statvfs(3) of /disk"))
PLENTY = Limits(
    open_files=Figure(1_000_000, "RLIMIT_NOFILE, hard limit"),
    ports=Figure(28_232, "ip_local_port_range"),
    time_wait_s=Figure(1, "tcp_tw_reuse"),
    workspace=DISK,
    results=DISK,
)


def experiment_of(
    workers: int,
    *,
    face: Literal["sync", "async"] | None = "sync",
    starts_processes: bool = False,
    repeat: int = 1000,
    keep_alive: bool = True,
) -> Experiment:
    """Build an experiment of one case."""
    strategy = Strategy("s", Path("s.py"), "", face, takes_workers=True, starts_processes=starts_processes)
    countries = Selection("all", tuple(FLAGS), repeat)
    case = Case("s", "c", workers, Profile("p"), countries, keep_alive=keep_alive)
    return Experiment("e", (case,), {"s": strategy}, 10, 1, 60.0, 30.0, 1)


def needs(workers: int, **changes: bool) -> Needs:
    """Return the needs of an experiment with this many workers."""
    return resource_needs(experiment_of(workers, **changes), FLAGS)  # type: ignore[arg-type]


def test_two_thousand_workers_are_fine_with_high_limits() -> None:
    assert find_shortages(needs(2000), PLENTY) == ()
    assert unreadable_limits(PLENTY) == ()


def test_open_files_are_those_of_the_process_with_most_of_them() -> None:
    assert needs(1).open_files.consumer == "the harness"
    event_loop = resource_needs(experiment_of(1000, face="async"), FLAGS).open_files
    assert event_loop.consumer == "the server for s/c/1000/p"
    assert 1008 <= event_loop.amount <= 1032
    threads = needs(1000).open_files
    assert threads.consumer == "the worker of s/c/1000/p"
    assert 2000 <= threads.amount <= 2032
    pool = needs(1000, starts_processes=True).open_files
    assert pool.consumer.startswith("the worker")
    assert pool.amount >= 2000


def test_each_port_of_the_server_needs_an_open_file() -> None:
    experiment = experiment_of(1000, face="async")
    profiles = [
        Profile("tls", tls=True),
        Profile("slow", Fixed(0.1), tls=True),  # shares the port of the first
        Profile("http2", tls=True, http2=True),
        Profile("refused", faults=(Fault("refused", 1.0),)),
    ]
    cases = tuple(replace(experiment.cases[0], profile=profile) for profile in profiles)
    several = resource_needs(replace(experiment, cases=cases), FLAGS)
    plain = resource_needs(experiment, FLAGS)
    assert several.open_files.amount == plain.open_files.amount + 3


def test_workers_beyond_the_fetches_need_nothing() -> None:
    few = resource_needs(experiment_of(10_000, repeat=1), FLAGS)
    assert few.open_files.consumer == "the harness"
    assert few.ports.amount == 3


@pytest.mark.parametrize(
    ("limits", "workers", "line"),
    [
        (
            replace(PLENTY, open_files=Figure(64, "RLIMIT_NOFILE, hard limit")),
            50,
            (
                "open files: 108 needed by the worker of s/c/50/p, 64 available (RLIMIT_NOFILE, hard limit); "
                "raise the limit with `ulimit -n 108`, or use fewer workers"
            ),
        ),
        (
            replace(PLENTY, open_files=Figure(12, "RLIMIT_NOFILE, hard limit")),
            1,
            (
                "open files: 16 needed by the harness, 12 available (RLIMIT_NOFILE, hard limit); "
                "raise the limit with `ulimit -n 16`"
            ),
        ),
        (
            replace(PLENTY, ports=Figure(10, "/proc/sys/net/ipv4/ip_local_port_range")),
            11,
            (
                "ports: 11 needed by the worker of s/c/11/p, 10 available "
                "(/proc/sys/net/ipv4/ip_local_port_range); widen net.ipv4.ip_local_port_range, or use fewer "
                "workers"
            ),
        ),
        (
            replace(PLENTY, results=DiskSpace(2, Figure(1000, "statvfs(3) of /r"))),
            1,
            (
                "disk for results: 346 KiB needed by 10 trials, 1 KiB available (statvfs(3) of /r); free "
                "some, or name another folder with --out"
            ),
        ),
        (
            replace(PLENTY, workspace=DiskSpace(2, Figure(1000, "statvfs(3) of /t"))),
            1,
            (
                "disk for temporary files: 328 KiB needed by the flags, 1 KiB available (statvfs(3) of /t); "
                "free some, or name another folder with TMPDIR"
            ),
        ),
    ],
    ids=["open files", "of the harness", "ports", "results", "temporary files"],
)
def test_shortage_is_a_line_with_need_limit_source_and_remedy(
    limits: Limits, workers: int, line: str
) -> None:
    assert find_shortages(needs(workers), limits) == (line,)


def test_all_shortages_are_reported_at_once() -> None:
    limits = replace(PLENTY, open_files=Figure(4, "a"), ports=Figure(1, "b"))
    lines = find_shortages(needs(5), limits)
    assert [line.partition(":")[0] for line in lines] == ["open files", "ports"]


def test_workspace_holds_all_served_flags_and_those_of_one_round_in_whole_blocks() -> None:
    served = {**FLAGS, "US": 10 * MIB}
    without = resource_needs(experiment_of(1), FLAGS).workspace_bytes
    with_more = resource_needs(experiment_of(1), served).workspace_bytes
    assert with_more.amount - without.amount == 10 * MIB
    saved_bytes = 4096 * (3 + 5 + 1)
    assert without.amount == 256 * KIB + 2 * saved_bytes


def test_one_disk_must_hold_both_temporary_files_and_results() -> None:
    wanted = needs(1)
    larger = max(wanted.workspace_bytes.amount, wanted.results_bytes.amount)
    space = DiskSpace(1, Figure(larger, "statvfs(3) of /disk"))
    (line,) = find_shortages(wanted, replace(PLENTY, workspace=space, results=space))
    assert line.startswith("disk: 674 KiB needed by the flags and 10 trials, ")
    two_disks = replace(PLENTY, workspace=space, results=replace(space, device=2))
    assert find_shortages(wanted, two_disks) == ()


def test_unreadable_limits_are_no_shortage_and_are_reported() -> None:
    unknown = Figure(None, "/proc/nothing")
    disk = DiskSpace(-1, unknown)
    limits = Limits(unknown, unknown, unknown, disk, disk)
    experiment = experiment_of(1000)
    assert find_shortages(resource_needs(experiment, FLAGS), limits) == ()
    assert resource_warnings((), limits) == (
        "ports: not readable here (/proc/nothing), so not checked",
        "disk for temporary files: not readable here (/proc/nothing), so not checked",
        "disk for results: not readable here (/proc/nothing), so not checked",
    )


REMEDY = {
    (60, False): "keep connections alive, or `sudo sysctl net.ipv4.tcp_tw_reuse=2`",
    (60, True): "`sudo sysctl net.ipv4.tcp_tw_reuse=2`, or widen net.ipv4.ip_local_port_range",
    (1, False): "keep connections alive, or widen net.ipv4.ip_local_port_range",
}


@pytest.mark.parametrize(
    ("time_wait_s", "keep_alive", "round_s", "ports", "needed"),
    [
        (60, False, 1.0, 28_232, 180_000),  # 3,000 connections a round, two rounds in two seconds
        (60, False, 100.0, 28_232, None),
        (60, True, 1.0, 28_232, None),
        (60, True, 1.0, 100, 600),
        (1, False, 1.0, 28_232, None),
        (1, False, 1.0, 2_999, 3_000),
        (1, False, 10.0, 2_999, None),
    ],
)
def test_ports_in_time_wait_are_estimated_from_the_rate(
    time_wait_s: float,
    keep_alive: bool,  # noqa: FBT001  table
    round_s: float,
    ports: int,
    needed: int | None,
) -> None:
    experiment = experiment_of(10, keep_alive=keep_alive)
    forecast = CaseForecast(
        experiment.cases[0], 0.0, (2 * round_s,), may_miss_deadline=False, round_s=round_s
    )
    limits = replace(
        PLENTY, time_wait_s=Figure(time_wait_s, "tcp_tw_reuse"), ports=Figure(ports, "ip_local_port_range")
    )
    line = port_shortage((forecast,), limits)
    assert resource_warnings((forecast,), limits) == (() if line is None else (line,))
    if needed is None:
        assert line is None
    else:
        close = "" if keep_alive else "/close"
        assert line == (
            f"ports: {needed:,} needed by s/c/10/p{close}, by estimate, as TIME_WAIT keeps each for "
            f"{time_wait_s:g} s, {ports:,} available (ip_local_port_range, tcp_tw_reuse); "
            f"{REMEDY[int(time_wait_s), keep_alive]}"
        )


def test_many_connections_of_a_long_round_do_not_exhaust_reused_ports() -> None:
    """611,100 connections in a trial of five minutes are 2,000 a second, each busy for one."""
    experiment = experiment_of(100, repeat=101_850, keep_alive=False)
    forecast = CaseForecast(experiment.cases[0], 0.0, (305.0,), may_miss_deadline=False, round_s=152.0)
    assert port_shortage((forecast,), PLENTY) is None


def test_advice_does_not_name_what_is_set_already() -> None:
    experiment = experiment_of(10)
    forecast = CaseForecast(experiment.cases[0], 0.0, (0.01,), may_miss_deadline=False, round_s=0.001)
    widest = replace(PLENTY, ports=Figure(64_512, "ip_local_port_range"), time_wait_s=Figure(60, "tw"))
    reused = replace(widest, ports=Figure(9, "ip_local_port_range"), time_wait_s=Figure(1, "tw"))
    for limits, absent in ((widest, "ip_local_port_range,"), (reused, "tcp_tw_reuse=2")):
        line = port_shortage((forecast,), limits)
        assert line is not None
        _, _, advice = line.partition("; ")
        assert "keep connections alive" not in advice
        assert absent not in advice
    many = resource_needs(experiment_of(70_000, repeat=30_000), FLAGS)
    (shortage,) = find_shortages(many, widest)
    assert shortage.endswith("; use fewer workers")


def test_only_the_least_number_of_blocks_needs_disk_space() -> None:
    experiment = replace(experiment_of(1), stopping=Stopping(2, None, None))
    assert resource_needs(experiment, FLAGS).results_bytes.consumer == "2 trials"


def test_kept_trials_need_no_further_disk_space() -> None:
    experiment = replace(experiment_of(1), blocks=500)
    assert resource_needs(experiment, FLAGS, kept=499).results_bytes.consumer == "1 trial"


def test_limits_are_returned_if_they_suffice_and_all_shortages_raised_if_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flags = {code: bytes(size) for code, size in FLAGS.items()}
    monkeypatch.setattr(preflight, "read_limits", lambda _workspace, _results, **_: PLENTY)
    assert check_resources(experiment_of(1), flags, tmp_path) == PLENTY
    little = replace(PLENTY, open_files=Figure(4, "a"), ports=Figure(0, "b"))
    monkeypatch.setattr(preflight, "read_limits", lambda _workspace, _results, **_: little)
    with pytest.raises(ResourceError) as refused:
        check_resources(experiment_of(1), flags, tmp_path)
    assert len(refused.value.shortages) == 2


def test_project_in_a_folder_that_no_import_path_can_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_import_path()
    monkeypatch.setattr(preflight, "import_path", lambda: ("/bench", "/jobs/12:30"))
    with pytest.raises(SetupError, match="the folder /jobs/12:30 cannot be on an import path"):
        check_import_path()


@pytest.mark.parametrize(
    ("worker", "starts_processes", "times", "is_noted"),
    [
        ((1,), True, 5, True),
        ((1, 3), True, 5, False),
        ((), True, 5, False),
        ((1,), False, 5, False),
        ((1,), True, 0, False),
    ],
)
def test_processes_that_share_a_processor_for_their_work_are_noted(
    *, worker: tuple[int, ...], starts_processes: bool, times: int, is_noted: bool
) -> None:
    experiment = experiment_of(4, starts_processes=starts_processes)
    (case,) = experiment.cases
    experiment = replace(experiment, cases=(replace(case, work=Work("json", times)),))
    note = shared_core_note(experiment, Pinning(server=(0,), worker=worker, harness=(0,)))
    assert (note is not None) == is_noted
    assert note is None or note.startswith("the processes of s share the one CPU")


@pytest.mark.parametrize(("scheduler", "is_noted"), [("", True), ("tcp://10.0.0.1:8786", False)])
def test_processes_of_an_embedded_cluster_share_it_too(*, scheduler: str, is_noted: bool) -> None:
    experiment = experiment_of(4)
    (case,), strategy = experiment.cases, experiment.strategies["s"]
    experiment = replace(
        experiment,
        cases=(replace(case, work=Work("json", 1), scheduler=scheduler),),
        strategies={"s": replace(strategy, uses_cluster=True)},
    )
    assert (shared_core_note(experiment, Pinning(worker=(1,))) is not None) == is_noted


def test_bodies_of_a_profile_need_room_beside_the_flags() -> None:
    """The reference has those of the cases; a round has as many, and those that still come."""
    plain = experiment_of(2, repeat=3)
    (case,) = plain.cases
    for size_bytes, coming in ((1_000, 0), (10 * MIB, 2)):
        sized = replace(case.profile, sizes=FixedSize(size_bytes))
        of_round = 2 * 3 + coming  # reference and round have three, and each worker one more
        saved = resource_needs(replace(plain, cases=(replace(case, profile=sized),)), FLAGS)
        without = resource_needs(plain, FLAGS)
        blocks = -(-size_bytes // 4096) * 4096
        flags = sum(-(-each // 4096) * 4096 for each in FLAGS.values())
        expected = without.workspace_bytes.amount - flags + of_round * blocks
        assert saved.workspace_bytes.amount == expected


def test_each_large_body_in_flight_needs_a_file() -> None:
    plain = experiment_of(500)
    (case,) = plain.cases
    large = replace(case, profile=replace(case.profile, sizes=FixedSize(MIB)))
    found = [resource_needs(replace(plain, cases=(each,)), FLAGS).open_files.amount for each in (case, large)]
    assert found[1] - found[0] == 500
