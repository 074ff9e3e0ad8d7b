"""Observe how a strategy uses its job in the warm-up: the clients that it opens, and the workers."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.api import Job
from bench.api.observed_job import LOOP_PREFIX, JobRecorder, ObservedJob, start_recording, stop_recording
from bench.model.job_use import JobUse

_MOST_BYTES: Final = 1 << 16
"""Read of the file: a few facts from each process that the strategy started."""


class JobObservation:
    """The observation of one warm-up.

    Attributes:
        use: the use that was observed; None before the end of the observation, or if the strategy removed
            the record of its other processes.
        has_read_option: whether ``job.option`` was read.
    """

    def __init__(self, folder: Path) -> None:
        self.use: JobUse | None = None
        self.has_read_option = False
        self._file = folder / ".job-use"
        self._recorder: JobRecorder | None = None

    def begin(self, job: Job) -> Job:
        """Start recording, and return the job to hand to the strategy."""
        with suppress(OSError):
            self._file.touch()
        self._recorder = start_recording(str(self._file), os.getpid())
        return ObservedJob._make(job)

    def end(self) -> None:
        """Stop recording, and add the records of other processes; do nothing without a start."""
        if self._recorder is None:
            return
        stop_recording()
        facts, self._recorder = self._recorder.facts, None
        try:
            with self._file.open("rb") as file:
                facts = facts | set(file.read(_MOST_BYTES).decode(errors="replace").split())
            self._file.unlink()
        except OSError:
            if not facts & {"sync", "async"}:  # other processes may have opened a client
                return
        loops = sorted(fact.removeprefix(LOOP_PREFIX) for fact in facts if fact.startswith(LOOP_PREFIX))
        kinds = tuple(kind for kind in ("sync", "async") if kind in facts)
        self.use = JobUse(kinds, "workers" in facts, tuple(loops))
        self.has_read_option = "option" in facts
