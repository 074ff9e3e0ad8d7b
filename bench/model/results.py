"""Measurements and the stored run: the output of a run.

All times are in seconds and all sizes in bytes. ``None`` is a value that could not be measured, never a zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bench.model.cases import Case
from bench.model.job_use import JobUse
from bench.model.json_codec import added_field
from bench.model.open_loop import OpenLoop
from bench.model.trial_outcome import Outcome
from bench.model.worker_runtime import WorkerRuntime


@dataclass(frozen=True, slots=True)
class ServerRound:
    """The server log of one round, summarised.

    A request is in flight from its arrival to the end of its response.

    Attributes:
        requests: requests that arrived.
        connections: connections that carried these requests.
        opened: connections among them that carried no earlier request of this trial.
        max_in_flight: maximum number of requests in flight.
        mean_in_flight: mean number of requests in flight, from the first arrival to the last end.
        late_p50_s: median delay of a response beyond its planned start.
        late_p99_s: 99th percentile of this delay.
        late_mean_s: mean of this delay.
        idle_s: time between the first arrival and the last end without a request in flight.
        spacing_p50_s: median time between one arrival and the next.
        spacing_max_s: longest time between one arrival and the next.
        overtaken: arrivals that must be moved to put all arrivals into the order of the job's countries.
        retries: requests for a country beyond those that the job asked for.
        faults: number of requests with a fault, by kind (``bench.model.faults.KINDS``).
    """

    requests: int
    connections: int
    opened: int
    max_in_flight: int
    mean_in_flight: float
    late_p50_s: float
    late_p99_s: float
    late_mean_s: float
    idle_s: float
    spacing_p50_s: float
    spacing_max_s: float
    overtaken: int
    retries: int
    faults: Mapping[str, int] = field(default_factory=dict)


SUMMED_COUNTS: Final = frozenset({"requests", "connections", "opened", "overtaken", "retries", "faults"})
"""Counts of a ``ServerRound`` that are added up over the calls of a round."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Mean times of the phases of a fetch, and the start of its round.

    Attributes:
        start_s: from the call of ``download_many`` to the arrival of the first request at the server.
        first_byte_s: from the call of ``download_one`` to the first byte that the server sent.
        transfer_s: from there until the client had the whole response.
        save_s: from there until the flag was saved.
    """

    start_s: float
    first_byte_s: float
    transfer_s: float
    save_s: float


@dataclass(frozen=True, slots=True)
class Gap:
    """The time of a round beyond its planned ideal, in parts that add up to it.

    Each worker is a slot that is open for the whole round. A part is the sum over all slots, divided by their
    number.

    Attributes:
        pool_start_s: until the used slots began their first fetch, other than for ``client_open_s``.
        unused_s: without a fetch or a client being opened, beyond the time that the longest fetch makes
            inevitable by its actual service time.
        set_up_s: on connections that were accepted and had not yet carried a request, beyond the connect
            latency that is inevitable.
        client_s: in a fetch, but neither at the server nor setting up a connection.
        lateness_s: what late starts of the server add to the ideal, and its time to send beyond that.
        pool_stop_s: from the end of the last fetch to the return of ``download_many``.
        client_open_s: waiting for a client to be opened; in the other parts in runs before it was added.
    """

    pool_start_s: float
    unused_s: float
    set_up_s: float
    client_s: float
    lateness_s: float
    pool_stop_s: float
    client_open_s: float = added_field(float)


@dataclass(frozen=True, slots=True)
class ClusterGap:
    """The time of a round on a cluster beyond its planned ideal, in parts that add up, and the bytes moved.

    Attributes:
        scheduling_s: what dask needs to hand out tasks and their results, here, in the scheduler and on the
            machines, and to move their bytes.
        packing_s: packing and unpacking tasks and results, here and on the machine that took longest.
        client_s: the work of that machine beyond the ideal: its client, its threads, an uneven share.
        sent_bytes: packed tasks.
        returned_bytes: packed results.
        network_s: the round trips between here, the scheduler and that machine; None, and within
            ``scheduling_s``, if they are unknown.
    """

    scheduling_s: float
    packing_s: float
    client_s: float
    sent_bytes: float
    returned_bytes: float
    network_s: float | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """The measurement of a round: one call of ``download_many``, or several short ones in a comparison.

    Of several calls, times, shares and probes are their means, and counts their sums.

    Attributes:
        elapsed_s: duration of a call.
        ideal_s: lower bound of the duration by the actual service times in the server log
            (``bench.model.lower_bound``), with the CPU work as far as its time is known; in runs before
            ``planned_ideal_s`` was added, by the planned ones.
            ``None`` for a target, of whose delays nothing is known.
        fetches: number of fetches by outcome (``ok``, ``not_found``, …).
        verified: number of flags on disk that equal the served ones byte for byte; 0 for a target without
            checksums, whose files are compared by their sizes only.
        server: ``None``, like ``server_busy``, if the server could not be asked.
        server_busy: processor time of the server ÷ elapsed: its share of a core.
        phases: ``None``, like ``gap``, if times of the fetches or of the server are missing.
        probes: values of the probes, by name.
        planned_ideal_s: the same bound by the planned service times; ``None`` for a target, and in runs
            before it was added.
        cluster: where the time went on a cluster; ``None`` where none was used, or nothing was planned.
        open_loop: how it kept to the schedule of an open loop; ``None`` in a closed loop, as a warm-up is.
    """

    elapsed_s: float
    ideal_s: float | None
    fetches: Mapping[str, int]
    verified: int
    server: ServerRound | None
    server_busy: float | None = None
    phases: Phases | None = None
    gap: Gap | None = None
    probes: Mapping[str, float] = field(default_factory=dict)
    calls: int = added_field(lambda: 1)
    planned_ideal_s: float | None = added_field(lambda: None)
    cluster: ClusterGap | None = added_field(lambda: None)  # noqa: RUF009  it declares a field
    open_loop: OpenLoop | None = added_field(lambda: None)  # noqa: RUF009  it declares a field

    @property
    def ideal_as_planned_s(self) -> float | None:
        """The bound by the planned service times, in runs of any age; None for a target."""
        return self.ideal_s if self.planned_ideal_s is None else self.planned_ideal_s


@dataclass(frozen=True, slots=True)
class Conditions:
    """The load of the machine during a trial, on the processors of its worker and server.

    Waiting is time in which a thread was ready to run and got no processor (``run_delay``), for threads of
    its own process, too. It is summed over the timed rounds and over the threads that lived at their end:
    that of threads and processes that end within a round, as in pools, is unknown, so it is a lower bound.

    Attributes:
        strangers: cores used by processes outside of the run, stolen time included.
        stolen: cores that the hypervisor gave to other machines.
        idle: cores that no process used; ``None`` in runs before it was added.
        worker_waited_s: seconds that the worker's threads waited; ``None``, like the next one, if unknown.
        server_waited_s: seconds that the server's threads waited.
        throttled: periods of a CPU quota in which it stopped processes of this container.
    """

    strangers: float
    stolen: float
    idle: float | None = added_field(lambda: None)
    worker_waited_s: float | None = added_field(lambda: None)
    server_waited_s: float | None = added_field(lambda: None)
    throttled: int = added_field(int)


@dataclass(frozen=True, slots=True)
class Leak:
    """Threads, descriptors and processes left after the last round that did not exist before the first."""

    threads: int = 0
    descriptors: int = 0
    processes: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of a trial, failures included.

    Attributes:
        case: id of the case.
        block: number of the block, from 0.
        position: place in the order of the block, from 0.
        attempt: number of earlier attempts that were disturbed.
        detail: one line on the problem; for ``ok``, the disturbance of a kept trial, or empty.
        took_s: from the request for the process until the last of its processes had ended.
        cold_start_s: from the request for the process until its imports were done; ``None`` if it failed
            before.
        imports_s: the part of the cold start that imported strategy and client.
        warm_up: the untimed first round; ``None`` if it did not end.
        rounds: the timed rounds.
        latency: durations of the fetches of the timed rounds, in microseconds, as an HdrHistogram
            (V2, compressed, base64); empty if there were none.
        probes: values of the probes for the trial as a whole, by name.
        conditions: ``None`` if the machine does not report its load.
        cores: number of processors that the worker could run on.
        leak: ``None`` if the trial did not end normally.
        job_use: the use of the job in the warm-up; ``None`` if that is not known.
        spans: fetches and requests of a typical call (``bench.model.round_spans``); empty in most blocks.
        runtime: the interpreter and the libraries of the worker; ``None`` if the trial did not end normally.
        machine: label of the machine of a cluster that measured it, such as ``M1``; empty elsewhere.
        fingerprint: that of this machine (``bench.system.environment``); empty likewise.
        work_s_per_byte: the least CPU time of work on its flags, done once, for each byte; ideals have the
            least of all trials up to it. None if it was not measured: they leave the work out.
    """

    case: str
    block: int
    position: int
    attempt: int
    outcome: Outcome
    detail: str
    took_s: float
    cold_start_s: float | None
    imports_s: float | None
    warm_up: Round | None
    rounds: tuple[Round, ...]
    latency: str = ""
    probes: Mapping[str, float] = field(default_factory=dict)
    conditions: Conditions | None = None
    cores: int = 1
    leak: Leak | None = None
    job_use: JobUse | None = added_field(lambda: None)  # noqa: RUF009  it returns a field
    spans: str = added_field(str)
    runtime: WorkerRuntime | None = added_field(lambda: None)  # noqa: RUF009  it returns a field
    machine: str = added_field(str)
    fingerprint: str = added_field(str)
    work_s_per_byte: float | None = added_field(lambda: None)


