"""Describe the machine and the software of a run for its results.

Secrets and the host name are left out.
"""

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
from bench.system.blind_spots import find_blind_spots
from bench.system.cpu_affinity import Pinning
from bench.system.git import git

_SHARED_LIBRARIES: Final = ("h11", "httpcore", "httptools", "urllib3")
"""Libraries that the clients and the server are built on."""


def describe_environment(clients: Iterable[str], pinning: Pinning) -> dict[str, Any]:
    """Describe the machine, the interpreter and the libraries of these clients, as stored with a run."""
    owners = metadata.packages_distributions()
    modules = sorted({*clients, *_SHARED_LIBRARIES} & owners.keys())
    return {
        "fingerprint": machine_fingerprint(),
        "python": _describe_python(),
        "system": _describe_system(),
        "processor": _describe_processor(),
        "pinning": asdict(pinning),
        "unchecked": list(find_blind_spots()),
        "libraries": {module: _describe_library(sorted(set(owners[module]))) for module in modules},
        "flagbench": __version__,
        "git": _describe_commit(),
    }


def machine_fingerprint() -> str:
    """Return a SHA-256, in hex digits, that differs between machines whose timings cannot be compared.

    It covers processor model, number of cores, governor, kernel, C library, and Python.
    """
    processor, system, python = _describe_processor(), _describe_system(), _describe_python()
    identity = [
        *(processor[key] for key in ("model", "cores", "governor")),
        *(system[key] for key in ("name", "release", "machine", "libc")),
        *(python[key] for key in ("implementation", "version")),
    ]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def _describe_python() -> dict[str, str]:
    return {
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "compiler": platform.python_compiler(),
    }


def _describe_system() -> dict[str, str]:
    return {
        "name": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
    }


def _describe_processor() -> dict[str, Any]:
    return {
        "model": _read_processor_model(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "governor": _read(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
    }


def _describe_library(owners: Sequence[str]) -> dict[str, str]:
    """Describe the distributions of a module; a fork may have put itself under another's name."""
    distributions = [metadata.distribution(owner) for owner in owners]
    return {
        "version": " + ".join(f"{found.name} {found.version}" for found in distributions),
        "from": " + ".join(_describe_origin(found) for found in distributions),
    }


def _describe_origin(found: metadata.Distribution) -> str:
    """Return how a distribution was installed, without paths and URLs of this machine."""
    installer = (found.read_text("INSTALLER") or "unknown").strip()
    return f"{installer}, local" if found.read_text("direct_url.json") else installer


def _read_processor_model() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _describe_commit() -> dict[str, Any] | None:
    """Return the commit of the current folder; None outside a checkout."""
    try:
        commit = git("rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None
