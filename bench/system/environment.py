"""The machine and the software of a run, as recorded with its results: no secrets, no host name."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from bench import __version__
from bench.system.cpu_affinity import Pinning
from bench.system.git import git

_BENEATH: Final = ("h11", "httpcore", "httptools", "urllib3")
"""What clients and server stand on."""


def describe_environment(clients: Iterable[str], pinning: Pinning) -> dict[str, Any]:
    """Return what the numbers of a run depend on, with the libraries behind these clients."""
    owners = metadata.packages_distributions()
    modules = sorted({*clients, *_BENEATH} & owners.keys())
    return {
        "fingerprint": machine_fingerprint(),
        "python": _python(),
        "system": _system(),
        "processor": _processor(),
        "pinning": asdict(pinning),
        "libraries": {module: _library(sorted(set(owners[module]))) for module in modules},
        "flagbench": __version__,
        "git": _revision(),
    }


def machine_fingerprint() -> str:
    """Return what tells this machine from others whose timings mean nothing here: a SHA-256 in hex digits.

    It covers processor model, number of cores, governor, kernel, C library, and Python.
    """
    processor, system, python = _processor(), _system(), _python()
    identity = [
        *(processor[key] for key in ("model", "cores", "governor")),
        *(system[key] for key in ("name", "release", "machine", "libc")),
        *(python[key] for key in ("implementation", "version")),
    ]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def _python() -> dict[str, str]:
    return {
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "compiler": platform.python_compiler(),
    }


def _system() -> dict[str, str]:
    return {
        "name": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
    }


def _processor() -> dict[str, Any]:
    return {
        "model": _model(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "governor": _read(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
    }


def _library(owners: Sequence[str]) -> dict[str, str]:
    """Say which distributions provide a module: a fork may have put itself under another's name."""
    distributions = [metadata.distribution(owner) for owner in owners]
    return {
        "version": " + ".join(f"{found.name} {found.version}" for found in distributions),
        "from": " + ".join(_origin(found) for found in distributions),
    }


def _origin(found: metadata.Distribution) -> str:
    """Return how a distribution was installed, without the paths and addresses of this machine."""
    installer = (found.read_text("INSTALLER") or "unknown").strip()
    return f"{installer}, local" if found.read_text("direct_url.json") else installer


def _model() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _revision() -> dict[str, Any] | None:
    """Return the commit of the folder in which the command was given, ``None`` outside a checkout."""
    try:
        commit = git("rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None