@dataclass(frozen=True, slots=True)
class MeasuredBlock:
    """All trials of a block that one machine of a cluster measured, in their order.

    A journal has them in one line, so that a block is there as a whole or not at all.
    """

    trials: tuple[Measurement, ...]


@dataclass(frozen=True, slots=True)
class RunHeader:
    """Facts about a run at its start: the first line of its journal.

    Libraries and commits may change later.

    Attributes:
        started: time, UTC, ISO 8601.
        command: words of the command line, with ``CONFIG`` for the config, whose path is private.
    """

    started: str
    config: Mapping[str, object]
    environment: Mapping[str, object]
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resumption:
    """The resumption of an interrupted run.

    Attributes:
        at: time, UTC, ISO 8601.
        after: number of measurements before, repeated attempts included.
        git: the commit at that time, as in ``environment``.
        machines: those of a cluster that were not there before, by label, as in ``environment``.
    """

    at: str
    after: int
    git: object
    machines: Mapping[str, object] = added_field(dict)


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """The processor time of all processes with one command name, in seconds."""

    name: str
    cpu_s: float


@dataclass(frozen=True, slots=True)
class OtherProcesses:
    """The processor time of processes outside of a run, on the whole machine, while its trials ran.

    A journal has one for each time that the run was started or resumed, and the run their sum.

    Attributes:
        lasted_s: duration of the trials, the time between them included.
        processes: the greatest users by name, greatest first.
        rest_s: processor time of processes that ended meanwhile or cannot be seen.
    """

    lasted_s: float
    processes: tuple[ProcessUse, ...]
    rest_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """The stored document of one experiment.

    Attributes:
        status: ``partial`` if the run was interrupted; such a run is no baseline.
        started: time, UTC, ISO 8601.
        config: the resolved settings, the config as written and its hash.
        environment: interpreter, system, processor, libraries, commit; no secrets, no host name.
        trials: all measurements, repeated attempts included, in the order of their end.
        resumed: each resumption after an interruption.
        others: other processes in all sessions in which they are known; ``None`` if in none.
    """

    name: str
    status: Literal["complete", "partial"]
    started: str
    config: Mapping[str, object]
    environment: Mapping[str, object]
    cases: tuple[Case, ...]
    trials: tuple[Measurement, ...]
    resumed: tuple[Resumption, ...] = ()
    others: OtherProcesses | None = added_field(lambda: None)  # noqa: RUF009  it returns a field
