"""Detecting disturbances of a trial."""

import os
import resource
from dataclasses import replace

import pytest

from bench.system.disturbance import (
    ProcessorTimes,
    Snapshot,
    conditions_between,
    count_dropped_connections,
    find_disturbance,
    find_interruption,
    major_faults,
    refused_connections,
    sum_processor_times,
    take_snapshot,
)

BEFORE = Snapshot(100.0, 1e9, 100.0, 50.0, 1.0, 200.0, 20.0, 3, 7)
CALM = Snapshot(101.0, 1e9 + 1, 101.0, 50.5, 1.0, 201.5, 20.45, 3, 7)
"""A second in which the run used 0.45 s of processor time, and others 0.05 s."""


def test_little_activity_of_others_is_no_disturbance() -> None:
    assert find_disturbance(BEFORE, CALM) is None
    assert find_interruption(BEFORE, CALM) is None
    seen = conditions_between(BEFORE, CALM)
    assert (round(seen.strangers, 6), seen.stolen) == (0.05, 0.0)


@pytest.mark.parametrize(
    ("after", "description"),
    [
        (replace(CALM, boot_s=161.0, wall_s=1e9 + 61), "the machine slept for 60 s"),
        (replace(CALM, wall_s=1e9 - 4), "the clock jumped by -5 s"),
        (
            replace(CALM, swapped=107, own_faults=3),
            "memory was swapped: 100 pages, and the run's processes waited for 3 pages from a disk",
        ),
        (replace(CALM, oom_kills=2), "memory ran out, and the kernel killed processes: 2"),
    ],
)
def test_interruption_is_described_with_its_figure(after: Snapshot, description: str) -> None:
    assert find_interruption(BEFORE, after) == description
    assert find_disturbance(BEFORE, after) is None


@pytest.mark.parametrize(
    "after", [replace(CALM, swapped=5000), replace(CALM, own_faults=40)], ids=["swapping", "cold files"]
)
def test_pages_that_other_processes_swapped_are_no_interruption(after: Snapshot) -> None:
    """A page that is read without any swapping is of a file, such as that of a library."""
    assert find_interruption(BEFORE, after) is None


@pytest.mark.parametrize(
    ("after", "description"),
    [
        (replace(CALM, processes_s=50.95), "others used 50% of a core"),
        (replace(CALM, processes_s=52.0, own_s=21.95, idle_s=200.02), "every core of the machine was busy"),
    ],
)
def test_disturbance_is_described_with_its_figure(after: Snapshot, description: str) -> None:
    assert find_disturbance(BEFORE, after) == description
    assert find_interruption(BEFORE, after) is None


def test_dropped_connections_are_counted() -> None:
    reason = "the kernel dropped connections: 2 (ListenOverflows, ListenDrops)"
    assert refused_connections(BEFORE, replace(CALM, dropped=5)) == reason


def test_missing_counters_of_count_dropped_connections_are_unknown() -> None:
    text = "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 7 2 3\nIpExt: InOctets\nIpExt: 9\n"
    assert count_dropped_connections(text) == 3
    assert count_dropped_connections("TcpExt: SyncookiesSent\nTcpExt: 7\n") is None
    assert count_dropped_connections("") is None
    assert refused_connections(replace(BEFORE, dropped=None), CALM) is None
    assert refused_connections(BEFORE, replace(CALM, dropped=None)) is None


@pytest.mark.parametrize(
    ("moved_s", "slept_s", "is_disturbance"),
    [(0.05, 0.0, False), (0.2, 0.0, True), (-0.2, 0.0, True), (0.0, 0.04, False), (0.0, 0.2, True)],
)
def test_small_clock_corrections_are_tolerated(moved_s: float, slept_s: float, is_disturbance: bool) -> None:  # noqa: FBT001  table
    after = replace(CALM, wall_s=CALM.wall_s + moved_s + slept_s, boot_s=CALM.boot_s + slept_s)
    assert (find_interruption(BEFORE, after) is not None) is is_disturbance


def test_stolen_time_counts_as_used_by_others() -> None:
    after = replace(CALM, processes_s=50.85, stolen_s=1.35)
    seen = conditions_between(BEFORE, after)
    assert (round(seen.strangers, 6), round(seen.stolen, 6)) == (0.4, 0.35)


def test_rounding_of_ticks_does_not_make_time_negative() -> None:
    assert conditions_between(BEFORE, replace(CALM, processes_s=50.4)).strangers == 0.0


def test_interrupts_and_guests_are_left_out_of_processor_times() -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice, in hundredths of a second
    stat = (
        "cpu  9 9 9 9 9 9 9 9 9 9\n"
        "cpu0 60 10 40 2000 200 70 80 50 9 9\n"
        "cpu1 40 0 0 1000 0 7 8 0 0 0\n"
        "cpu10 5000 0 0 0 0 0 0 0 0 0\n"
        "intr 1 2 3\n"
    )
    assert sum_processor_times(stat, {0, 1}) == ProcessorTimes(2.0, 0.5, 32.0)
    assert sum_processor_times(stat, {1}) == ProcessorTimes(0.4, 0.0, 10.0)
    assert sum_processor_times(stat, {7}) == ProcessorTimes(0.0, 0.0, 0.0)


def test_counters_of_this_machine_do_not_decrease() -> None:
    usable = os.sched_getaffinity(0)
    before, after = (take_snapshot(usable, lambda: 0.0, lambda: major_faults(os.getpid())) for _ in range(2))
    assert before is not None
    assert after is not None
    assert after.at_s >= before.at_s
    assert after.processes_s >= before.processes_s
    assert after.idle_s >= before.idle_s
    assert after.oom_kills >= before.oom_kills
    assert after.own_faults >= before.own_faults


def test_pages_that_come_from_a_disk_are_counted_as_the_kernel_does() -> None:
    assert major_faults(os.getpid()) == resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    assert major_faults(1 << 22) == 0  # no process has such an id
