"""The messages between the runner and a worker: a task to it, a report back.

The runner may start the worker of another revision, so field names, their meaning and the names of probes
change only with ``PROTOCOL``. The events before the report are in ``bench.worker.events``.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from bench.api import LARGEST_BYTES
from bench.api.own_strategy import module_name
from bench.model.function_call import FunctionCall
from bench.model.job_use import JobUse
from bench.model.json_codec import added_field, decode, encode
from bench.model.open_loop import OpenLoop
from bench.model.scheduler import EMBEDDED, Scheduler
from bench.model.trial_outcome import Outcome
from bench.model.work import Work
from bench.model.worker_runtime import WorkerRuntime

PROTOCOL: Final = 4
"""Version of these messages. A worker of another revision is used if it has the same one."""

AUTO_ROUNDS: Final = 5
"""Most timed rounds of a task with ``rounds: auto``."""
AUTO_TIMED_S: Final = 0.5
"""Seconds of timed rounds after which such a task ends."""
FIXED_ROUNDS: Final = 20
"""Most timed rounds of a task with fewer ``rounds`` that is still too short."""
FIXED_TIMED_S: Final = 0.1
"""Seconds of timed rounds that every other task has at least, with up to 20 rounds."""

MOST_SPANS: Final = 2_000
"""Most fetches and requests of a call that are kept; more could not be told apart in a picture."""

RAISED: Final = "flagbench: the strategy raised"
"""Line of standard error before the worker's own traceback; what is above it is of the strategy."""

WORKER_PROBES: Final = ("gc", "queue_wait", "loop_lag", "cpu", "allocations")
"""The modules of ``bench.worker.probes``.

They end in reverse order: ``cpu`` does not count the work of those before it, and ``allocations`` does not
count the objects of any; it takes ten microseconds itself.
"""


def worker_command(python: str = sys.executable) -> list[str]:
    """Return the command of a worker; ``PYTHONPATH`` must lead to ``bench`` and ``strategies``.

    ``-P``, because a foreign ``bench/`` or ``strategies/`` in the current folder must do no harm.
    """
    return [python, "-P", "-m", "bench.worker"]


