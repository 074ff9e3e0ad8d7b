"""Bad configs given to the program itself: refused soon, in little memory, and without a traceback."""

from pathlib import Path

import pytest

from tests.bad_configs import BAD_CONFIGS, FILE
from tests.measured import program

pytestmark = pytest.mark.e2e

SOON_S = 1.0
"""Of processor time, the start of the interpreter included, which does not depend on who else is at work."""
SMALL_BYTES = 200 << 20
WORST = (
    "file: FIFO",
    "file: folder",
    "file: 100 MB",
    "syntax: UTF-32",
    "bomb: billion laughs",
    "bomb: self-reference",
    "bomb: merge bomb",
    "bomb: 2,000 lists deep",
    "bomb: 5,000-digit integer",
    "bomb: 1,900 typos of a strategy",
    "bomb: 250,000 complex keys",
    "tag: python apply",
    "hostile: terminal escape in a name",
)
"""Of each kind of trouble the one that would do most harm."""


def refuse(name: str, folder: Path) -> None:
    """Hold the program to what a bad config may cost, and to what must be said."""
    bad = BAD_CONFIGS[name]
    bad.lay(folder / FILE)
    ended = program(folder, "check", FILE)
    assert ended.code == 2
    lines = ended.stderr.splitlines()
    assert lines[0] == f"{FILE}:{bad.told}"
    assert len(lines) == 1 + bad.more
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert ended.processor_s < SOON_S
    assert ended.peak_bytes < SMALL_BYTES


@pytest.mark.parametrize("name", WORST)
def test_the_worst_of_bad_configs_are_refused_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    """It takes 0.3 to 0.5 s and 40 to 50 MiB."""
    refuse(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_every_bad_config_is_refused_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    """None of them costs more than the worst."""
    refuse(name, tmp_path)
