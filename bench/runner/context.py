"""The context of a run: processes, files and settings that all its trials share."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.model.cases import Case, Experiment, Strategy
from bench.model.comparison import BuiltVariant
from bench.runner.processes.launcher import Launcher, start_supervisor
from bench.runner.protected_files import write_reference
from bench.runner.server_restart import RestartableServer
from bench.system.cpu_affinity import Pinning, restrict_to
from bench.system.paths import import_path, project_path


@dataclass(frozen=True, slots=True)
class RunContext:
    """The processes, files and settings that all trials of a run share.

    Attributes:
        flags: every flag as the server serves it, by country.
        flag_sizes: bytes of each flag.
        reference: folder with the same flags as files, for verification.
        pinning: processors of the server, the workers and the harness.
        own: variant of the cases that name none: this interpreter, and the strategies of the experiment.
    """

    experiment: Experiment
    launcher: Launcher
    server: RestartableServer
    flags: Mapping[str, bytes]
    flag_sizes: Mapping[str, int]
    reference: Path
    pinning: Pinning
    own: BuiltVariant

    def variant(self, case: Case) -> BuiltVariant:
        """Return the variant of a case."""
        return self.experiment.variants.get(case.variant, self.own)


@contextmanager
def run_context(experiment: Experiment, pinning: Pinning, flags: Mapping[str, bytes]) -> Iterator[RunContext]:
    """Start the supervisor and the flag server, and keep this process to the harness's processors.

    Raises:
        SetupError: there is no room for the workspace, or a process cannot be started.
    """
    with (
        restrict_to(pinning.harness),
        start_supervisor() as launcher,
        RestartableServer(launcher, experiment, pinning.server) as server,
    ):
        yield RunContext(
            experiment=experiment,
            launcher=launcher,
            server=server,
            flags=flags,
            flag_sizes={code: len(flag) for code, flag in flags.items()},
            reference=write_reference(launcher.workspace, flags),
            pinning=pinning,
            own=own_variant(experiment.strategies),
        )


def own_variant(strategies: Mapping[str, Strategy]) -> BuiltVariant:
    """Return the variant of this interpreter and these strategies."""
    files = {name: strategy.file for name, strategy in strategies.items()}
    return BuiltVariant(sys.executable, (*import_path(), *project_path(files.values())), files)
