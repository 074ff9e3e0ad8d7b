"""Run commands in repositories with revisions of this project to compare."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.package_index import need_index
from tests.repositories import Repository, own_repository, planted
from tests.runs import ROOT


def with_planted(folders: pytest.TempPathFactory, nap_s: float) -> Repository:
    """Make a repository of this project with a branch ``planted`` on which each fetch sleeps first.

    Both branches have ``performance.yaml``, a config of two cases. Skip the test if no virtual environment
    can be made.
    """
    need_index(folders.mktemp("target"))
    made = own_repository(folders.mktemp("revisions") / "repository")
    config(made.folder, name="performance", strategies=["threadpool_map", "sequential"])
    made.commit("Ask for two strategies")
    planted(made, "planted", nap_s)
    return made


def config(folder: Path, **changes: object) -> Path:
    """Write a config of one case with 20 ms of latency, and return its path."""
    settings = {
        "name": "test",
        "countries": "pop20",
        "workers": 20,
        "clients": ["urllib3"],
        "strategies": ["threadpool_map"],
        "profile": {"latency": "20ms"},
        "rounds": 1,
        "metrics": "elapsed",
        **changes,
    }
    path = folder / f"{settings['name']}.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    return path


def words(*said: str | Path) -> list[str]:
    """Return the command line of the program."""
    return [sys.executable, "-m", "bench", *map(str, said)]


def environment(cache: Path) -> dict[str, str]:
    """Return an environment in which this checkout runs, in whatever folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "FLAGBENCH_CACHE": str(cache)}
