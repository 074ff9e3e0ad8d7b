"""Call a function of the user's that takes country codes, and find out what it downloaded. Used by the trial.

Such a function is the chapter's ``download_many(cc_list)`` or one like it. It knows no job: module constants
lead it to the flag server and to the folder of the round. What it returns tells nothing of single fetches,
so the files that it saved do; the runner compares them with the server log and with the plan.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from bench.api import Fetch, Job
from bench.model.function_call import ArgumentKind, FunctionCall
from bench.worker.module_path import INSTALLED
from bench.worker.protocol import Task

_OK: Final = 200
_originals: Final[dict[tuple[str, str], object]] = {}
"""The values of replaced constants, by module and name, as the user's code has them."""


def prepare_call(function: Callable[..., object], task: Task, job: Job) -> Callable[[], object]:
    """Return the call of a round: with the job, or with codes, once constants and folder are set."""
    call = task.call
    if not call.is_foreign:
        return partial(function, job)
    _redirect_constants(call, job, (*task.module_folders, str(task.strategy_file.parent)))
    os.chdir(job.folder)  # paths that the function has itself are relative to it
    return partial(function, **{name: _argument(kind, job) for name, kind in call.arguments.items()})


def list_saved_flags(job: Job) -> list[Fetch]:
    """Return a fetch without times for each code whose flag was saved; give the files our names.

    The chapter saves ``BR.gif``. A file in a folder below the round's is moved up.
    """
    names = {f"{code.lower()}.gif" for code in job.countries}
    for path in sorted(_files_below(job.folder)):
        name = path.name.lower()
        if name in names and path != job.folder / name and not (job.folder / name).exists():
            path.rename(job.folder / name)
            _remove_empty_folders(path.parent, job.folder)
    sizes = {name: _size(job.folder / name) for name in names}
    return [
        Fetch(code, 0.0, 0.0, _OK, size, "ok")
        for code in job.countries
        if (size := sizes[f"{code.lower()}.gif"]) is not None
    ]


def has_fetches(returned: object) -> bool:
    """Tell whether a function returned fetches, although its form does not ask for them."""
    return isinstance(returned, list) and bool(returned) and all(isinstance(each, Fetch) for each in returned)


def _argument(kind: ArgumentKind, job: Job) -> object:
    match kind:
        case "codes":
            return list(job.countries)
        case "address":
            return _address(job)
        case "workers":
            return job.workers
        case "folder":
            return job.folder
        case "verbose":
            return False


def _address(job: Job) -> str:
    return f"{job.base_url}/flags"


def _redirect_constants(call: FunctionCall, job: Job, folders: tuple[str, ...]) -> None:
    """Point the constants of the user's modules at the flag server and the folder of the round."""
    for module in _own_modules(folders):
        for name in call.addresses:
            original = _original(module, name)
            if isinstance(original, str) and original.startswith(("http://", "https://")):
                setattr(module, name, replace_address(original, _address(job)))
        for name in call.folders:
            original = _original(module, name)
            if isinstance(original, str | Path):
                setattr(module, name, type(original)(job.folder))


def replace_address(original: str, address: str) -> str:
    """Return an address in place of another one, with a slash at its end or a template if that had one.

    ``https://example.org/{cc}/{cc}.gif`` keeps ``/{cc}/{cc}.gif``.
    """
    path = original.find("/", original.find("://") + 3)
    marks = [place for mark in ("{", "%") if path >= 0 and (place := original.find(mark, path)) >= 0]
    if marks:
        return address + original[original.rfind("/", 0, min(marks)) :]
    return f"{address}/" if original.endswith("/") else address


def _original(module: ModuleType, name: str) -> object:
    """Return the value that a constant had before it was first replaced, or None."""
    value: Any = vars(module).get(name)
    return None if value is None else _originals.setdefault((module.__name__, name), value)


def _own_modules(folders: tuple[str, ...]) -> Iterator[ModuleType]:
    """Yield the loaded modules whose files are below the user's folders, without installed packages."""
    below = tuple(os.path.join(folder, "") for folder in folders)  # noqa: PTH118  cold start
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if (
            isinstance(file, str)
            and file.startswith(below)
            and not any(f"/{each}/" in file for each in INSTALLED)
        ):
            yield module


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, _, files in os.walk(folder):
        yield from (Path(parent, name) for name in files)


def _remove_empty_folders(folder: Path, top: Path) -> None:
    with suppress(OSError):  # not empty
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None
