"""Hold thousands of connections beside slow-loris clients, which disturb no honest client."""

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

from bench.server.resource_needs import required_descriptors

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

ROOT = Path(__file__).parents[2]


@cache
def own_network() -> tuple[str, ...]:
    """Return the command that runs a program in its own network; empty if that is not allowed."""
    command = ("unshare", "--net")
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return ()
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        return ()
    return command


def hold(honest: int, slow: int, seconds: float) -> dict[str, Any]:
    """Hold connections, with server and clients in their own processes."""
    need = required_descriptors(honest + slow)
    _, have = resource.getrlimit(resource.RLIMIT_NOFILE)
    if have != resource.RLIM_INFINITY and have < need:
        pytest.skip(f"{honest + slow} connections need {need} open files; the limit is {have}")
    network = own_network()
    words = [str(honest), str(slow), str(seconds), *(["own-network"] if network else [])]
    result = subprocess.run(
        [*network, sys.executable, "-m", "tests.connection_holder", *words],
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
    """Check that no honest client was disturbed, and that nothing is left of any client."""
    assert held["errors"] == {}
    assert held["answers"] == honest + (honest + 9) // 10 + honest
    assert held["most_connections"] >= honest + slow // 2
    assert held["dropped"] == 0
    assert held["waits"] == 0
    assert held["left_over"] == 0
    assert held["server_busy"] < 0.5


@pytest.mark.long
def test_three_hundred_connections_are_held() -> None:
    check(hold(300, 50, 2), 300, 50)


@pytest.mark.slow
def test_ten_thousand_connections_are_held_for_a_minute() -> None:
    """Beside a thousand slow clients; each of them times out and connects again."""
    held = hold(10_000, 1_000, 60)
    check(held, 10_000, 1_000)
    assert held["refused"].keys() == {"HTTP/1.1 408 Request Timeout"}
    assert held["refused"]["HTTP/1.1 408 Request Timeout"] >= 3_000
