"""Finding processes without their list in ``/proc``."""

import os
import subprocess
import sys

import pytest

from bench.system import process_tree
from bench.system.process_tree import children, descendants, find_children, process_and_descendants


def test_running_children_are_found_by_trying_ids() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            assert child.pid in find_children(child.pid)
            assert child.pid not in find_children(child.pid + 1)
            assert os.getpid() not in find_children(os.getpid())
        finally:
            child.kill()


def test_ended_child_is_not_found_before_it_is_waited_for() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert child.pid not in find_children(child.pid)


def test_ids_that_start_again_are_tried_from_the_lowest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_tree, "_ID_LIMIT", 1000)
    monkeypatch.setattr(process_tree, "_take_newest_id", lambda: 4)
    tried: list[int] = []

    def is_child(pid: int) -> bool:
        tried.append(pid)
        return pid == 3

    monkeypatch.setattr(process_tree, "_is_running_child", is_child)
    assert find_children(998) == [3]
    assert tried == [998, 999, 2, 3]


def test_other_systems_are_not_asked_for_children_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(os, "waitid")
    assert find_children(2) == []


def test_nothing_is_taken_from_the_list_of_another_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            assert child.pid in descendants(os.getpid())
            monkeypatch.setattr(os, "readlink", lambda _path: "1")
            assert descendants(os.getpid()) == children(os.getpid()) == []
            assert process_and_descendants(os.getpid()) == []
        finally:
            child.kill()
