"""Type the commands of the documentation in a clone of this project, as a user would.

The lines are typed as they stand, but these things are not a user's: the libraries are those of the tests
instead of newly installed ones, also for pip, and the configs are shortened or replaced.
"""

import os
import re
import shutil
import signal
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from typing import Final

from tests.environments import add_command, make_environment
from tests.repositories import Repository, own_repository
from tests.runs import ROOT

COMPARISONS: Final = ("python -m bench ab ", "python -m bench gate ")
"""Commands that may also be undecided, which is 8, as what they measure is shortened."""

_SHORTER: Final = (
    (r"^countries: \{codes: all, limit: \d+.*", "countries: {codes: all, limit: 5}"),
    (r"^blocks: \d+.*", "blocks: 1"),
    (r"^blocks: \{.*", "blocks: {min: 8, max: 12}\nmetrics: elapsed"),
)
"""The parts of every config that are shortened: pattern and replacement."""
_SHORTER_ALONE: Final = {
    "noise": (r"^blocks: 1$", "blocks: 6"),  # the least that shows noise
    "gate": (r"^  - \{name.*\n", ""),  # one case
}
_INSTALL: Final = "pip install -e "
_TIME_OUT_S: Final = 240


def make_clone(folder: Path, configs: Mapping[str, str]) -> Repository:
    """Clone this project into a branch ``work`` with a change, with short configs and an environment.

    Args:
        folder: where it is made.
        configs: the text of configs that are replaced, by name; the others are shortened.
    """
    made = own_repository(folder)
    for config in (made.folder / "configs").glob("*.yaml"):
        text = config.read_text("utf-8")
        for pattern, short in (*_SHORTER, _SHORTER_ALONE.get(config.stem, ("^$", ""))):
            text = re.sub(pattern, short, text, flags=re.MULTILINE)
        config.write_text(configs.get(config.stem, text), "utf-8")
    for name in ("Makefile", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, made.folder)
    made.commit("Shorten")
    made.git("checkout", "--quiet", "-b", "work")
    strategy = made.folder / "strategies" / "threadpool_map.py"
    strategy.write_text(f"{strategy.read_text('utf-8')}\n# changed\n", "utf-8")
    made.commit("Change")
    environment = made.folder / ".venv"
    make_environment(environment)
    (environment / "run.stamp").touch()  # that of `make run`
    for name in ("pip", "pytest"):
        (entry,) = entry_points(group="console_scripts", name=name)
        add_command(environment, name, entry.value)
    return made


def environment_of(clone: Repository) -> dict[str, str]:
    """Return the environment variables of a user; the clones of all tests share a cache."""
    return {**os.environ, "FLAGBENCH_CACHE": str(clone.folder.parents[1] / "cache")}


def type_line(clone: Repository, line: str, folder: Path | None = None) -> "CompletedProcess[str]":
    """Type a line in a shell that has activated the environment of the clone, and wait for its end.

    Args:
        clone: of this project.
        line: the command.
        folder: where it is typed, if not in the clone.
    """
    if line.startswith(_INSTALL):  # the libraries are there
        line = line.replace(_INSTALL, "pip install --no-index --no-build-isolation -e ", 1)
    words = ["bash", "-c", f"source {clone.folder}/.venv/bin/activate && {line}"]
    with Popen(
        words,
        cwd=folder or clone.folder,
        env=environment_of(clone),
        stdout=PIPE,
        stderr=PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=_TIME_OUT_S)
        except BaseException:  # nothing that it has started may go on
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return CompletedProcess(words, process.returncode, stdout, stderr)
