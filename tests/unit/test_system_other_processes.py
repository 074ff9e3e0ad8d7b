"""Measuring the processes outside of a run."""

import os
import subprocess
import sys

import pytest

from bench.model.results import OtherProcesses, ProcessUse
from bench.system.other_processes import (
    ProcessTimes,
    others_between,
    parse_process,
    read_process_times,
    sum_sessions,
)

TICKS = os.sysconf("SC_CLK_TCK")


def test_processes_are_added_up_by_name_and_the_rest_has_ended() -> None:
    before = ProcessTimes(100.0, 50.0, 10.0, {("7", "1"): ("web", 5.0), ("8", "1"): ("gone", 9.0)})
    others = {
        ("7", "1"): ("web", 6.0),
        ("9", "4"): ("web", 0.5),
        ("8", "2"): ("reused", 0.2),
        ("5", "1"): ("little", 0.05),
        ("6", "1"): ("third", 0.15),
        ("4", "1"): ("fourth", 0.12),
    }
    after = ProcessTimes(110.0, 56.0, 13.0, others)
    found = others_between(before, after)
    assert [use.name for use in found.processes] == ["web", "reused", "third"]
    assert [use.cpu_s for use in found.processes] == pytest.approx([1.5, 0.2, 0.15])
    assert found.lasted_s == 10.0
    assert found.rest_s == pytest.approx(3.0 - 1.5 - 0.2 - 0.15 - 0.12 - 0.05)


def test_processes_that_used_less_than_a_hundredth_of_a_core_are_not_named() -> None:
    before = ProcessTimes(0.0, 0.0, 0.0, {})
    found = others_between(before, ProcessTimes(10.0, 0.09, 0.0, {("7", "1"): ("little", 0.09)}))
    assert found == OtherProcesses(10.0, (), 0.0)
    after = ProcessTimes(10.0, 0.1, 0.0, {("7", "1"): ("more", 0.1)})
    assert others_between(before, after).processes == (ProcessUse("more", 0.1),)


def test_sessions_are_added_up_by_name_and_the_greatest_are_kept() -> None:
    first = OtherProcesses(10.0, (ProcessUse("web", 3.0), ProcessUse("mail", 1.0)), 0.5)
    second = OtherProcesses(
        2.0, (ProcessUse("build", 2.5), ProcessUse("mail", 1.5), ProcessUse("disk", 0.1)), 0.25
    )
    found = sum_sessions((first, second))
    assert found == OtherProcesses(
        12.0, (ProcessUse("web", 3.0), ProcessUse("mail", 2.5), ProcessUse("build", 2.5)), 0.75
    )
    assert sum_sessions((first,)) == first
    assert sum_sessions(()) is None


def test_a_name_may_hold_spaces_and_parentheses() -> None:
    stat = f"7 (a (b) c) R {' '.join(map(str, range(4, 23)))} 99\n"
    assert parse_process(stat) == ("a (b) c", "22", (14 + 15) / TICKS)
    assert parse_process("7 (x) Z 1") is None


@pytest.mark.skipif(sys.platform != "linux", reason="it takes /proc")
def test_own_processes_are_left_out_and_others_are_found() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            found = read_process_times(lambda: 1.5)
        finally:
            child.kill()
    assert found is not None
    assert found.own_s == 1.5
    pids = {pid for pid, _ in found.others}
    assert not pids & {str(os.getpid()), str(child.pid)}
