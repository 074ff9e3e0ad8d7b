"""Call a function of the user's that takes country codes, and find out what it downloaded. Used by the trial.

Such a function is the chapter's ``download_many(cc_list)`` or one like it. It knows no job: arguments and
module constants lead it to the flag server and to a folder, which are the same in each round. What it
returns tells nothing of single fetches, so the files that it saved do; the runner compares them with the
server log and with the plan.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from inspect import iscoroutine
from pathlib import Path
from typing import Final

from bench.api import Fetch, Job
from bench.model.function_call import CURRENT_ROUND, ROUND_DIGITS, ArgumentKind
from bench.worker.protocol import Task
from bench.worker.redirection import Redirection, redirect_modules

_OK: Final = 200


def redirect_constants(task: Task) -> None:
    """Point the constants of the modules that are imported next at the flag server and the folder."""
    redirect_modules(
        Redirection(
            below=(*task.module_folders, str(task.strategy_file.parent)),
            addresses=task.call.addresses,
            address=flags_address(task.base_url if task.paths else f"{task.base_url}.{CURRENT_ROUND}"),
            targets=task.call.folders,
            folder=str(task.folder / CURRENT_ROUND),
        )
    )


def announce_round(file: Path, number: int) -> None:
    """Tell the server the number of the round that begins; at no time is there no number."""
    with file.open("r+b", buffering=0) as written:
        written.write(f"{number:0{ROUND_DIGITS}}".encode())


def prepare_call(function: Callable[..., object], task: Task, job: Job) -> Callable[[], object]:
    """Return the call of a round: with the job, or with codes, once the current folder is set."""
    call = task.call
    if not call.is_foreign:
        return partial(_run, partial(function, job))
    os.chdir(job.folder)  # paths that the function has itself are relative to it
    arguments = {name: _argument(kind, job) for name, kind in call.arguments.items()}
    return partial(_run, partial(function, **arguments))


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


def _run(call: Callable[[], object]) -> object:
    """Make a call; run what it returns in an event loop if that is a coroutine."""
    returned = call()
    if iscoroutine(returned):
        from asyncio import run  # late: most strategies need no event loop, and the warm-up has paid for it

        return run(returned)
    return returned


def _argument(kind: ArgumentKind, job: Job) -> object:
    match kind:
        case "codes":
            return list(job.countries)
        case "address":
            return flags_address(job.base_url)
        case "workers":
            return job.workers
        case "folder":
            return job.folder
        case "verbose":
            return False


def flags_address(server: str) -> str:
    """Return the address of the flags at a server, as the chapter's scripts have it."""
    return f"{server}/flags"


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
