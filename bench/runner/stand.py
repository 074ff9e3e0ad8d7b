"""Everything that trials need, set up before the first and taken down after the last."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.model.cases import Experiment
from bench.model.flags import served_flags
from bench.runner.launch import launching
from bench.runner.reference import lay_out_reference
from bench.runner.shift import ServerShift
from bench.runner.site import Site, own_side
from bench.system.pinning import kept_to, pinning_of


@contextmanager
def stand(experiment: Experiment) -> Iterator[tuple[Site, ServerShift]]:
    """Start a guardian and a flag server, lay out what workers are compared with, and keep to our core.

    Raises:
        EnvironmentFault: there is no room for it, or no process to be had.
    """
    pinning = pinning_of(experiment)
    with (
        kept_to(pinning.harness),
        launching() as launcher,
        ServerShift(launcher, experiment, pinning) as shift,
    ):
        flags = served_flags(experiment.flags_dir)
        reference = lay_out_reference(launcher.workspace, flags)
        own = own_side(experiment.strategies)
        yield Site(experiment, launcher, flags, reference, pinning, own), shift
