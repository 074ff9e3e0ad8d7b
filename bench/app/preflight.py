"""Check before the first trial that a run has enough open files, ports and disk space, and pin it to cores.

Needs come from the experiment, are compared with limits that are read once, and become lines for the user.
Exhaustion of anything else, such as memory or processes, is reported when it happens.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.api.bodies import BUFFERED_BYTES
from bench.errors import ResourceError, SetupError
from bench.model.cases import Case, Experiment, Profile, Strategy
from bench.model.lower_bound import CaseForecast
from bench.model.planned_bodies import sizes_of
from bench.model.scheduler import EMBEDDED
from bench.model.text import join_and, plural
from bench.runner.processes.workspace import is_in_memory, workspace_parent
from bench.server.resource_needs import count_listeners, required_descriptors
from bench.system.blind_spots import can_watch_processors, find_blind_spots
from bench.system.cpu_affinity import Pinning, assign_cores, usable_cores
from bench.system.limits import Limits, raise_limit, read_limits
from bench.system.machine import Figure
from bench.system.paths import import_path, join_import_path
from bench.system.process_tree import lists_processes

_KIB: Final = 1 << 10
_MIB: Final = 1 << 20
_HARNESS_FILES: Final = 16
"""Pipes, the journal, the supervisor's socket, and a few for the moment in which a process is started."""
_WORKER_FILES: Final = 8
"""Pipes, an event loop, and the flag that is being saved."""
_FILES_PER_THREAD: Final = 2
"""A connection, and the flag that is being saved."""
_POOL_FILES: Final = 16
"""Those of any worker, and the queues of a process pool."""
_FILES_PER_PROCESS: Final = 2
"""The sentinel and the pipe of each process of a pool."""
_BLOCK_BYTES: Final = 4096
"""A file takes a multiple of this on disk."""
_BASE_BYTES: Final = 256 * _KIB
"""Tables, and the output of server and workers."""
_TRIAL_BYTES: Final = 9 * _KIB
"""The least that a trial adds to journal and document; 9 to 23 KiB were measured."""
_SHORTEST_S: Final = 0.001
_REUSED_AFTER_S: Final = 1.0
"""Seconds after which a kernel with ``tcp_tw_reuse`` uses a port again."""
_MOST_PORTS: Final = 64_512
"""Ports from 1024: no range can be wider."""
_FEWER_WORKERS: Final = "or use fewer workers"


@dataclass(frozen=True, slots=True)
class Need:
    """An amount, and the process or files that need it."""

    amount: float
    consumer: str


@dataclass(frozen=True, slots=True)
class Needs:
    """The least that an experiment needs.

    Attributes:
        open_files: descriptors of the process with most of them.
        ports: connections at once.
        workspace_bytes: disk space of temporary files.
        results_bytes: disk space of the run's folder in the end.
    """

    open_files: Need
    ports: Need
    workspace_bytes: Need
    results_bytes: Need


def check_resources(experiment: Experiment, flags: Mapping[str, bytes], place: Path, kept: int = 0) -> Limits:
    """Refuse an experiment that needs more than the limits of this machine; return those limits.

    Args:
        experiment: the experiment to run.
        flags: every flag as the server serves it, by country.
        place: the folder of the run, or that in which it will be made.
        kept: trials that an interrupted run has already.

    Raises:
        ResourceError: a resource is missing.
        SetupError: there is no folder for temporary files.
    """
    raise_limit()
    try:
        workspace = workspace_parent()
    except OSError as error:
        raise SetupError(
            f"no folder for temporary files can be written: {error.strerror}",
            hint="name one with TMPDIR, or free some disk space",
        ) from error
    limits = read_limits(workspace, place, is_in_memory=is_in_memory(workspace))
    flag_sizes = {code: len(flag) for code, flag in flags.items()}
    if shortages := find_shortages(resource_needs(experiment, flag_sizes, kept), limits):
        raise ResourceError(shortages)
    return limits


def check_results_space(
    experiment: Experiment, flags: Mapping[str, bytes], place: Path, kept: int = 0
) -> Limits:
    """Refuse an experiment whose results have no room here; other machines check what else it needs.

    Arguments, result and errors are those of ``check_resources``.
    """
    limits = read_limits(place, place)
    needs = resource_needs(experiment, {code: len(flag) for code, flag in flags.items()}, kept)
    none = Need(0, "")
    if shortages := find_shortages(replace(needs, open_files=none, ports=none, workspace_bytes=none), limits):
        raise ResourceError(shortages)
    return limits


def plan_pinning(experiment: Experiment) -> Pinning:
    """Assign the cores that this process may use, if the experiment wants pinning.

    Nothing is pinned where other processes cannot be watched: one could have a core that a trial is tied to.
    """
    return assign_cores(usable_cores()) if experiment.pinning and can_watch_processors() else Pinning()


