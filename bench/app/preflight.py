"""What every command that measures, and ``check``, looks at before anything is started."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.errors import SetupError
from bench.model.cases import Experiment
from bench.model.flags import served_flags
from bench.model.lower_bound import CaseForecast
from bench.runner.resource_check import (
    Shortage,
    definite_shortages,
    possible_port_shortages,
    possible_shortages,
    resource_needs,
    unknown_limits,
)
from bench.storage.run_folder import RUNS
from bench.system.limits import Limits, raise_limit, read_limits


def read_run_limits(out: Path | None) -> Limits:
    """Raise this process's own limits, and read what the machine then allows a run in a folder.

    Raises:
        EnvironmentFault: there is no folder for temporary files.
    """
    raise_limit()
    try:
        workspace = Path(tempfile.gettempdir())
    except OSError as error:
        raise SetupError(
            f"no folder for temporary files can be written: {error.strerror}",
            hint="name one with TMPDIR, or free some disk",
        ) from error
    return read_limits(workspace, out or RUNS)


def find_shortages(experiment: Experiment, limits: Limits, kept: int = 0) -> tuple[Shortage, ...]:
    """Hold an experiment, of which so many trials are kept already, against what the machine allows."""
    sizes = {code: len(flag) for code, flag in served_flags(experiment.flags_dir).items()}
    return definite_shortages(resource_needs(experiment, sizes, kept), limits)


def resource_warnings(
    experiment: Experiment, outlooks: Sequence[CaseForecast], limits: Limits
) -> tuple[str, ...]:
    """Say what may turn out to be too little, and what could not be looked at; a sentence each."""
    found = find_shortages(experiment, limits)
    return (
        *possible_shortages(found),
        *possible_port_shortages(experiment, outlooks, limits),
        *unknown_limits(limits),
    )
