"""Whether anything can be installed here."""

from pathlib import Path

import pytest

from bench.errors import SetupError
from bench.variants.uv import uv


def need_index(folder: Path) -> None:
    """Skip where uv can install nothing, and say why."""
    try:
        ended = uv("pip", "install", "--quiet", "--target", folder, "idna==3.10")
    except SetupError as fault:
        pytest.skip(fault.what)
    if ended.returncode != 0:
        pytest.skip(f"uv reaches no package index: {ended.stderr.decode(errors='replace')[:200]}")