@dataclass(frozen=True, slots=True)
class Task:
    """One trial for a worker to run.

    Attributes:
        strategy_file: the file to load.
        client: the file of ``strategies/clients`` to use; None for a strategy that opens no client.
        countries: upper-case codes, each of which is asked ``repeat`` times.
        base_url: call ``k``, from 0 for the warm-up, asks below ``{base_url}.{k}``.
        rounds: timed rounds, and more if they take less than 0.1 s in all; None is *auto*: 1 to 5, until
            0.5 s is timed.
        folder: parent of the folders of the calls.
        reference: folder of the flags as the server serves them, as ``br.gif``.
        request_timeout_s: limit of a fetch, in seconds.
        probes: modules of ``bench.worker.probes`` that measure each timed round.
        live: report every event as it happens, for one round at ``base_url`` itself into ``folder``
            itself, where the flags stay; there is no warm-up.
        paced: begin a round, the warm-up included, only after a byte on standard input, regardless of
            ``rounds``; its end ends the trial.
        calls: calls of ``download_many`` in each timed round of a paced task; the warm-up is one.
        largest_bytes: the largest body that a client reads.
        authority: PEM file of the certificate authority to trust; None without encryption.
        http2: speak HTTP/2 only.
        checks_content: mark a fetch as *corrupt* if its bytes are not those served.
        module_folders: folders that the strategy may import from, its own one first; they come behind the
            standard library and the installed packages.
        throttling: files ``cpu.stat`` of the control groups whose CPU quota may stop this process.
        server_pid: the flag server, whose waiting is measured beside this process's; None if there is none.
        call: how the function of the strategy is called.
        client_source: the user's function that is the client, ``FILE:function`` or ``module:function``, or
            the client's module in an installed package, ``module:``; empty for one of ``strategies/clients``.
        client_file: the file of that function or module.
        keeps_spans: report the spans of a typical call.
        round_file: the file that tells the server the number of the round, for a function that takes codes.
        option: the option of the strategy, see ``Job.option``.
        connections: the client's limit of connections; 0: the number of workers.
        client_modules: the modules to report if they were imported, as the text of the client names them.
        strategy_modules: the same of the strategy.
        paths: for a target, the path of each file below ``base_url`` by its code; empty for the flag server.
            Then ``base_url`` is the address of each call, and ``server_pid`` is None.
        compares_sizes: compare the sizes of saved files only, as nothing is known of their content.
        rate: the most requests that are started in a second, or those of an open loop; None: any number.
        schedule: file with the time of the next start, if there is a rate.
        cluster: the cluster on whose machines the flags are downloaded; None for any other strategy.
        work: CPU work on each flag.
        is_open_loop: whether ``rate`` is that of an open loop, in all calls but the warm-up.
    """

    strategy_file: Path
    client: str | None
    workers: int
    keep_alive: bool
    countries: tuple[str, ...]
    repeat: int
    base_url: str
    rounds: int | None
    folder: Path
    reference: Path
    request_timeout_s: float
    probes: tuple[str, ...] = ()
    live: bool = False
    paced: bool = False
    calls: int = 1
    largest_bytes: int = LARGEST_BYTES
    authority: str | None = None
    http2: bool = False
    checks_content: bool = False
    module_folders: tuple[str, ...] = ()
    throttling: tuple[Path, ...] = ()
    server_pid: int | None = added_field(lambda: None)
    call: FunctionCall = added_field(FunctionCall)  # noqa: RUF009  it declares a field
    client_source: str = added_field(str)
    client_file: Path = added_field(Path)  # noqa: RUF009  it declares a field
    keeps_spans: bool = added_field(bool)
    round_file: Path | None = added_field(lambda: None)  # noqa: RUF009  it declares a field
    option: str = added_field(str)
    connections: int = added_field(int)
    client_modules: tuple[str, ...] = added_field(tuple)
    strategy_modules: tuple[str, ...] = added_field(tuple)
    paths: Mapping[str, str] = added_field(dict)
    compares_sizes: bool = added_field(bool)
    rate: float | None = added_field(lambda: None)
    schedule: str = added_field(str)
    cluster: Scheduler | None = added_field(lambda: None)  # noqa: RUF009  it declares a field
    work: Work = added_field(Work)  # noqa: RUF009  it declares a field
    is_open_loop: bool = added_field(bool)

    @property
    def has_one_address(self) -> bool:
        """Tell whether all calls have the same address and the same server, which knows no rounds."""
        return self.live or bool(self.paths)

    @property
    def is_elsewhere(self) -> bool:
        """Tell whether the flags are downloaded by processes that the worker has not started."""
        return self.cluster is not None and self.cluster.address != EMBEDDED

    @property
    def client_module(self) -> str:
        """The name by which the module of ``client_source`` is imported."""
        place = self.client_source.rpartition(":")[0]
        return module_name(place) if place.endswith(".py") else place

    def to_json(self) -> str:
        """Encode the task as one line."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Decode a task.

        Raises:
            MalformedError: the text is not a task.
        """
        return decode(cls, text)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The times of a round's fetches.

    Each of the workers is a slot that is open from call to return.

    Attributes:
        called_s: ``time.perf_counter()`` when ``download_many`` was called.
        pool_start_s: sum over slots of the time from the call to their first fetch; a slot that had not
            begun when the first fetch of another had ended may never have been used, and counts nothing;
            ``opening_s`` is no part of it.
        occupied_s: sum over slots of the time that they had a fetch.
        pool_stop_s: from the end of the last fetch to the return, counted once.
        mean_start_s: mean start of the fetches, by the same clock as ``called_s``.
        mean_answered_s: mean time when their answers were complete.
        mean_end_s: mean end of the fetches.
        opening_s: sum over slots of the time that they had no fetch and waited for a client to be opened.
        opening_within_s: sum over fetches of the time that they opened their thread's part of a client.
    """

    called_s: float
    pool_start_s: float
    occupied_s: float
    pool_stop_s: float
    mean_start_s: float
    mean_answered_s: float
    mean_end_s: float
    opening_s: float = added_field(float)
    opening_within_s: float = added_field(float)


@dataclass(frozen=True, slots=True)
class ClusterTimes:
    """What a cluster has cost in a call; the meaning is that of ``bench.api.batches.ClusterCosts``."""

    machines_s: float
    packing_s: float
    network_s: float | None
    sent_bytes: int
    returned_bytes: int


@dataclass(frozen=True, slots=True)
class TimedRound:
    """One completed call of ``download_many``; a round of a paced task may have several.

    Attributes:
        fetches: number of fetches by outcome, without zeros.
        verified: ``ok`` fetches whose flag was found on disk as the server serves it.
        failures: the first few fetches that were not ``ok``, one line each.
        timeline: None where the fetches do not tell their times.
        latencies_us: number of fetches by microseconds, see ``bench.worker.fetch_times``; in an open loop
            from the time when they were due.
        probes: values of the probes, by figure.
        throttled: periods of a CPU quota in which it stopped this process or others of its group.
        waited_s: the shortest and the longest time of a fetch that timed out; empty if none is known.
        run_delay_s: time in which threads of this process were ready to run and got no processor; None, like
            ``server_delay_s``, if unknown.
        server_delay_s: the same of the server.
        unreported: fetches that no file shows, of a function that does not return their outcomes.
        cluster: what the cluster has cost; None where none was used.
        open_loop: how it kept to the schedule of an open loop; None in a closed loop.
        work_s_per_byte: the least CPU time of work on a flag, done once, for each byte; None without any.
    """

    elapsed_s: float
    fetches: Mapping[str, int]
    verified: int
    failures: tuple[str, ...]
    timeline: Timeline | None = None
    latencies_us: Mapping[str, int] = field(default_factory=dict)
    probes: Mapping[str, float] = field(default_factory=dict)
    throttled: int = 0
    waited_s: tuple[float, ...] = ()
    run_delay_s: float | None = added_field(lambda: None)
    server_delay_s: float | None = added_field(lambda: None)
    unreported: int = added_field(int)
    cluster: ClusterTimes | None = added_field(lambda: None)  # noqa: RUF009  it declares a field
    open_loop: OpenLoop | None = added_field(lambda: None)  # noqa: RUF009  it declares a field
    work_s_per_byte: float | None = added_field(lambda: None)


@dataclass(frozen=True, slots=True)
class CallSpans:
    """When the fetches of one call began and ended, by ``time.perf_counter()``, in the order of their starts.

    Attributes:
        call: number of the call, from 1.
        called_s: when ``download_many`` was called.
        all_fetches: number of fetches; the lists have the first ``MOST_SPANS``.
        answers_s: when their answers were complete.
    """

    call: int
    called_s: float
    all_fetches: int
    countries: tuple[str, ...]
    outcomes: tuple[str, ...]
    starts_s: tuple[float, ...]
    answers_s: tuple[float, ...]
    ends_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HeldResources:
    """Threads and open descriptors of a process."""

    threads: int
    descriptors: int


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a trial as its worker saw it.

    Attributes:
        outcome: never ``crash`` or ``timeout``: only the runner can tell those.
        detail: one line on the problem, empty for ``ok``.
        began_s: ``time.perf_counter()`` when interpreter and worker were ready.
        ready_s: the same when strategy and client were imported; None if they failed.
        rounds: the calls, the warm-up first; the last one is the invalid one unless an exception ended it.
        left: resources that the strategy left behind in this process; None if the trial ended early.
        job_use: the use of the job in the warm-up; None if that is not known.
        spans: those of a typical call, if the task asks for them.
        runtime: the interpreter and the libraries; None if the trial ended early.
    """

    outcome: Outcome
    detail: str
    began_s: float
    ready_s: float | None
    rounds: tuple[TimedRound, ...]
    left: HeldResources | None = None
    job_use: JobUse | None = None
    spans: CallSpans | None = added_field(lambda: None)  # noqa: RUF009  it returns a field
    runtime: WorkerRuntime | None = added_field(lambda: None)  # noqa: RUF009  it returns a field
