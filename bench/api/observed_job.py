"""A job that records its use: the clients that are opened, and whether ``workers`` is read.

The worker hands it to the warm-up only, so that recording costs nothing where a job is timed. It may be
pickled to other processes, which record its use in a file.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, Self

from bench.api.client import ClientSettings
from bench.api.job import CLIENT_OBSERVERS, Job

LOOP_PREFIX: Final = "loop:"
"""Of a fact that names the class of an event loop."""
_WORKERS: Final = Job._fields.index("workers")


class JobRecorder:
    """Records facts about jobs, one word each: in memory, and in other processes to a file.

    Attributes:
        file: the file that takes the facts of other processes.
        facts: the facts of this process.
    """

    def __init__(self, file: str, owner: int) -> None:
        self.file = file
        self.facts: set[str] = set()
        self._owner = owner

    def record(self, fact: str) -> None:
        """Record a fact, once for each process."""
        if fact in self.facts:
            return
        self.facts.add(fact)
        if os.getpid() != self._owner:
            # it is gone after the warm-up, and a full disk must not fail the strategy here
            with suppress(OSError):
                descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND)
                try:
                    os.write(descriptor, f"{fact}\n".encode())
                finally:
                    os.close(descriptor)

    def record_client(self, kind: str) -> None:
        """Record that a client of a kind is opened, and the event loop in which it is."""
        self.record(kind)
        if kind == "async" and (loop := _name_running_loop()) is not None:
            self.record(f"{LOOP_PREFIX}{loop}")


def _name_running_loop() -> str | None:
    """Return module and class of the running event loop, or ``trio``; None without any."""
    from asyncio import get_running_loop  # the job needs it as well, unless it is on trio

    try:
        kind = type(get_running_loop())
    except RuntimeError:
        return "trio" if "trio" in sys.modules else None
    return f"{kind.__module__}.{kind.__qualname__}"


_recorders: Final[list[JobRecorder]] = []
"""The recorder of this process, if it has one: jobs have no place for it that survives ``_replace``."""


def start_recording(file: str, owner: int) -> JobRecorder:
    """Record all jobs of this process from now on; ``owner`` is the process that keeps facts in memory."""
    recorder = JobRecorder(file, owner)
    _recorders[:] = [recorder]
    CLIENT_OBSERVERS[:] = [recorder.record_client]
    return recorder


def stop_recording() -> None:
    """Record nothing from now on in this process."""
    _recorders.clear()
    CLIENT_OBSERVERS.clear()


class ObservedJob(Job):
    """A job that records whether its number of workers is read, by name or with all other fields."""

    __slots__ = ()

    @property
    def workers(self) -> int:
        """The downloads that may be in flight at once."""
        _record_workers()
        return self._plain().workers

    @property
    def option(self) -> str:
        """The option of the strategy that the case names."""
        for recorder in _recorders:
            recorder.record("option")
        return self._plain().option

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the fields; workers are among them."""
        _record_workers()
        return tuple.__iter__(self)

    def __getitem__(self, index: Any) -> Any:
        """Return a field, or several."""
        if isinstance(index, slice) or index % len(self) == _WORKERS:
            _record_workers()
        return tuple.__getitem__(self, index)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the job with the file of its recorder; that reads no field on behalf of the strategy."""
        file = _recorders[0].file if _recorders else None
        return _restore_job, (file, self._plain())

    def _replace(self, **fields: Any) -> Self:
        return type(self)._make(self._plain()._replace(**fields))

    @property
    def _settings(self) -> ClientSettings:
        return self._plain()._settings  # noqa: SLF001  the client reads the workers, not the strategy

    @property
    def _is_on_trio(self) -> bool:
        return self._plain()._is_on_trio  # noqa: SLF001  the client reads the option, not the strategy

    def _plain(self) -> Job:
        return Job._make(tuple.__iter__(self))


def _record_workers() -> None:
    for recorder in _recorders:
        recorder.record("workers")


def _restore_job(file: str | None, job: Job) -> Job:
    """Build a pickled job, and record its use unless this process does already."""
    if file is not None and not any(recorder.file == file for recorder in _recorders):
        start_recording(file, owner=0)
    return ObservedJob._make(job)
