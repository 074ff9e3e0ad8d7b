"""Type every command of the README in a clone, as a user would."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.package_index import need_index
from tests.readme import Commands, console_blocks
from tests.repositories import Repository
from tests.runs import ROOT
from tests.typed_commands import COMPARISONS, make_clone, type_line

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.alone, pytest.mark.timeout(300)]

BLOCKS: Final = dict(console_blocks((ROOT / "README.md").read_text("utf-8")))

ELSEWHERE: Final[Mapping[str, str]] = {"pipx install .": "tests/e2e/test_installed.py"}
"""Commands that change more than a clone, each with the tests that do the same in another place."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Clone this project, with an environment."""
    return make_clone(tmp_path_factory.mktemp("readme") / "flagbench", {})


def shorten(line: str) -> str:
    """Measure a script in one block."""
    return f"{line} --blocks 1" if line.startswith("python -m bench run my_download.py") else line


def type_lines(clone: Repository, lines: Sequence[str]) -> None:
    """Type lines one by one, each in a shell of its own."""
    for line in lines:
        if line in ELSEWHERE:
            continue
        ended = type_line(clone, shorten(line))
        allowed = {0, 8} if line.startswith(COMPARISONS) else {0}
        assert ended.returncode in allowed, f"{line}\n{ended.stdout}\n{ended.stderr}"
        assert ended.stdout or line.startswith("source"), line


@pytest.mark.parametrize("lines", BLOCKS.values(), ids=BLOCKS)
def test_commands_of_a_section_do_what_they_say(lines: Commands, clone: Repository, tmp_path: Path) -> None:
    if any(line.startswith(COMPARISONS) for line in lines):
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
