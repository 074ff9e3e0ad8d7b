"""Build the environments of clients that cannot be imported from that of flagbench, before a run begins."""

from dataclasses import replace

from bench.app.output import ignore_line, print_note
from bench.app.preflight import check_resources
from bench.app.served_files import with_files
from bench.model.cases import Experiment, Strategy
from bench.model.comparison import ClientEnvironment
from bench.storage.run_folder import Destination, check_destination
from bench.variants.client_environment import build_client_environment


def with_environments(experiment: Experiment, destination: Destination, *, quiet: bool) -> Experiment:
    """Return the experiment with the environments of its clients; those of a comparison's variants exist.

    Args:
        experiment: an experiment of any command.
        destination: the folder of a new run, or the run to resume.
        quiet: whether to print no progress.

    Raises:
        SetupError: an environment cannot be built, or the machine lacks resources.
    """
    used = {case.client for case in experiment.cases}
    separate = {name: client for name, client in experiment.separate_clients.items() if name in used}
    if not separate or experiment.comparison is not None:
        return experiment
    check_destination(destination)  # before anything that takes long
    experiment = with_files(experiment)
    check_resources(experiment, experiment.files, destination.new_place)
    progress = ignore_line if quiet else print_note
    environments: dict[str, ClientEnvironment] = {}
    for name, client in separate.items():
        strategies = _strategies_with(experiment, name)
        environments[name] = build_client_environment(client, strategies, progress)
    return replace(experiment, environments=environments)


def _strategies_with(experiment: Experiment, client: str) -> dict[str, Strategy]:
    names = dict.fromkeys(case.strategy for case in experiment.cases if case.client == client)
    return {name: experiment.strategies[name] for name in names}
