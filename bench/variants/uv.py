"""Run uv, which finds interpreters and makes virtual environments."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.errors import SetupError
from bench.system.optional_dependencies import VARIANTS, install_command, missing_extra
from bench.variants.run_command import run_command

_TIMEOUT_S: Final = 900.0
_TARGET_VARIABLES: Final = (
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
"""Variables that decide where and for which Python to install; a variant decides that itself."""


def run_uv(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run uv with the user's indexes, proxies and caches; paths are relative to ``folder``.

    Raises:
        SetupError: uv is not installed, or does not end in time.
    """
    # not with `cwd`: the uv on PATH may be pyenv's, which looks in the current folder for the Python to use
    directory = () if folder is None else ("--directory", folder)
    command = (_find_uv(), *directory, *arguments)
    return run_command(command, environment=filter_environment(os.environ), timeout_s=_TIMEOUT_S)


def filter_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Drop the variables that decide where to install."""
    return {name: value for name, value in environment.items() if name not in _TARGET_VARIABLES}


def _find_uv() -> str:
    """Find uv where the extra installed it, or on ``PATH``."""
    if missing_extra(VARIANTS) is None:
        from uv import find_uv_bin  # optional

        try:
            return str(find_uv_bin())
        except FileNotFoundError:
            pass  # some distributions have the package without its program
    found = shutil.which("uv")
    if found is None:
        raise SetupError(
            "uv, which makes environments of variants and clients, is not installed",
            hint=install_command(VARIANTS.name),
        )
    return found
