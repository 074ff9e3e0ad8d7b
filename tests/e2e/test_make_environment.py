"""The environment of `make run`: what installs its packages, and in which order it is tried."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
UV: Final = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in *"-r requirements.txt") cp "$0" "{environment}/bin/uv" ;; esac
"""


def make(environment: Path, changes: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Make the environment, by a Python and by tools of the system alone."""
    return subprocess.run(
        ["make", f"PYTHON={sys.base_prefix}/bin/python3", f"VENV={environment}", f"{environment}/run.stamp"],
        cwd=ROOT,
        env={"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin", **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.mark.long
def test_uv_that_is_there_installs_the_locked_packages_and_then_pip(tmp_path: Path) -> None:
    log, environment, tools = tmp_path / "log", tmp_path / "environment", tmp_path / "tools"
    tools.mkdir()
    (tools / "uv").write_text(UV.format(log=log, environment=environment), "ascii")
    (tools / "uv").chmod(0o755)
    ended = make(environment, {"PATH": f"{tools}:/usr/bin:/bin"})
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"installing the locked packages of requirements.txt into {environment}\n"
    version, packages, pip = log.read_text("utf-8").splitlines()
    assert version == "--version"
    assert packages.endswith("--require-hashes -r requirements.txt")
    assert "--no-index --find-links /" in pip
    assert (environment / "run.stamp").exists()
    assert not list(environment.glob("lib/python*/site-packages/pip"))  # that took five seconds


@pytest.mark.long
def test_packages_that_nothing_can_install_are_not_called_installed(tmp_path: Path) -> None:
    ended = make(tmp_path, {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull})
    assert ended.returncode != 0
    assert "No matching distribution" in ended.stderr
    assert not (tmp_path / "run.stamp").exists()
    assert list(tmp_path.glob("lib/python*/site-packages/pip"))  # the last that was tried
