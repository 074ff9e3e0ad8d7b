"""What the machine did during a trial, and what of it makes a timing worthless."""

import os
from dataclasses import replace

import pytest

from bench.machine.conditions import Processors, Snapshot, conditions, disturbance, processors_of, snapshot

BEFORE = Snapshot(100.0, 1e9, 100.0, 50.0, 1.0, 200.0, 20.0, 3, 7)
CALM = Snapshot(101.0, 1e9 + 1, 101.0, 50.5, 1.0, 201.5, 20.45, 3, 7)
"""A second in which the run used 0.45 s of processor time, and others 0.05 s."""


def test_a_calm_machine_disturbs_nothing() -> None:
    """A little of everything is always going on."""
    assert disturbance(BEFORE, CALM) == ""
    seen = conditions(BEFORE, CALM)
    assert (round(seen.strangers, 6), seen.stolen) == (0.05, 0.0)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (replace(CALM, boot_s=161.0, wall_s=1e9 + 61), "the machine slept for 60 s"),
        (replace(CALM, wall_s=1e9 - 4), "the clock jumped by -5 s"),
        (replace(CALM, dropped=5), "the kernel dropped connections: 2 (ListenOverflows, ListenDrops)"),
        (replace(CALM, swapped=107), "memory was swapped: 100 pages"),
        (replace(CALM, processes_s=50.95), "others used 50% of a core"),
        (replace(CALM, processes_s=52.0, own_s=21.95, idle_s=200.02), "every core of the machine was busy"),
    ],
)
def test_what_spoils_a_timing_is_said(after: Snapshot, said: str) -> None:
    """In one line, with the figure."""
    assert disturbance(BEFORE, after) == said


def test_stolen_time_is_a_strangers() -> None:
    """What the hypervisor gave to other machines was not ours."""
    after = replace(CALM, processes_s=50.85, stolen_s=1.35)
    seen = conditions(BEFORE, after)
    assert (round(seen.strangers, 6), round(seen.stolen, 6)) == (0.4, 0.35)


def test_rounding_does_not_make_time_negative() -> None:
    """The kernel counts ticks; a process that ran between them seems to have used more than all."""
    assert conditions(BEFORE, replace(CALM, processes_s=50.4)).strangers == 0.0


def test_interrupts_and_guests_belong_to_nobody() -> None:
    """User nice system idle iowait irq softirq steal guest guest_nice, in hundredths."""
    stat = (
        "cpu  9 9 9 9 9 9 9 9 9 9\n"
        "cpu0 60 10 40 2000 200 70 80 50 9 9\n"
        "cpu1 40 0 0 1000 0 7 8 0 0 0\n"
        "cpu10 5000 0 0 0 0 0 0 0 0 0\n"
        "intr 1 2 3\n"
    )
    assert processors_of(stat, {0, 1}) == Processors(2.0, 0.5, 32.0)
    assert processors_of(stat, {1}) == Processors(0.4, 0.0, 10.0)
    assert processors_of(stat, {7}) == Processors(0.0, 0.0, 0.0)


def test_this_machine_can_be_read() -> None:
    """Counters do not go backwards."""
    usable = os.sched_getaffinity(0)
    before, after = snapshot(usable, lambda: 0.0), snapshot(usable, lambda: 0.0)
    assert before is not None
    assert after is not None
    assert after.at_s >= before.at_s
    assert after.processes_s >= before.processes_s
    assert after.idle_s >= before.idle_s
    assert after.oom_kills >= before.oom_kills
