"""What every command that measures, and ``check``, looks at before anything is started."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.model.cases import Experiment
    from bench.model.lower_bound import CaseForecast
    from bench.runner.resource_check import Shortage
    from bench.system.limits import Limits


def read_limits_for(out: Path | None) -> "Limits":
    """Raise this process's own limits, and read what the machine then allows a run in a folder.

    Raises:
        EnvironmentFault: there is no folder for temporary files.
    """
    import tempfile

    from bench.errors import SetupError
    from bench.storage.run_folder import RUNS
    from bench.system.limits import raise_limit, read_limits

    raise_limit()
    try:
        workspace = Path(tempfile.gettempdir())
    except OSError as error:
        raise SetupError(
            f"no folder for temporary files can be written: {error.strerror}",
            hint="name one with TMPDIR, or free some disk",
        ) from error
    return read_limits(workspace, out or RUNS)


def shortages_of(experiment: "Experiment", limits: "Limits", kept: int = 0) -> "tuple[Shortage, ...]":
    """Hold an experiment, of which so many trials are kept already, against what the machine allows."""
    from bench.model.flags import served_flags
    from bench.runner.resource_check import needs_of, shortages

    sizes = {code: len(flag) for code, flag in served_flags(experiment.flags_dir).items()}
    return shortages(needs_of(experiment, sizes, kept), limits)


def remarks_on(
    experiment: "Experiment", outlooks: "Sequence[CaseForecast]", limits: "Limits"
) -> tuple[str, ...]:
    """Say what may turn out to be too little, and what could not be looked at; a sentence each."""
    from bench.runner.resource_check import doubts, port_doubts, unread

    found = shortages_of(experiment, limits)
    return (*doubts(found), *port_doubts(experiment, outlooks, limits), *unread(limits))
