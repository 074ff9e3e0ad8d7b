"""For all benchmarks: a folder in memory."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in memory, where the harness saves flags, too."""
    made = Path("/dev/shm", tmp_path.name)  # noqa: S108  it has a name of its own
    made.mkdir()
    yield made
    shutil.rmtree(made)
