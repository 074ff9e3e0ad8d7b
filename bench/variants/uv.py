"""uv, which finds interpreters and makes environments."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.errors import SetupError
from bench.system.optional_dependencies import VARIANTS, missing_extra
from bench.variants.run_command import run_command

_WITHIN_S: Final = 900.0
_OURS: Final = (
    "CONDA_PREFIX",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_BREAK_SYSTEM_PACKAGES",
    "UV_PREFIX",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_TARGET",
    "UV_WORKING_DIR",
    "VIRTUAL_ENV",
)
"""Variables that say where or for what to install, which we say ourselves."""


def uv(*words: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run uv to its end, with the user's indexes, proxies and caches; paths are counted from ``folder``.

    Raises:
        EnvironmentFault: it is not installed, or does not end.
    """
    # not as its current folder: the uv on PATH may be pyenv's, which looks there for the Python to take
    there = () if folder is None else ("--directory", folder)
    return run_command(
        (_program(), *there, *words), environment=environment_of(os.environ), within_s=_WITHIN_S
    )


def environment_of(users: Mapping[str, str]) -> dict[str, str]:
    """Return what uv may know of the user's variables: all but where to install."""
    return {name: value for name, value in users.items() if name not in _OURS}


def _program() -> str:
    """Find uv where it was installed with the extra, or on ``PATH``."""
    if missing_extra(VARIANTS) is None:
        from uv import find_uv_bin

        try:
            return str(find_uv_bin())
        except FileNotFoundError:
            pass  # a package without its program, as some distributions have it
    found = shutil.which("uv")
    if found is None:
        raise SetupError(
            "an environment for a variant is made by uv, which is not installed",
            hint=f"pip install 'flagbench[{VARIANTS.name}]'",
        )
    return found
