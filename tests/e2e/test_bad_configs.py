"""Bad configs given to the program itself: rejected soon, in little memory, and without a traceback."""

from pathlib import Path

import pytest

from tests.bad_configs import BAD_CONFIGS, FILE
from tests.measured import program

pytestmark = pytest.mark.e2e

SOON_S = 1.0
"""Processor time with the start of the interpreter; what else runs makes it somewhat longer."""
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
    pytest.param("bomb: 1,900 typos of a strategy", marks=pytest.mark.alone),  # it takes most of that
    "bomb: 250,000 complex keys",
    "tag: python apply",
    "hostile: terminal escape in a name",
)
"""The most harmful of each kind; they take 0.3 to 0.5 s and 40 to 50 MiB."""


def check_rejection(name: str, folder: Path) -> None:
    """Check the output of the program, its time and its memory."""
    bad = BAD_CONFIGS[name]
    bad.write(folder / FILE)
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
def test_worst_bad_configs_are_rejected_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    check_rejection(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_every_bad_config_is_rejected_soon_and_in_little_memory(name: str, tmp_path: Path) -> None:
    check_rejection(name, tmp_path)
