"""What all trials of a run share, and when one of them is run."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.model.cases import Case, Experiment, Strategy
from bench.model.comparison import BuiltVariant
from bench.runner.processes.launcher import Launcher
from bench.system.cpu_affinity import Pinning
from bench.system.paths import import_path, project_path


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all trials of a run share.

    Attributes:
        flags: every flag as the server serves it, by country.
        reference: folder with the same as files, for verification.
        pinning: where server, worker and harness run.
        own: where the workers of cases without a variant come from.
    """

    experiment: Experiment
    launcher: Launcher
    flags: Mapping[str, bytes]
    reference: Path
    pinning: Pinning
    own: BuiltVariant

    @property
    def flag_sizes(self) -> Mapping[str, int]:
        """Bytes of each flag."""
        return {code: len(flag) for code, flag in self.flags.items()}

    def side(self, case: Case) -> BuiltVariant:
        """Say where the worker of a case comes from."""
        return self.experiment.sides.get(case.variant, self.own)


def own_variant(strategies: Mapping[str, Strategy]) -> BuiltVariant:
    """Return where workers come from that are of no variant: this interpreter, and these files."""
    files = {name: strategy.file for name, strategy in strategies.items()}
    return BuiltVariant(sys.executable, (*import_path(), *project_path(files.values())), files)


@dataclass(frozen=True, slots=True)
class ScheduledTrial:
    """When a trial is run.

    Attributes:
        position: place in the block's order, from 0.
        attempt: how often the trial was invalid before.
    """

    block: int
    position: int
    attempt: int = 0
