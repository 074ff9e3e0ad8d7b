"""What a run takes against what there is: found before anything is started, with both named."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bench.errors import ResourceError
from bench.model.cases import Case, Experiment, Fault, Fixed, Profile, Selection, Stopping, Strategy
from bench.model.lower_bound import CaseForecast
from bench.runner.resource_check import (
    Needs,
    definite_shortages,
    possible_port_shortages,
    possible_shortages,
    require_resources,
    resource_needs,
    unknown_limits,
)
from bench.system.limits import Limits, Room
from bench.system.machine import Figure

MIB = 1 << 20
GIB = 1 << 30
FLAGS: Mapping[str, int] = {"BR": 10_000, "CN": 20_000, "IN": 1}
ROOM = Room(Path("/room"), 1, Figure(GIB, "statvfs(3) of /room"), Figure(1e6, "statvfs(3) of /room"))
PLENTY = Limits(
    open_files=Figure(1_000_000, "RLIMIT_NOFILE, hard limit"),
    cores=Figure(8, "sched_getaffinity(2)"),
    tasks=Figure(math.inf, "pids.max"),
    memory=Figure(64 * GIB, "/proc/meminfo"),
    most_memory=Figure(64 * GIB, "/proc/meminfo"),
    ports=Figure(28_232, "ip_local_port_range"),
    port_rest_s=Figure(1, "tcp_tw_reuse"),
    workspace=ROOM,
    results=ROOM,
)


def experiment_of(  # noqa: PLR0913  what a case differs in
    workers: int,
    *,
    face: Literal["sync", "async"] | None = "sync",
    starts_processes: bool = False,
    repeat: int = 1000,
    keep_alive: bool = True,
    pinning: bool = True,
) -> Experiment:
    """Build an experiment of one case."""
    strategy = Strategy("s", Path("s.py"), "", face, takes_workers=True, starts_processes=starts_processes)
    countries = Selection("all", tuple(FLAGS), repeat)
    case = Case("s", "c", workers, Profile("p"), countries, keep_alive=keep_alive)
    return Experiment("e", (case,), {"s": strategy}, 10, 1, 60.0, 30.0, 1, pinning=pinning)


def needs(workers: int, **changes: bool) -> Needs:
    """Return what an experiment of so many workers takes."""
    return resource_needs(experiment_of(workers, **changes), FLAGS)  # type: ignore[arg-type]


def test_a_machine_with_plenty_lacks_nothing() -> None:
    """Ten thousand connections are fine where there is room for them."""
    assert definite_shortages(needs(2000), PLENTY) == ()
    assert unknown_limits(PLENTY) == ()


def test_open_files_are_counted_by_the_process_that_takes_most() -> None:
    """The harness, the server with its reserve, or the worker whose threads or processes have two each."""
    assert needs(1).open_files.taker == "the harness"
    thousand = resource_needs(experiment_of(1000, face="async"), FLAGS).open_files
    assert thousand.taker == "the server, for s/c/1000/p"
    assert 1008 <= thousand.amount <= 1032
    threads = needs(1000).open_files
    assert threads.taker == "the worker, for s/c/1000/p"
    assert 2000 <= threads.amount <= 2032
    pool = needs(1000, starts_processes=True).open_files
    assert pool.taker.startswith("the worker")
    assert pool.amount >= 2000


def test_each_port_of_the_server_takes_a_file() -> None:
    """The plain one is always there; profiles that need the same share theirs."""
    experiment = experiment_of(1000, face="async")
    profiles = [
        Profile("tls", tls=True),
        Profile("slow", Fixed(0.1), tls=True),
        Profile("http2", tls=True, http2=True),
        Profile("refused", faults=(Fault("refused", 1.0),)),
    ]
    cases = tuple(replace(experiment.cases[0], profile=profile) for profile in profiles)
    needed = resource_needs(replace(experiment, cases=cases), FLAGS)
    plain = resource_needs(experiment, FLAGS)
    assert needed.open_files.amount == plain.open_files.amount + 3
    assert needed.comfortable_files.amount == plain.comfortable_files.amount + 3


def test_no_more_connections_are_counted_than_there_are_fetches() -> None:
    """Ten thousand workers with three flags to fetch are three."""
    few = resource_needs(experiment_of(10_000, repeat=1), FLAGS)
    assert few.open_files.taker == "the harness"
    assert few.ports.amount == 3


@pytest.mark.parametrize(
    ("limits", "workers", "said"),
    [
        (
            replace(PLENTY, open_files=Figure(64, "RLIMIT_NOFILE, hard limit")),
            50,
            (
                "open files: it takes 108 (the worker, for s/c/50/p), and there are 64 (RLIMIT_NOFILE, hard "
                "limit); raise the limit with `ulimit -n 108`, or ask for fewer workers"
            ),
        ),
        (
            replace(PLENTY, tasks=Figure(-3, "/sys/fs/cgroup/pids.max")),
            50,
            (
                "threads and processes: it takes 56 (the worker, for s/c/50/p), and there are 0 to be had "
                "(/sys/fs/cgroup/pids.max); raise the limit, end other processes, or ask for fewer workers"
            ),
        ),
        (
            replace(PLENTY, most_memory=Figure(100 * MIB, "memory.max")),
            1,
            (
                "memory: it takes 128 MiB (all processes, for s/c/1/p), and there are 100 MiB in all "
                "(memory.max); free some, or ask for fewer workers"
            ),
        ),
        (
            replace(PLENTY, ports=Figure(10, "/proc/sys/net/ipv4/ip_local_port_range")),
            11,
            (
                "ports: it takes 11 (the worker, for s/c/11/p), and there are 10 "
                "(/proc/sys/net/ipv4/ip_local_port_range); widen net.ipv4.ip_local_port_range, or ask for "
                "fewer workers"
            ),
        ),
        (
            replace(PLENTY, results=replace(ROOM, device=2, free_bytes=Figure(1000, "statvfs(3) of /r"))),
            1,
            (
                "disk for results: it takes 346 KiB (10 trials, about), and there are 1 KiB free in /room "
                "(statvfs(3) of /r); free some, or name a folder elsewhere with --out"
            ),
        ),
        (
            replace(PLENTY, workspace=replace(ROOM, files=Figure(5, "statvfs(3) of /room"))),
            1,
            (
                "files: it takes 22 (the flags, as served and as saved), and there are 5 to be made in /room "
                "(statvfs(3) of /room); free some, or have TMPDIR name a folder elsewhere"
            ),
        ),
    ],
    ids=["open files", "tasks", "memory", "ports", "disk", "files"],
)
def test_what_is_certainly_too_little_is_named_with_need_have_source_and_remedy(
    limits: Limits, workers: int, said: str
) -> None:
    """In one line each, and nothing is started."""
    with pytest.raises(ResourceError) as refused:
        require_resources(definite_shortages(needs(workers), limits))
    assert refused.value.shortages == (said,)


def test_all_that_is_lacking_is_said_at_once() -> None:
    """Whoever mends one thing does not run into the next."""
    limits = replace(
        PLENTY, open_files=Figure(4, "a"), tasks=Figure(4, "b"), memory=Figure(1, "c"), ports=Figure(1, "d")
    )
    with pytest.raises(ResourceError) as refused:
        require_resources(definite_shortages(needs(5), limits))
    assert [line.partition(":")[0] for line in refused.value.shortages] == [
        "open files",
        "threads and processes",
        "ports",
    ]
    assert possible_shortages(definite_shortages(needs(5), limits))[0].startswith("memory: it takes 128 MiB")


def test_the_workspace_holds_all_that_is_served_and_what_one_round_saves() -> None:
    """In whole blocks of the file system."""
    served = {**FLAGS, "US": 10 * MIB}
    without = resource_needs(experiment_of(1), FLAGS)
    with_more = resource_needs(experiment_of(1), served)
    assert with_more.workspace_bytes.amount - without.workspace_bytes.amount == 10 * MIB
    assert with_more.workspace_files.amount - without.workspace_files.amount == 1
    saved_bytes = 4096 * (3 + 5 + 1)
    assert without.workspace_bytes.amount == 256 * 1024 + 2 * saved_bytes


def test_one_file_system_has_to_hold_both_the_workspace_and_the_results() -> None:
    """Room for either of them is not room for both."""
    wanted = needs(1)
    larger = max(wanted.workspace_bytes.amount, wanted.usual_results_bytes.amount)
    room = replace(ROOM, free_bytes=Figure(larger, "statvfs(3) of /room"))
    (shortage,) = definite_shortages(wanted, replace(PLENTY, workspace=room, results=room))
    assert shortage.what == "disk"
    apart = replace(PLENTY, workspace=room, results=replace(room, device=2))
    assert definite_shortages(wanted, apart) == ()


def test_what_may_do_is_only_warned_of() -> None:
    """Connections that are still closing; memory that others may give back; a core to share."""
    wanted = needs(1000)
    limit = Figure(wanted.open_files.amount, "RLIMIT_NOFILE, hard limit")
    limits = replace(PLENTY, open_files=limit, memory=Figure(MIB, "MemAvailable"), cores=Figure(1, "sched"))
    found = definite_shortages(wanted, limits)
    require_resources(found)
    assert [line.partition(":")[0] for line in possible_shortages(found)] == ["open files", "memory", "cores"]
    assert definite_shortages(needs(5, pinning=False), replace(PLENTY, cores=Figure(1, "sched"))) == ()


def test_what_cannot_be_read_is_neither_enough_nor_too_little() -> None:
    """It is said, with the place where it was looked for."""
    unknown = Figure(None, "/proc/nothing")
    dark = replace(ROOM, free_bytes=unknown, files=unknown)
    limits = Limits(
        open_files=unknown,
        cores=unknown,
        tasks=unknown,
        memory=unknown,
        most_memory=unknown,
        ports=unknown,
        port_rest_s=unknown,
        workspace=dark,
        results=dark,
    )
    assert definite_shortages(needs(1000), limits) == ()
    assert possible_port_shortages(experiment_of(1), (), limits) == ()
    assert "open files: not readable here (/proc/nothing), so not looked at" in unknown_limits(limits)
    assert len(unknown_limits(limits)) == 6


def test_memory_and_threads_are_those_of_the_style() -> None:
    """An event loop starts no threads; a process takes more than a thread."""
    assert resource_needs(experiment_of(500, face="async"), FLAGS).tasks.amount < 10
    assert needs(500).tasks.amount > 500
    assert needs(500, starts_processes=True).memory.amount > needs(500).memory.amount + 2 * GIB


@pytest.mark.parametrize(
    ("rest_s", "keep_alive", "is_said"), [(60, False, True), (60, True, False), (1, False, False)]
)
def test_ports_that_rest_are_reckoned_by_the_rate(rest_s: float, keep_alive: bool, is_said: bool) -> None:  # noqa: FBT001  table
    """3,000 connections a round, two rounds, a trial in two seconds: 180,000 in a minute."""
    experiment = experiment_of(10, keep_alive=keep_alive)
    outlook = CaseForecast(experiment.cases[0], 1.0, (2.0,), may_miss_deadline=False)
    said = possible_port_shortages(
        experiment, (outlook,), replace(PLENTY, port_rest_s=Figure(rest_s, "tcp_tw_reuse"))
    )
    assert bool(said) is is_said
    if is_said:
        assert said[0].startswith(
            "ports: about 180,000 may be in use or rest for 60 s after use (s/c/10/p/close)"
        )


def test_only_the_blocks_that_are_certain_need_room() -> None:
    """Precision may end a run after the least of them."""
    experiment = replace(experiment_of(1), stopping=Stopping(2, None, None))
    assert resource_needs(experiment, FLAGS).results_bytes.taker == "2 trials, about"


def test_trials_that_are_kept_need_no_further_room() -> None:
    """A run that goes on takes what is left of it."""
    experiment = replace(experiment_of(1), blocks=500)
    assert resource_needs(experiment, FLAGS, kept=499).results_bytes.taker == "1 trials, about"


def test_room_that_may_do_is_no_reason_to_refuse() -> None:
    """How long a trial's line will be is not known before."""
    wanted = resource_needs(replace(experiment_of(1), blocks=500), FLAGS)
    little = replace(ROOM, device=2, free_bytes=Figure(wanted.results_bytes.amount, "statvfs(3) of /room"))
    (shortage,) = definite_shortages(wanted, replace(PLENTY, results=little))
    assert (shortage.what, shortage.is_certain) == ("disk for results", False)
