"""What an experiment takes of the machine, at the least: files, threads, memory, ports and disk."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from bench.errors import ResourceError
from bench.model.cases import Case, Experiment, Strategy
from bench.model.lower_bound import CaseForecast
from bench.runner.time_estimate import expected_rounds
from bench.server.accept_loop import descriptors_for
from bench.server.listeners import Endpoint, endpoint_of
from bench.system.limits import Limits, Room
from bench.system.machine import Figure

_MEBIBYTE: Final = 1 << 20
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
_OWN_MEMORY: Final = 128 * _MEBIBYTE
"""Runner, guardian, server and one worker: 23 to 45 MiB each."""
_MEMORY_PER_PROCESS: Final = 6 * _MEBIBYTE
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


def resource_needs(experiment: Experiment, flags: Mapping[str, int], kept: int = 0) -> Needs:
    """Work out what an experiment takes, given the bytes of each flag that is served.

    Of its trials, so many are ``kept`` from before it was left.
    """
    cases = experiment.cases
    processes = {
        case: max_concurrency(case) for case in cases if experiment.strategies[case.strategy].starts_processes
    }
    own = Need(_RUNNER_FILES, "the harness")
    listeners = len({Endpoint(), *(endpoint_of(case.profile) for case in cases)})
    server = _widest(cases, "the server", lambda case: descriptors_for(max_concurrency(case), listeners))
    worker = _widest(
        cases, "the worker", lambda case: _worker_files(experiment.strategies[case.strategy], case)
    )
    reopening = _widest(
        cases, "the server", lambda case: descriptors_for(2 * max_concurrency(case), listeners)
    )
    # what one round saves before it is tidied away, beside the reference
    saved = [[flags.get(code, 0) for code in case.countries.codes] for case in cases]
    saved_bytes, saved_files = max(map(_on_disk, saved)), max(map(len, saved))
    taker = "the flags, as served and as saved"
    return Needs(
        open_files=_most(own, server, worker),
        comfortable_files=_most(own, server, worker, reopening),
        tasks=_widest(
            cases,
            "the worker",
            lambda case: _OWN_TASKS + _task_need(experiment.strategies[case.strategy], case),
        ),
        memory=_widest(
            cases, "all processes", lambda case: _OWN_MEMORY + _MEMORY_PER_PROCESS * processes.get(case, 0)
        ),
        ports=_widest(cases, "the worker", max_concurrency),
        workspace_bytes=Need(_OWN_BYTES + _on_disk(flags.values()) + saved_bytes, taker),
        workspace_files=Need(_OWN_FILES + len(flags) + saved_files, taker),
        results_bytes=_results_bytes(experiment, kept, _LEAST_TRIAL_BYTES),
        usual_results_bytes=_results_bytes(experiment, kept, _USUAL_TRIAL_BYTES),
        cores=2 if experiment.pinning else 1,
    )


def max_concurrency(case: Case) -> int:
    """Return how many downloads of a case can be in flight at once."""
    return min(case.workers, len(case.countries.fetches))


def connections_of(case: Case) -> int:
    """Return how many connections a round of a case makes."""
    return max_concurrency(case) if case.keep_alive else len(case.countries.fetches)


def _worker_files(strategy: Strategy, case: Case) -> int:
    """Return how many files the process of a worker has open; of a strategy of one's own, at the least."""
    if strategy.starts_processes:
        return _POOL_FILES + _FILES_PER_PROCESS * max_concurrency(case)
    return _WORKER_FILES + max_concurrency(case) * (_FILES_PER_THREAD if strategy.face == "sync" else 1)


def _task_need(strategy: Strategy, case: Case) -> int:
    """Return how many threads or processes a case starts; an event loop has none."""
    return 0 if strategy.face == "async" else max_concurrency(case)


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


