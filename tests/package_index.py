"""Skip tests that install packages where no index can be reached."""

from pathlib import Path

import pytest

from bench.errors import SetupError
from bench.variants.uv import run_uv


def need_index(folder: Path) -> None:
    """Skip the test, with the reason, if uv cannot install a package."""
    try:
        ended = run_uv("pip", "install", "--quiet", "--target", folder, "idna==3.10")
    except SetupError as fault:
        pytest.skip(fault.what)
    if ended.returncode != 0:
        pytest.skip(f"uv reaches no package index: {ended.stderr.decode(errors='replace')[:200]}")
