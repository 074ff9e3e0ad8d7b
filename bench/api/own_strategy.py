"""Import the strategy of a worker by its file.

The worker and the processes that it starts do so. A pool of processes that were not forked (``spawn``,
``forkserver``) imports the module of each function that it calls. A strategy may be in any folder, so an
environment variable leads these processes to its file.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

FILE = "FLAGBENCH_STRATEGY"
"""Environment variable with the file of the strategy, for the processes that its worker starts."""


def module_name(file: str) -> str:
    """Return the module name of a strategy file, which may have any name."""
    stem = os.path.splitext(os.path.basename(file))[0]  # noqa: PTH119, PTH122  pathlib is heavy
    return f"strategies.{stem.replace('.', '-')}"


class OwnStrategyFinder:
    """Finds the module of one strategy file, which is not in the folder of the shipped ones."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._name = module_name(file)

    def find_spec(self, name: str, *_others: object) -> "ModuleSpec | None":
        """Return the spec of the strategy, and None for every other module."""
        if name != self._name:
            return None
        from importlib.util import spec_from_file_location

        return spec_from_file_location(name, self.file)


def find_own_strategy() -> None:
    """Make the strategy that the environment names importable in this process."""
    if file := os.environ.get(FILE):
        make_importable(file)


def make_importable(file: str) -> None:
    """Make a file of the user's importable by its module name."""
    finders = (each for each in sys.meta_path if isinstance(each, OwnStrategyFinder))
    if all(finder.file != file for finder in finders):
        sys.meta_path.insert(0, OwnStrategyFinder(file))
