"""Type every command of the README in a clone, as a user would.

The lines are typed as they stand, but two things are not a user's: the libraries are those of the tests
instead of newly installed ones, and the shipped configs are shortened, like the runs of a script.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.environments import make_environment
from tests.package_index import need_index
from tests.readme import Commands, console_blocks
from tests.repositories import Repository, own_repository
from tests.runs import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.alone, pytest.mark.timeout(300)]

BLOCKS: Final = dict(console_blocks((ROOT / "README.md").read_text("utf-8")))

ELSEWHERE: Final[Mapping[str, str]] = {"pipx install .": "tests/e2e/test_installed.py"}
"""Commands that change more than a clone, each with the tests that do the same in another place."""

UNDECIDED: Final = ("python -m bench ab ", "python -m bench gate ")
"""A shortened comparison may also end with 8."""

SHORTER: Final = (
    (r"^countries: \{codes: all, limit: \d+.*", "countries: {codes: all, limit: 5}"),
    (r"^blocks: \d+.*", "blocks: 1"),
    (r"^blocks: \{.*", "blocks: {min: 8, max: 12}\nmetrics: elapsed"),
)
"""The parts of every config that are shortened: pattern and replacement."""
SHORTER_ALONE: Final = {
    "noise": (r"^blocks: 1$", "blocks: 6"),  # the least that shows noise
    "gate": (r"^  - \{name.*\n", ""),  # one case
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Clone this project into a branch with a change, with short configs and an environment."""
    made = own_repository(tmp_path_factory.mktemp("readme") / "flagbench")
    shutil.copy(ROOT / "Makefile", made.folder)
    for config in (made.folder / "configs").glob("*.yaml"):
        text = config.read_text("utf-8")
        for pattern, short in (*SHORTER, SHORTER_ALONE.get(config.stem, ("^$", ""))):
            text = re.sub(pattern, short, text, flags=re.MULTILINE)
        config.write_text(text, "utf-8")
    made.commit("Shorten")
    made.git("checkout", "--quiet", "-b", "work")
    strategy = made.folder / "strategies" / "threadpool_map.py"
    strategy.write_text(f"{strategy.read_text('utf-8')}\n# changed\n", "utf-8")
    made.commit("Change")
    make_environment(made.folder / ".venv")
    (made.folder / ".venv" / "run.stamp").touch()  # that of `make run`
    return made


def shorten(line: str) -> str:
    """Measure a script in one block."""
    return f"{line} --blocks 1" if line.startswith("python -m bench run my_download.py") else line


def type_lines(clone: Repository, lines: Sequence[str]) -> None:
    """Type lines one by one, each in a shell that has activated the environment."""
    for line in lines:
        if line in ELSEWHERE:
            continue
        ended = subprocess.run(
            ["bash", "-c", f"source .venv/bin/activate && {shorten(line)}"],
            cwd=clone.folder,
            env={**os.environ, "FLAGBENCH_CACHE": str(clone.folder.parent / "cache")},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        allowed = {0, 8} if line.startswith(UNDECIDED) else {0}
        assert ended.returncode in allowed, f"{line}\n{ended.stdout}\n{ended.stderr}"
        assert ended.stdout or line.startswith("source"), line


@pytest.mark.parametrize("lines", BLOCKS.values(), ids=BLOCKS)
def test_commands_of_a_section_do_what_they_say(lines: Commands, clone: Repository, tmp_path: Path) -> None:
    if any(line.startswith(UNDECIDED) for line in lines):
        need_index(tmp_path)
    if "make run" not in lines:
        type_lines(clone, ["python -m bench run default --quiet"])
    type_lines(clone, lines)


def test_commands_that_are_run_elsewhere_are_in_the_readme_and_have_their_tests() -> None:
    typed = [line for lines in BLOCKS.values() for line in lines]
    for line, tests in ELSEWHERE.items():
        assert line in typed
        assert (ROOT / tests).is_file()
        assert shlex.split(line)[1] in (ROOT / tests).read_text("utf-8")