def shared_core_note(experiment: Experiment, pinning: Pinning) -> str | None:
    """Return a line if several processes are to do CPU work on one processor; None otherwise."""
    if not pinning.worker or pinning.worker_processors > 1:
        return None
    with_processes = [
        case.strategy
        for case in experiment.cases
        if case.work.times
        for strategy in [experiment.strategies[case.strategy]]
        if strategy.starts_processes or (strategy.uses_cluster and case.scheduler == EMBEDDED)
    ]
    if not with_processes:
        return None
    return (
        f"the processes of {join_and(list(dict.fromkeys(with_processes)))} share the one CPU that the flag "
        "server leaves them, so they do no work at the same time; 'pinning: false' gives them all CPUs"
    )


def check_import_path() -> None:
    """Refuse a project whose folder cannot be imported from.

    The folders of a variant are checked when it is built.

    Raises:
        SetupError: a folder cannot be on an import path.
    """
    join_import_path(import_path())


def blind_spots_note() -> str | None:
    """Return a line about the checks that are impossible on this machine; None if all are possible."""
    checks = find_blind_spots()
    if not checks:
        return None
    unpinned = "" if can_watch_processors() else "; nothing is pinned to CPUs"
    return f"not checked, as /proc or /sys/fs/cgroup cannot be read here: {', '.join(checks)}{unpinned}"


def resource_warnings(forecasts: Sequence[CaseForecast], limits: Limits) -> tuple[str, ...]:
    """Return a line for a possible shortage of ports, and for each limit that could not be read."""
    ports = port_shortage(forecasts, limits)
    return (*unreadable_limits(limits), *([] if ports is None else [ports]))


def resource_needs(experiment: Experiment, flag_sizes: Mapping[str, int], kept: int = 0) -> Needs:
    """Derive the needs of an experiment from its cases and the bytes of each served flag."""
    cases = experiment.cases
    listeners = count_listeners(case.profile for case in cases)
    open_files = [Need(_HARNESS_FILES, "the harness")]
    for case in cases:
        sizes = sizes_of(case.profile, experiment.seed, flag_sizes)
        worker_files = _worker_files(experiment.strategies[case.strategy], case, sizes)
        open_files.append(Need(worker_files, f"the worker of {case.id}"))
        if not case.profile.server:  # that of a target is not ours
            server_files = required_descriptors(_max_concurrency(case), listeners)
            open_files.append(Need(server_files, f"the server for {case.id}"))
    busiest = max(cases, key=_max_concurrency)
    # one round is saved before it is tidied away, beside the references
    saved_bytes = max(
        _saved_bytes(case, sizes_of(case.profile, experiment.seed, flag_sizes)) for case in cases
    )
    trials = max(0, experiment.least_blocks * len(cases) - kept)
    return Needs(
        open_files=max(open_files, key=lambda need: need.amount),
        ports=Need(_max_concurrency(busiest), f"the worker of {busiest.id}"),
        workspace_bytes=Need(
            _BASE_BYTES + _reference_bytes(experiment, flag_sizes) + saved_bytes, "the flags"
        ),
        results_bytes=Need(_BASE_BYTES + trials * _TRIAL_BYTES, plural(trials, "trial")),
    )


def find_shortages(needs: Needs, limits: Limits) -> tuple[str, ...]:
    """Return a line for each need that exceeds its limit; a limit that could not be read is no shortage."""
    workspace, results = needs.workspace_bytes, needs.results_bytes
    if limits.workspace.device == limits.results.device:
        both = Need(workspace.amount + results.amount, f"{workspace.consumer} and {results.consumer}")
        disks = [("disk", both, limits.results, "other folders with TMPDIR and --out")]
    else:
        disks = [
            ("disk for temporary files", workspace, limits.workspace, "another folder with TMPDIR"),
            ("disk for results", results, limits.results, "another folder with --out"),
        ]
    more_files = f"raise the limit with `ulimit -n {needs.open_files.amount:.0f}`"
    if needs.open_files.amount > _HARNESS_FILES:
        more_files += f", {_FEWER_WORKERS}"
    more_ports = f"widen net.ipv4.ip_local_port_range, {_FEWER_WORKERS}"
    if (limits.ports.value or 0) >= _MOST_PORTS:
        more_ports = "use fewer workers"
    lines = (
        _shortage("open files", needs.open_files, limits.open_files, more_files),
        _shortage("ports", needs.ports, limits.ports, more_ports),
        *(
            _shortage(disk, need, space.free_bytes, f"free some, or name {folder}")
            for disk, need, space, folder in disks
        ),
    )
    return tuple(line for line in lines if line is not None)


