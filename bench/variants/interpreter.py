"""Find the Python interpreter of a variant by its version or path."""

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
from bench.variants.uv import run_uv

_MINIMUM: Final = (3, 11)
"""The first Python with ``-P``, by which workers are started."""
_VERSION: Final = re.compile(r"\d+(\.\d+){0,2}t?")
_TIMEOUT_S: Final = 30.0
_DESCRIBE: Final = """
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
    """A Python, without the virtual environment in which it was found.

    Attributes:
        program: its real path.
        version: such as ``3.13.0``, with a ``t`` at the end if it is free-threaded.
        platform: system, processor, cache tag and C library: they decide which files of a distribution fit.
    """

    program: Path
    version: str
    platform: tuple[str, ...]


def find_interpreter(python: str) -> Interpreter:
    """Find the Python of this version or path; without either, the running one.

    Raises:
        UsageError: there is no Python at this path.
        SetupError: there is none of this version, or it is too old to be measured.
    """
    if not python:
        found = _describe(Path(sys.executable))
    elif _VERSION.fullmatch(python):
        found = _find_version(python)
    else:
        found = _describe(Path(python).expanduser().absolute())
    if found is None:
        raise UsageError(
            f"{one_line(python or sys.executable)!r} is not a working Python",
            hint="name a version, such as python=3.13, or the path of an interpreter",
        )
    if _numbers(found.version)[:2] < _MINIMUM:
        minimum = ".".join(map(str, _MINIMUM))
        raise SetupError(
            f"Python {found.version} cannot be measured: workers need Python {minimum}",
            hint=f"use {minimum} or later",
        )
    return found


def matches_version(version: str, wanted: str) -> bool:
    """Tell whether a version begins with all numbers of a shorter one; ``t`` only matches ``t``."""
    if version.endswith("t") != wanted.endswith("t"):
        return False
    parts = wanted.removesuffix("t").split(".")
    return version.removesuffix("t").split(".")[: len(parts)] == parts


def _find_version(wanted: str) -> Interpreter:
    for program in (*_find_with_uv(wanted), *_find_in_pyenv(wanted)):
        found = _describe(program)
        if found is not None and matches_version(found.version, wanted):
            return found
    raise SetupError(
        f"there is no Python {wanted} on PATH, in uv or in pyenv",
        hint=f"`uv python install {wanted}` or `pyenv install {wanted}`, or name the path of an interpreter",
    )


def _find_with_uv(wanted: str) -> list[Path]:
    options = ("--no-project", "--no-python-downloads", "--system", "--quiet")
    ended = run_uv("python", "find", *options, wanted)
    return [Path(os.fsdecode(ended.stdout.strip()))] if ended.returncode == 0 else []


def _find_in_pyenv(wanted: str) -> list[Path]:
    """Return the interpreters of pyenv, latest first; not all of them are on PATH."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    matching = [folder for folder in versions.glob("[0-9]*") if matches_version(folder.name, wanted)]
    latest_first = sorted(matching, key=lambda folder: _numbers(folder.name), reverse=True)
    return [folder / "bin" / "python" for folder in latest_first]


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, up to the first other part."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in numbers[0].split(".")) if numbers else ()


def _describe(program: Path) -> Interpreter | None:
    """Run a program as a Python and return its description, or None if it gives none."""
    environment = {
        name: os.environ[name] for name in ("HOME", "LD_LIBRARY_PATH", "PATH") if name in os.environ
    }
    try:
        ended = run_command((program, "-I", "-c", _DESCRIBE), environment=environment, timeout_s=_TIMEOUT_S)
        answer = json.loads(ended.stdout)
        suffix = "t" if answer["is_free_threaded"] else ""
        return Interpreter(Path(answer["program"]), f"{answer['version']}{suffix}", tuple(answer["platform"]))
    except (SetupError, ValueError, KeyError, TypeError):
        return None
