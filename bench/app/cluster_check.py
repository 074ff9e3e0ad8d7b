"""Check the machines of clusters before the first trial: that they are there, and have what ours has."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from importlib.metadata import packages_distributions
from typing import Any, Final

from bench.api.cluster import ClusterError, describe_machine, describe_machines
from bench.api.job import ClusterSettings
from bench.errors import SetupError
from bench.model.cases import Experiment
from bench.model.scheduler import EMBEDDED, Scheduler
from bench.model.text import one_line

_LIBRARIES: Final = ("dask", "distributed", "cloudpickle", "msgpack", "tornado")
"""Those that the processes of a cluster speak to each other with."""
_MISSING: Final = "(not installed)"
_HINT: Final = "install the same versions on all machines"


def check_clusters(experiment: Experiment) -> Mapping[str, Any]:
    """Return what the machines of each cluster of an experiment have, by the address of its scheduler.

    Their own addresses, which are others after each start, are left out: a run is resumed on like machines.

    A cluster that each trial starts here has what we have, and is left out.

    Raises:
        SetupError: a scheduler cannot be reached, has no machines, or has one with other versions than ours.
    """
    addresses = dict.fromkeys(case.scheduler for case in experiment.cases if case.scheduler != EMBEDDED)
    clients = tuple(case.client for case in experiment.cases if case.scheduler != EMBEDDED)
    found = {each: check_cluster(experiment.schedulers[each], clients) for each in addresses}
    return {each: sorted(machines.values(), key=str) for each, machines in found.items()}


def check_cluster(scheduler: Scheduler, modules: Iterable[str]) -> Mapping[str, Any]:
    """Return the machines of a cluster by address, the scheduler among them, with their versions.

    Args:
        scheduler: that of the cluster.
        modules: the modules whose libraries are compared with ours, beside dask's own.

    Raises:
        SetupError: the scheduler cannot be reached, has no machines, or has one with other versions.
    """
    libraries = tuple(dict.fromkeys((*_LIBRARIES, *_distributions(modules))))
    settings = ClusterSettings(*astuple(scheduler))
    try:
        machines = describe_machines(settings, libraries)
    except (OSError, TimeoutError, ClusterError) as error:
        raise SetupError(
            f"scheduler {scheduler.address}: {one_line(str(error)) or type(error).__name__}",
            hint="start it with `dask scheduler`, and check address, certificates and firewall",
        ) from error
    ours = describe_machine(libraries)["versions"]
    different = [
        line for address, facts in machines.items() for line in find_differences(address, facts, ours)
    ]
    if different:
        raise SetupError(
            f"scheduler {scheduler.address}: machines with other versions than this one",
            hint=_HINT,
            details=tuple(different),
        )
    return machines


def find_differences(address: str, facts: Mapping[str, Any], ours: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for everything that a machine has in another version than ours.

    Args:
        address: that of the machine.
        facts: its versions by distribution, empty for what is not installed, or its error.
        ours: our versions.
    """
    if "error" in facts:
        yield one_line(f"{address} cannot say what it has: {facts['error']}")
        return
    for name, version in ours.items():
        if (theirs := facts["versions"][name]) != version:
            yield one_line(f"{address} has {name} {theirs or _MISSING}, and we have {version or _MISSING}")


def _distributions(modules: Iterable[str]) -> Iterator[str]:
    """Yield the distributions of modules, such as those of clients."""
    owners = packages_distributions()
    for module in dict.fromkeys(modules):
        yield from owners.get(module, ())
