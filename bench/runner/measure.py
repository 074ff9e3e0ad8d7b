"""One case alone: from its turn to its measurement."""

from bench.model.cases import Case
from bench.model.results import Measurement
from bench.runner.flagserver import RunningServer
from bench.runner.observing import observed
from bench.runner.site import Site, Turn
from bench.runner.staging import stage
from bench.runner.trial import Ending
from bench.runner.worker import run_worker


def measure(site: Site, server: RunningServer, case: Case, turn: Turn) -> Measurement:
    """Run one trial.

    Raises:
        ServerDiedError: the flag server is gone; whatever the worker said is then worth nothing.
    """
    trial = stage(site, server, case, turn)

    def run() -> list[Ending]:
        ending = run_worker(
            site.launcher,
            trial.task,
            site.experiment.deadline_s,
            side=trial.side,
            keep=(server.child.pid,),
            cores=site.pinning.worker,
            peaks=trial.peaks,
        )
        return [ending]

    (measurement,) = observed(site, server, [trial], run)
    return measurement