_MIB: Final = 1 << 20
_FEWER: Final = "or ask for fewer workers"
_SHORTEST_ROUND_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Shortage:
    """One thing of which there is less than it takes.

    Attributes:
        what: its name.
        need: how much it takes and what takes it, in words.
        have: how much there is, in words.
        source: the file or call that says so.
        remedy: what to do about it.
        is_certain: whether nothing can be run like this; otherwise it may go well.
    """

    what: str
    need: str
    have: str
    source: str
    remedy: str
    is_certain: bool

    def __str__(self) -> str:
        return f"{self.what}: {self.need}, and there are {self.have} ({self.source}); {self.remedy}"


def definite_shortages(needs: Needs, limits: Limits) -> tuple[Shortage, ...]:
    """Hold what an experiment takes against what the machine has; what is unreadable is no shortage."""
    return tuple(
        chain(
            _open_files(needs, limits),
            _tasks(needs, limits),
            _memory(needs, limits),
            _ports(needs, limits),
            _disk(needs, limits),
            _cores(needs, limits),
        )
    )


def unknown_limits(limits: Limits) -> tuple[str, ...]:
    """Say what could not be looked at, and where it should have been; a sentence each."""
    figures = {
        "open files": limits.open_files,
        "threads and processes": limits.tasks,
        "memory": limits.memory,
        "ports": limits.ports,
        "room for temporary files": limits.workspace.free_bytes,
        "room for results": limits.results.free_bytes,
    }
    return tuple(
        f"{what}: not readable here ({figure.source}), so not looked at"
        for what, figure in figures.items()
        if figure.value is None
    )


def require_resources(found: Sequence[Shortage]) -> None:
    """Refuse to start what cannot come to its end.

    Raises:
        ShortageFault: something is certainly not there.
    """
    if certain := tuple(str(shortage) for shortage in found if shortage.is_certain):
        raise ResourceError(certain)


def possible_shortages(found: Sequence[Shortage]) -> tuple[str, ...]:
    """Say what may be too little; a sentence each."""
    return tuple(str(shortage) for shortage in found if not shortage.is_certain)


def possible_port_shortages(
    experiment: Experiment, outlooks: Sequence[CaseForecast], limits: Limits
) -> tuple[str, ...]:
    """Say where connections may come faster than the ports of earlier ones are free again; a sentence each.

    The rate is an estimate: connections of a round, by the rounds and the time that a trial is expected to
    take. Who closes a connection first keeps its port busy (RFC 9293, 3.6.1), and that is taken to be the
    client.
    """
    ports, rest_s = limits.ports.value, limits.port_rest_s.value
    if ports is None or rest_s is None:
        return ()
    busy = {outlook.case.id: _resting(experiment, outlook, rest_s) for outlook in outlooks}
    case, most = max(busy.items(), key=lambda item: item[1])
    if most <= ports:
        return ()
    need = f"about {most:,.0f} may be in use or rest for {rest_s:g} s after use ({case})"
    source = f"{limits.ports.source}, {limits.port_rest_s.source}"
    remedy = "keep connections alive, or `sudo sysctl net.ipv4.tcp_tw_reuse=2`"
    return (str(Shortage("ports", need, f"{ports:,.0f}", source, remedy, is_certain=False)),)


def _resting(experiment: Experiment, outlook: CaseForecast, rest_s: float) -> float:
    """Estimate how many ports are taken while trials of a case follow one another."""
    rounds = 1 + expected_rounds(experiment.rounds, max(outlook.ideal_s, _SHORTEST_ROUND_S))
    made = rounds * connections_of(outlook.case)
    return made * max(1.0, rest_s / max(min(outlook.trials_s), 0.001))


def _open_files(needs: Needs, limits: Limits) -> Iterator[Shortage]:
    limit = limits.open_files
    for need, is_certain in ((needs.open_files, True), (needs.comfortable_files, False)):
        if _lacks(limit, need.amount):
            remedy = f"raise the limit with `ulimit -n {need.amount:.0f}`"
            if need.is_by_workers:
                remedy += f", {_FEWER}"
            yield Shortage(
                "open files", _counted(need), f"{limit.value:,.0f}", limit.source, remedy, is_certain
            )
            return