def port_shortage(forecasts: Sequence[CaseForecast], limits: Limits) -> str | None:
    """Return a line if connections may come faster than TIME_WAIT frees the ports of earlier ones.

    The rate is an estimate: connections by the time that a round and a trial are expected to take. The end
    that closes a connection first keeps its port busy (RFC 9293, 3.6.1); that is taken to be the client.
    """
    ports, time_wait_s = limits.ports.value, limits.time_wait_s.value
    if ports is None or time_wait_s is None:
        return None
    busy = {forecast.case: _busy_ports(forecast, time_wait_s) for forecast in forecasts}
    case, most = max(busy.items(), key=lambda item: item[1])
    need = Need(most, f"{case.id}, by estimate, as TIME_WAIT keeps each for {time_wait_s:g} s")
    limit = Figure(ports, f"{limits.ports.source}, {limits.time_wait_s.source}")
    return _shortage("ports", need, limit, _port_remedy(case, ports, time_wait_s))


def _port_remedy(case: Case, ports: float, time_wait_s: float) -> str:
    """Return what frees more ports, without what is done already."""
    remedies = [
        "" if case.keep_alive else "keep connections alive",
        "`sudo sysctl net.ipv4.tcp_tw_reuse=2`" if time_wait_s > _REUSED_AFTER_S else "",
        "widen net.ipv4.ip_local_port_range" if ports < _MOST_PORTS else "",
        "use a profile with more latency",
    ]
    return ", or ".join([each for each in remedies if each][:2])


def unreadable_limits(limits: Limits) -> tuple[str, ...]:
    """Return a line for each limit that could not be read; ports without any ``/proc`` are a blind spot."""
    figures = {
        "ports": limits.ports,
        "disk for temporary files": limits.workspace.free_bytes,
        "disk for results": limits.results.free_bytes,
    }
    return tuple(
        f"{resource}: not readable here ({figure.source}), so not checked"
        for resource, figure in figures.items()
        if figure.value is None and (figure is not limits.ports or lists_processes())
    )


def _max_concurrency(case: Case) -> int:
    """Return how many downloads of a case can be in flight at once."""
    return min(case.workers, case.countries.count)


def _worker_files(strategy: Strategy, case: Case, sizes: Mapping[str, int]) -> int:
    """Return the open files of a worker process, at the least; a user's own strategy may need more."""
    has_large = any(sizes.get(code, 0) > BUFFERED_BYTES for code in case.countries.codes)
    if strategy.starts_processes:
        return _POOL_FILES + _FILES_PER_PROCESS * _max_concurrency(case)
    files = (
        _FILES_PER_THREAD if strategy.face == "sync" else 1
    ) + has_large  # each goes to a file of its own
    return _WORKER_FILES + _max_concurrency(case) * files


def _busy_ports(forecast: CaseForecast, time_wait_s: float) -> float:
    """Estimate how many ports are in use or in TIME_WAIT while trials of a case follow one another."""
    case = forecast.case
    reuses = case.keep_alive and case.has_settings  # what a function of the user's does is not known
    connections = _max_concurrency(case) if reuses else case.countries.count
    round_s = max(forecast.round_s or forecast.ideal_s, _SHORTEST_S)
    within_a_round = connections * min(1.0, time_wait_s / round_s)
    of_a_trial = (1 + forecast.rounds) * connections
    return max(within_a_round, of_a_trial * time_wait_s / max(min(forecast.trials_s), _SHORTEST_S))


def _saved_bytes(case: Case, sizes: Mapping[str, int]) -> int:
    """Return the disk space of a round of a case: its flags, and large ones that will replace some."""
    saved = [sizes.get(code, 0) for code in case.countries.codes]
    coming = min(case.workers, case.countries.count - len(case.countries.codes))
    is_large = max(saved) > BUFFERED_BYTES
    return _disk_bytes(saved) + (coming * _disk_bytes([max(saved)]) if is_large else 0)


def _reference_bytes(experiment: Experiment, flag_sizes: Mapping[str, int]) -> int:
    """Return the disk space of the flags, and of the bodies that profiles have in place of them."""
    codes: dict[Profile, set[str]] = {}
    for case in experiment.cases:
        if case.profile.sizes is not None:
            same_sizes = Profile("", sizes=case.profile.sizes)
            codes.setdefault(same_sizes, set()).update(case.countries.codes)
    of_bodies = [
        sizes.get(code, 0)
        for profile, used in codes.items()
        for sizes in [sizes_of(profile, experiment.seed, flag_sizes)]
        for code in used
    ]
    return _disk_bytes([*flag_sizes.values(), *of_bodies])


def _disk_bytes(file_sizes: Iterable[int]) -> int:
    return sum(math.ceil(size / _BLOCK_BYTES) * _BLOCK_BYTES for size in file_sizes)


def _shortage(resource: str, need: Need, limit: Figure, remedy: str) -> str | None:
    """Return a line if a need exceeds its limit, else None."""
    if limit.value is None or need.amount <= limit.value:
        return None
    write = _write_bytes if resource.startswith("disk") else "{:,.0f}".format
    return (
        f"{resource}: {write(need.amount)} needed by {need.consumer}, "
        f"{write(limit.value)} available ({limit.source}); {remedy}"
    )


def _write_bytes(size: float) -> str:
    return f"{math.ceil(size / _MIB):,} MiB" if size >= _MIB else f"{size / _KIB:,.0f} KiB"
