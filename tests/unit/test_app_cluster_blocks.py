"""What is refused before a cluster is connected, and what is said of its machines."""

import re
from pathlib import Path

import pytest

from bench.app import cluster_blocks
from bench.app.cluster_blocks import machine_lines, machine_warnings, plan_cluster_run
from bench.app.execute import CommandLine
from bench.app.select import load_target
from bench.config.script_config import ScriptOptions
from bench.errors import SetupError, UsageError
from bench.runner.cluster.machines import Machine
from bench.runner.cluster.messages import MachineFacts
from bench.system.optional_dependencies import Extra, install_command
from tests import runs

ADDRESS = "tcp://127.0.0.1:8786"


def test_missing_dask_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_blocks, "DASK", Extra("dask", ("no_such_module",)))
    path = str(runs.config(tmp_path, ["sequential"]))
    with pytest.raises(SetupError, match=f"--on needs no_such_module.*{re.escape(install_command('dask'))}"):
        plan_cluster_run(ADDRESS, path, load_target(path, ScriptOptions()), ScriptOptions(), None)


def test_a_module_is_refused_as_its_package_is_not_sent(tmp_path: Path) -> None:
    path = str(runs.config(tmp_path, ["sequential"]))
    experiment = load_target(path, ScriptOptions())
    with pytest.raises(UsageError, match=r"--on: bench\.errors:main is a module"):
        plan_cluster_run(ADDRESS, "bench.errors:main", experiment, ScriptOptions(), None)


def test_options_that_shape_an_experiment_are_sent(tmp_path: Path) -> None:
    path = str(runs.config(tmp_path, ["sequential", "threadpool_map"]))
    given = ScriptOptions(blocks=7, seed=3)
    plan = plan_cluster_run(ADDRESS, path, load_target(path, given, only="seq*"), given, "seq*")
    assert (plan.sent.only, plan.sent.blocks, plan.sent.seed) == ("seq*", 7, 3)
    assert plan.sent.content == Path(path).read_text("utf-8")


def test_lines_say_which_machines_measure_what_and_what_disturbs_them(tmp_path: Path) -> None:
    experiment = load_target(str(runs.config(tmp_path, ["sequential"])), ScriptOptions())
    machines = [Machine("M1", "tcp://10.0.0.2:1", MachineFacts("h", "f", {}, ("boost: on",)))]
    assert [*machine_lines(machines, experiment)] == [
        "2 blocks of 1 case on 1 machine",
        "M1 is tcp://10.0.0.2:1",
    ]
    assert [*machine_warnings(machines)] == ["warning: M1: boost: on"]


def test_the_path_of_a_cluster_is_not_stored_and_resumes_the_run(tmp_path: Path) -> None:
    command = CommandLine("run", "c.yaml", ("--blocks", "3"), on="private/cluster.yaml")
    assert command.stored == ("run", "CONFIG", "--blocks", "3", "--on", "CLUSTER")
    assert command.to_resume(tmp_path).endswith(f"--blocks 3 --on private/cluster.yaml --resume {tmp_path}")
