"""Prepare a run on the machines of a cluster: what they are sent, and what is said about them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.app.cluster_check import check_cluster
from bench.app.output import print_note
from bench.app.select import find_script, script_config, script_config_name
from bench.app.served_files import with_files
from bench.config.cluster_file import read_cluster
from bench.config.imported_modules import imported_modules
from bench.config.loader import find_config
from bench.config.script_config import ScriptOptions
from bench.config.yaml_reader import read_file
from bench.errors import SetupError, UsageError
from bench.model.cases import Experiment
from bench.model.scheduler import Scheduler
from bench.model.text import plural
from bench.runner.cluster.fleet import Connection, Fleet, open_connection
from bench.runner.cluster.machines import Machine, name_machines, one_per_host
from bench.runner.cluster.messages import MachineFacts, SentConfig
from bench.runner.cluster.sent_config import send_config
from bench.runner.run_document import config_record
from bench.system.optional_dependencies import DASK, missing_extra


@dataclass(frozen=True, slots=True)
class ClusterRun:
    """The cluster that measures a run, and the config that its machines are sent."""

    scheduler: Scheduler
    sent: SentConfig


@dataclass(frozen=True, slots=True)
class OpenCluster:
    """A cluster that is connected, and what its machines have said of themselves.

    Attributes:
        found: one dask worker of each machine, by address.
    """

    connection: Connection
    found: dict[str, MachineFacts]

    def fleet(self, known: dict[str, Any]) -> Fleet:
        """Return the machines with their labels, given those that the run knows.

        Raises:
            SetupError: a machine is not as it was.
        """
        return Fleet(self.connection, name_machines(self.found, known))


def plan_cluster_run(
    on: str, config: str, experiment: Experiment, given: ScriptOptions, only: str | None
) -> ClusterRun:
    """Return what the machines of a cluster are sent to measure an experiment.

    Args:
        on: an address, or a file that has one.
        config: the config or script.
        experiment: what it describes.
        given: the options of the command line; those of a script have shaped its config.
        only: the pattern of its cases.

    Raises:
        SetupError: dask is not installed.
        UsageError: the experiment cannot be measured on other machines, or the address is refused.
        ConfigError: the file is invalid.
    """
    if missing := missing_extra(DASK):
        raise SetupError(f"--on {missing.what}", hint=missing.hint)
    scheduler = read_cluster(on)
    code = find_script(config)
    if code is not None and not code.path:
        raise UsageError(f"--on: {config} is a module, and its package is not sent", hint="name its file")
    if code is not None:
        file, content = Path(script_config_name(config)), script_config(code, given)
    else:
        file = find_config(config)
        content = read_file(file).decode()
    experiment = with_files(experiment)
    return ClusterRun(
        scheduler,
        send_config(
            experiment,
            file,
            content,
            only=only,
            blocks=None if code is not None else given.blocks,
            seed=None if code is not None else given.seed,
            sha256=str(config_record(experiment, experiment.files)["sha256"]),
        ),
    )


@contextmanager
def open_cluster(run: ClusterRun, experiment: Experiment) -> Iterator[OpenCluster]:
    """Compare the versions of all machines with ours, and have each say what it is.

    Raises:
        SetupError: the cluster cannot be reached, or one of its machines cannot measure the experiment.
    """
    files = [strategy.file for strategy in experiment.strategies.values()]
    clients = dict.fromkeys(case.client for case in experiment.cases)
    check_cluster(run.scheduler, (*clients, *imported_modules(files)))
    with open_connection(run.scheduler, run.sent) as connection:
        found, lines = one_per_host(connection.describe())
        for line in lines:
            print_note(f"note: {line}")
        yield OpenCluster(connection, found)


def machine_lines(machines: Sequence[Machine], experiment: Experiment) -> Iterator[str]:
    """Say before the first trial which machines measure what."""
    blocks = plural(experiment.blocks, "block")
    up_to = "" if experiment.stopping is None else "up to "
    yield f"{up_to}{blocks} of {plural(len(experiment.cases), 'case')} on {plural(len(machines), 'machine')}"
    for machine in machines:
        yield f"{machine.label} is {machine.address}"


def machine_warnings(machines: Sequence[Machine]) -> Iterator[str]:
    """Write a line for everything that makes the timings of a machine vary."""
    for machine in machines:
        for warning in machine.facts.warnings:
            yield f"warning: {machine.label}: {warning}"
