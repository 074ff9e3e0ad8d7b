"""Everything that trials need, set up before the first and taken down after the last."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.model.cases import Experiment
from bench.model.flags import served_flags
from bench.runner.context import RunContext, own_variant
from bench.runner.processes.launcher import start_supervisor
from bench.runner.protected_files import lay_out_reference
from bench.runner.server_restart import RestartableServer
from bench.system.cpu_affinity import plan_pinning, restrict_to


@contextmanager
def run_environment(experiment: Experiment) -> Iterator[tuple[RunContext, RestartableServer]]:
    """Start a supervisor and a flag server, lay out what workers are compared with, and keep to our core.

    Raises:
        EnvironmentFault: there is no room for it, or no process to be had.
    """
    pinning = plan_pinning(experiment)
    with (
        restrict_to(pinning.harness),
        start_supervisor() as launcher,
        RestartableServer(launcher, experiment, pinning) as shift,
    ):
        flags = served_flags(experiment.flags_dir)
        reference = lay_out_reference(launcher.workspace, flags)
        own = own_variant(experiment.strategies)
        yield RunContext(experiment, launcher, flags, reference, pinning, own), shift
