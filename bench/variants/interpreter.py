"""The Python of a variant: found by its version or its path, and asked what it is."""

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import SetupError, UsageError
from bench.model.text import one_line
from bench.variants.run_command import run_command
from bench.variants.uv import uv

LEAST: Final = (3, 11)
"""What a worker needs: it is started with ``-P``."""

_VERSION: Final = re.compile(r"\d+(\.\d+){0,2}t?")
_WITHIN_S: Final = 30.0
_QUESTION: Final = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "program": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "version": platform.python_version(),
    "platform": [sysconfig.get_platform(), sys.implementation.cache_tag, *platform.libc_ver()],
    "is_free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python, without the environment in which it was found.

    Attributes:
        program: its real path.
        version: such as ``3.13.0``, with a ``t`` behind it where it has no global lock.
        platform: what decides which files of a distribution fit: system, processor, tag and C library.
    """

    program: Path
    version: str
    platform: tuple[str, ...]

    def is_asked_by(self, version: str) -> bool:
        """Say whether a version such as ``3.13`` means this one."""
        return is_within(self.version, version)


def interpreter_for(python: str) -> Interpreter:
    """Find the Python that a variant names, or the running one.

    Raises:
        UsageError: there is none at this path.
        EnvironmentFault: there is none of this version, or it is too old to be measured.
    """
    if not python:
        found = _asked(Path(sys.executable))
    elif _VERSION.fullmatch(python):
        found = _of_version(python)
    else:
        found = _asked(Path(python).expanduser().absolute())
    if found is None:
        raise UsageError(
            f"{one_line(python or sys.executable)!r} is no Python that can be asked what it is",
            hint="name a version, such as python=3.13, or the path of an interpreter",
        )
    if _numbers(found.version)[:2] < LEAST:
        least = ".".join(map(str, LEAST))
        raise SetupError(
            f"Python {found.version} cannot be measured: the worker of flagbench needs {least}",
            hint=f"take {least} or later",
        )
    return found


def is_within(version: str, wanted: str) -> bool:
    """Say whether a version is one of those that a shorter one stands for; ``t`` is a kind of its own."""
    if version.endswith("t") != wanted.endswith("t"):
        return False
    parts = wanted.removesuffix("t").split(".")
    return version.removesuffix("t").split(".")[: len(parts)] == parts


def _of_version(wanted: str) -> Interpreter:
    for program in (_known_to_uv(wanted), *_known_to_pyenv(wanted)):
        found = None if program is None else _asked(program)
        if found is not None and found.is_asked_by(wanted):
            return found
    raise SetupError(
        f"there is no Python {wanted} here, neither on PATH nor of uv or pyenv",
        hint=f"`uv python install {wanted}` or `pyenv install {wanted}`, or name the path of one",
    )


def _known_to_uv(wanted: str) -> Path | None:
    options = ("--no-project", "--no-python-downloads", "--system", "--quiet")
    ended = uv("python", "find", *options, wanted)
    return Path(os.fsdecode(ended.stdout.strip())) if ended.returncode == 0 else None


def _known_to_pyenv(wanted: str) -> list[Path]:
    """Return those that pyenv has, the latest first; on PATH it only has those that it was told to show."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    fitting = [folder for folder in versions.glob("[0-9]*") if is_within(folder.name, wanted)]
    latest_first = sorted(fitting, key=lambda folder: _numbers(folder.name), reverse=True)
    return [folder / "bin" / "python" for folder in latest_first]


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, up to the first part that is none."""
    parts = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in parts[0].split(".")) if parts else ()


def _asked(program: Path) -> Interpreter | None:
    """Have a program say which Python it is; ``None`` if it does not."""
    environment = {
        name: os.environ[name] for name in ("HOME", "LD_LIBRARY_PATH", "PATH") if name in os.environ
    }
    try:
        ended = run_command((program, "-I", "-c", _QUESTION), environment=environment, within_s=_WITHIN_S)
        said = json.loads(ended.stdout)
        kind = "t" if said["is_free_threaded"] else ""
        return Interpreter(Path(said["program"]), f"{said['version']}{kind}", tuple(said["platform"]))
    except (SetupError, ValueError, KeyError, TypeError):
        return None
