"""Thousands of connections that stay, with slow-loris clients beside them: the honest ones notice nothing."""

import json
import os
import resource
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bench.server.accept_loop import descriptors_for

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

ROOT = Path(__file__).parents[2]


@cache
def own_network() -> tuple[str, ...]:
    """Return the command that gives a program a network of its own; nothing where that is not allowed."""
    command = ("unshare", "--net")
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return ()
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        return ()
    return command


def hold(honest: int, slow: int, seconds: float) -> dict[str, Any]:
    """Hold so many connections, with both sides in processes of their own."""
    need = descriptors_for(honest + slow)
    _, have = resource.getrlimit(resource.RLIMIT_NOFILE)
    if have != resource.RLIM_INFINITY and have < need:
        pytest.skip(f"{honest + slow} connections take {need} open files, and there may be {have}")
    network = own_network()
    words = [str(honest), str(slow), str(seconds), *(["own-network"] if network else [])]
    result = subprocess.run(
        [*network, sys.executable, "-m", "tests.holding", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 300,
    )
    assert result.returncode == 0, result.stderr
    held: dict[str, Any] = json.loads(result.stdout)
    return held


def check(held: dict[str, Any], honest: int, slow: int) -> None:
    """Say that no honest client noticed, and that nothing is left of anybody."""
    assert held["errors"] == {}
    assert held["answers"] == honest + (honest + 9) // 10 + honest
    assert held["most_connections"] >= honest + slow // 2
    assert held["dropped"] == 0
    assert held["waits"] == 0
    assert held["left_over"] == 0
    assert held["server_busy"] < 0.5


def test_three_hundred_connections_are_held() -> None:
    """For two seconds, with fifty slow clients beside them."""
    check(hold(300, 50, 2), 300, 50)


@pytest.mark.slow
def test_ten_thousand_connections_are_held_for_a_minute() -> None:
    """With a thousand slow clients beside them, every one of whom is told to hurry and comes again."""
    held = hold(10_000, 1_000, 60)
    check(held, 10_000, 1_000)
    assert held["refused"].keys() == {"HTTP/1.1 408 Request Timeout"}
    assert held["refused"]["HTTP/1.1 408 Request Timeout"] >= 3_000