def _tasks(needs: Needs, limits: Limits) -> Iterator[Shortage]:
    if _lacks(limits.tasks, needs.tasks.amount):
        have = f"{max(0.0, limits.tasks.value or 0.0):,.0f} to be had"
        remedy = f"raise the limit, end other processes, {_FEWER}"
        yield Shortage(
            "threads and processes", _counted(needs.tasks), have, limits.tasks.source, remedy, is_certain=True
        )


def _memory(needs: Needs, limits: Limits) -> Iterator[Shortage]:
    need = _sized(needs.memory)
    for limit, words, is_certain in (
        (limits.most_memory, "in all", True),
        (limits.memory, "free at the moment", False),
    ):
        if _lacks(limit, needs.memory.amount):
            have = f"{_mib(limit.value or 0.0)} {words}"
            yield Shortage("memory", need, have, limit.source, f"free some, {_FEWER}", is_certain)
            return


def _ports(needs: Needs, limits: Limits) -> Iterator[Shortage]:
    if _lacks(limits.ports, needs.ports.amount):
        remedy = f"widen net.ipv4.ip_local_port_range, {_FEWER}"
        have = f"{limits.ports.value:,.0f}"
        yield Shortage("ports", _counted(needs.ports), have, limits.ports.source, remedy, is_certain=True)


def _disk(needs: Needs, limits: Limits) -> Iterator[Shortage]:
    workspace, results = limits.workspace, limits.results
    elsewhere = "free some, or have TMPDIR name a folder elsewhere"
    if _lacks(workspace.files, needs.workspace_files.amount):
        have = f"{workspace.files.value:,.0f} to be made in {workspace.folder}"
        yield Shortage(
            "files",
            _counted(needs.workspace_files),
            have,
            workspace.files.source,
            elsewhere,
            is_certain=True,
        )
    kept = (needs.results_bytes, needs.usual_results_bytes)
    if workspace.device == results.device:
        both = [_together(needs.workspace_bytes, need) for need in kept]
        yield from _too_little_room("disk", both, results, f"{elsewhere}, and --out one for results")
    else:
        remedy = "free some, or name a folder elsewhere with --out"
        yield from _too_little_room("disk for temporary files", [needs.workspace_bytes], workspace, elsewhere)
        yield from _too_little_room("disk for results", kept, results, remedy)


def _together(one: Need, other: Need) -> Need:
    return Need(one.amount + other.amount, f"{one.taker}, and {other.taker}")


def _cores(needs: Needs, limits: Limits) -> Iterator[Shortage]:
    if _lacks(limits.cores, needs.cores):
        need = f"it takes {needs.cores} to keep the server apart from its clients"
        remedy = "expect trials to be refused, or have them kept with `disturbed: keep`"
        have = f"{limits.cores.value:,.0f}"
        yield Shortage("cores", need, have, limits.cores.source, remedy, is_certain=False)


def _too_little_room(what: str, needs: Sequence[Need], room: Room, remedy: str) -> Iterator[Shortage]:
    """Look whether there is room for what is needed for certain, the first, and then for the others."""
    for need in needs:
        if _lacks(room.free_bytes, need.amount):
            have = f"{_mib(room.free_bytes.value or 0.0)} free in {room.folder}"
            source = room.free_bytes.source
            yield Shortage(what, _sized(need), have, source, remedy, is_certain=need is needs[0])
            return


def _lacks(limit: Figure, amount: float) -> bool:
    return limit.value is not None and limit.value < amount


def _counted(need: Need) -> str:
    return f"it takes {need.amount:,.0f} ({need.taker})"


def _sized(need: Need) -> str:
    return f"it takes {_mib(need.amount)} ({need.taker})"


def _mib(size_bytes: float) -> str:
    return f"{math.ceil(size_bytes / _MIB):,} MiB" if size_bytes >= _MIB else f"{size_bytes / 1024:,.0f} KiB"
