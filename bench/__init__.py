"""flagbench: which way of making many HTTP downloads at once is best, and has it become slower?"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from bench.notebook import RunResults

__version__ = "0.1.0"


def load_run(run: "str | PathLike[str]") -> "RunResults":
    """Load a stored run, for a notebook or any other Python program.

    Args:
        run: its folder, its ``run.json``, its name in ``results/runs`` below the current folder, or ``last``.

    Raises:
        UsageError: there is no such run, or it was interrupted before its results were written.
        UnreadableResultError: the run was changed or damaged, or was written by another version.
    """
    # late: every command and every worker imports this package
    from bench.notebook import load_run

    return load_run(run)
