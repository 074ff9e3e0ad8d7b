"""What trials yield, as frozen values: what is kept of a run.

Seconds and bytes throughout; ``None`` is what was not or could not be measured, never a zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bench.model.cases import Case
from bench.model.trial_outcome import Outcome


@dataclass(frozen=True, slots=True)
class ServerRound:
    """What the server itself saw of one round.

    Attributes:
        requests: requests that arrived.
        connections: connections on which those requests came.
        opened: those of them that had carried no request of this trial before.
        max_in_flight: the most requests between arrival and the end of their answer at one instant.
        mean_in_flight: the same on average over the time from the first arrival to the last end.
        late_p50_s: median of how much later than planned answers started.
        late_p99_s: 99th percentile of the same.
        late_mean_s: mean of the same.
        idle_s: time between the first arrival and the last end in which nothing was in flight.
        spacing_p50_s: median of the time between one arrival and the next.
        spacing_max_s: the longest of the same.
        overtaken: arrivals that must be moved to put all of them into the order asked.
        retries: requests for a country beyond those that were asked.
        faults: how many requests met which of ``bench.model.faults.KINDS``; those that none met are left out.
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


@dataclass(frozen=True, slots=True)
class Phases:
    """Where the time of a round goes, from the call until a flag is on disk.

    All but the first are means over its fetches.

    Attributes:
        start_s: from the call of ``download_many`` to the first request that the server saw.
        first_byte_s: from the call of ``download_one`` to the first byte that the server sent.
        transfer_s: from there until the client had the whole answer.
        save_s: from there until the flag was saved.
    """

    start_s: float
    first_byte_s: float
    transfer_s: float
    save_s: float


@dataclass(frozen=True, slots=True)
class Gap:
    """What a round took beyond its ideal, in parts that add up to it.

    Each worker is a slot that is open for the whole round; the time of all slots is divided among what
    they were doing, and then by their number.

    Attributes:
        pool_start_s: until slots that were used began their first fetch.
        unused_s: open and without a fetch, beyond what the longest fetch makes inevitable.
        set_up_s: connections that were accepted and had not yet carried a request.
        client_s: within a fetch, and neither with the server nor setting up a connection.
        lateness_s: with the server, beyond what was planned.
        pool_stop_s: from the end of the last fetch to the return of ``download_many``.
    """

    pool_start_s: float
    unused_s: float
    set_up_s: float
    client_s: float
    lateness_s: float
    pool_stop_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """One call of ``download_many``.

    Attributes:
        fetches: how many fetches ended in each class (``ok``, ``not_found``, …).
        verified: flags found on disk and equal byte for byte to what the server serves.
        server: ``None`` where the server could not be asked, like ``server_busy``.
        server_busy: processor time of the server ÷ elapsed: its share of a core.
        phases: ``None``, like ``gap``, where the fetches' own times or the server's are not to be had.
        probes: what the probes saw, by figure.
    """

    elapsed_s: float
    ideal_s: float
    fetches: Mapping[str, int]
    verified: int
    server: ServerRound | None
    server_busy: float | None = None
    phases: Phases | None = None
    gap: Gap | None = None
    probes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the machine did while a trial went on.

    Attributes:
        strangers: cores' worth of processor time that went to others than the run, stolen time included.
        stolen: cores' worth of the same that the hypervisor gave to other machines.
    """

    strangers: float
    stolen: float


@dataclass(frozen=True, slots=True)
class Leak:
    """What was left of a trial after its last round that had not been there before the first."""

    threads: int = 0
    descriptors: int = 0
    processes: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a trial yields, failures included.

    Attributes:
        case: id of the case.
        position: place in the block's order, from 0.
        attempt: how often the trial had been invalid before, from 0.
        detail: one line on what went wrong; for ``ok``, on what would have made it invalid had the config
            not said to keep it, and else empty.
        took_s: from asking for the process until nothing of it was left.
        cold_start_s: from asking for the process until its imports were done; ``None`` if it never was.
        imports_s: the part of it in which strategy and client were imported.
        warm_up: the untimed first round; ``None`` if it did not end.
        latency: how long the fetches of the timed rounds took, in microseconds, as an HdrHistogram
            (V2, compressed, base64); empty if there were none.
        probes: what the probes saw of the trial as a whole, by figure.
        conditions: ``None`` where the machine does not tell.
        cores: how many processors the worker could run on.
        leak: ``None`` where the trial did not come to its end.
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


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What is known of a run when it starts; libraries and commits may change while it goes on.

    Attributes:
        started: UTC, ISO 8601.
        command: what was asked, ``CONFIG`` standing for the config, whose path is nobody's business.
    """

    started: str
    config: Mapping[str, object]
    environment: Mapping[str, object]
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resumption:
    """That a run which had been left went on.

    Attributes:
        at: when, UTC, ISO 8601.
        after: how many measurements, repeated attempts included, there were before.
        git: what ``environment`` says of the commit, at that time.
    """

    at: str
    after: int
    git: object


@dataclass(frozen=True, slots=True)
class Run:
    """The stored document of one experiment.

    Attributes:
        status: ``partial`` where the run was interrupted; such a run is no baseline.
        started: UTC, ISO 8601.
        config: the resolved settings, the config as written and its hash.
        environment: interpreter, system, processor, libraries, revision; no secrets, no host name.
        resumed: each time it went on after it had been left.
    """

    name: str
    status: Literal["complete", "partial"]
    started: str
    config: Mapping[str, object]
    environment: Mapping[str, object]
    cases: tuple[Case, ...]
    trials: tuple[Measurement, ...]
    resumed: tuple[Resumption, ...] = ()
