"""What an experiment takes of the machine, at the least: files, threads, memory, ports and disk."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.model.cases import Case, Experiment, Strategy
from bench.server.door import descriptors_for
from bench.server.endpoint import Endpoint, endpoint_of

_MIB: Final = 1 << 20
_RUNNER_FILES: Final = 16
"""Pipes, the journal, the guardian's socket, and what starting a process takes for a moment."""
_WORKER_FILES: Final = 8
"""Pipes, an event loop, and the flag that it is saving."""
_FILES_PER_THREAD: Final = 2
"""Its connection, and the flag that it is saving."""
_POOL_FILES: Final = 16
"""What any worker has, and the queues of a pool of processes."""
_FILES_PER_PROCESS: Final = 2
"""By which a pool knows that a process of it has ended, and the process that the pool has."""
_OWN_TASKS: Final = 6
"""Guardian, server, worker, the threads of an executor's own, and what the runner starts for a moment."""
_OWN_MEMORY: Final = 128 * _MIB
"""Runner, guardian, server and one worker: 23 to 45 MiB each."""
_MEMORY_PER_PROCESS: Final = 6 * _MIB
"""What a process of a pool does not share with the others; 5.8 to 6.1 MiB were measured."""
_BLOCK: Final = 4096
"""What a file takes at the least, and is rounded up to."""
_LEAST_TRIAL_BYTES: Final = 9 * 1024
"""Of a run's folder, for each trial: journal and document; 9 to 23 KiB were measured."""
_USUAL_TRIAL_BYTES: Final = 24 * 1024
_OWN_BYTES: Final = 256 * 1024
"""Tables, and what server and workers print."""
_OWN_FILES: Final = 16


@dataclass(frozen=True, slots=True)
class Need:
    """An amount, and what takes it.

    Attributes:
        is_by_workers: whether fewer workers would take less.
    """

    amount: float
    taker: str
    is_by_workers: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What an experiment takes at the least, and at once where nothing else is said.

    Attributes:
        open_files: of one process, whichever takes most.
        comfortable_files: the same, where connections come before the server has closed the last ones.
        tasks: threads and processes, beside the runner.
        memory: bytes, of all processes.
        ports: connections.
        workspace_bytes: of temporary files.
        workspace_files: their number.
        results_bytes: of the run's folder in the end.
        usual_results_bytes: the same, if trials are as long as they may be.
        cores: that are to be kept apart.
    """

    open_files: Need
    comfortable_files: Need
    tasks: Need
    memory: Need
    ports: Need
    workspace_bytes: Need
    workspace_files: Need
    results_bytes: Need
    usual_results_bytes: Need
    cores: int


def needs_of(experiment: Experiment, flags: Mapping[str, int], kept: int = 0) -> Needs:
    """Work out what an experiment takes, given the bytes of each flag that is served.

    Of its trials, so many are ``kept`` from before it was left.
    """
    cases = experiment.cases
    processes = {case: lanes(case) for case in cases if experiment.strategies[case.strategy].starts_processes}
    own = Need(_RUNNER_FILES, "the harness")
    listeners = len({Endpoint(), *(endpoint_of(case.profile) for case in cases)})
    server = _widest(cases, "the server", lambda case: descriptors_for(lanes(case), listeners))
    worker = _widest(
        cases, "the worker", lambda case: _worker_files(experiment.strategies[case.strategy], case)
    )
    reopening = _widest(cases, "the server", lambda case: descriptors_for(2 * lanes(case), listeners))
    # what one round saves before it is tidied away, beside the reference
    saved = [[flags.get(code, 0) for code in case.countries.codes] for case in cases]
    saved_bytes, saved_files = max(map(_on_disk, saved)), max(map(len, saved))
    taker = "the flags, as served and as saved"
    return Needs(
        open_files=_most(own, server, worker),
        comfortable_files=_most(own, server, worker, reopening),
        tasks=_widest(
            cases, "the worker", lambda case: _OWN_TASKS + _tasks(experiment.strategies[case.strategy], case)
        ),
        memory=_widest(
            cases, "all processes", lambda case: _OWN_MEMORY + _MEMORY_PER_PROCESS * processes.get(case, 0)
        ),
        ports=_widest(cases, "the worker", lanes),
        workspace_bytes=Need(_OWN_BYTES + _on_disk(flags.values()) + saved_bytes, taker),
        workspace_files=Need(_OWN_FILES + len(flags) + saved_files, taker),
        results_bytes=_results_bytes(experiment, kept, _LEAST_TRIAL_BYTES),
        usual_results_bytes=_results_bytes(experiment, kept, _USUAL_TRIAL_BYTES),
        cores=2 if experiment.pinning else 1,
    )


def lanes(case: Case) -> int:
    """Return how many downloads of a case can be in flight at once."""
    return min(case.workers, len(case.countries.fetches))


def connections_of(case: Case) -> int:
    """Return how many connections a round of a case makes."""
    return lanes(case) if case.keep_alive else len(case.countries.fetches)


def _worker_files(strategy: Strategy, case: Case) -> int:
    """Return how many files the process of a worker has open; of a strategy of one's own, at the least."""
    if strategy.starts_processes:
        return _POOL_FILES + _FILES_PER_PROCESS * lanes(case)
    return _WORKER_FILES + lanes(case) * (_FILES_PER_THREAD if strategy.face == "sync" else 1)


def _tasks(strategy: Strategy, case: Case) -> int:
    """Return how many threads or processes a case starts; an event loop has none."""
    return 0 if strategy.face == "async" else lanes(case)


def _results_bytes(experiment: Experiment, kept: int, trial_bytes: int) -> Need:
    stopping = experiment.stopping
    blocks = experiment.blocks if stopping is None else min(stopping.least_blocks, experiment.blocks)
    trials = max(0, blocks * len(experiment.cases) - kept)
    return Need(_OWN_BYTES + trials * trial_bytes, f"{trials:,} trials, about")


def _on_disk(sizes_bytes: Iterable[int]) -> int:
    return sum(math.ceil(size / _BLOCK) * _BLOCK for size in sizes_bytes)


def _widest(cases: Iterable[Case], who: str, amount: Callable[[Case], float]) -> Need:
    """Return what the most demanding of the cases takes."""
    case = max(cases, key=amount)
    return Need(amount(case), f"{who}, for {case.id}", is_by_workers=True)


def _most(*needs: Need) -> Need:
    return max(needs, key=lambda need: need.amount)
