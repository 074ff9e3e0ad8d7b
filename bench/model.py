"""The words of the project as frozen values: what is asked for, and what a trial yields.

Seconds and bytes throughout; formatting is the business of ``bench.report``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

NO_CLIENT: Final = "-"
"""Stands for the client of a strategy that opens none of ours."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same latency for every answer."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any latency between two bounds is as likely as any other."""

    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class LogNormal:
    """The long tail of real services, given by the two figures people know of theirs."""

    median_s: float
    p99_s: float


Latency: TypeAlias = Fixed | Uniform | LogNormal


@dataclass(frozen=True, slots=True)
class Profile:
    """How the flag server behaves.

    Attributes:
        latency: seconds from the arrival of a request to the first byte of its answer.
        jitter_s: each latency moves by a uniform draw from ± this, and never below zero.
        bandwidth: bytes per second of each answer's body; ``None`` is as fast as the machine goes.
        error_rate: share of fetches answered with ``error_status`` instead of a flag, 0 to 1.
    """

    name: str
    latency: Latency = Fixed(0.0)
    jitter_s: float = 0.0
    bandwidth: float | None = None
    error_rate: float = 0.0
    error_status: int = 418


@dataclass(frozen=True, slots=True)
class Selection:
    """Which flags a case downloads: ``codes`` in order, all of them ``repeat`` times over."""

    label: str
    codes: tuple[str, ...]
    repeat: int = 1

    @property
    def fetches(self) -> tuple[str, ...]:
        """Every country to fetch, repeats included, in order."""
        return self.codes * self.repeat


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table: strategy × client × workers × profile × countries."""

    strategy: str
    client: str
    workers: int
    profile: Profile
    countries: Selection
    keep_alive: bool = True

    @property
    def id(self) -> str:
        """Name the case uniquely within its run, for people and for ``--only`` patterns."""
        connection = "" if self.keep_alive else "/close"
        return f"{self.strategy}/{self.client}/{self.workers}/{self.profile.name}{connection}"


@dataclass(frozen=True, slots=True)
class Strategy:
    """What the harness knows of a strategy file without importing it.

    Attributes:
        file: the file the worker loads.
        face: whether it opens ``job.client()`` or ``job.async_client()``; ``None`` if neither.
        takes_workers: whether it reads ``job.workers``.
    """

    name: str
    file: Path
    summary: str
    face: Literal["sync", "async"] | None
    takes_workers: bool


@dataclass(frozen=True, slots=True)
class Client:
    """What the harness knows of a client file without importing it.

    Attributes:
        faces: the kinds of strategy that can use it.
        missing: top-level modules it imports that are not installed here.
        install: the command that would install them, or an empty string.
    """

    name: str
    file: Path
    summary: str
    faces: frozenset[Literal["sync", "async"]]
    missing: tuple[str, ...] = ()
    install: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A config, resolved: everything a run needs to know before it starts.

    Attributes:
        strategies: by name, for every strategy that ``cases`` mentions.
        rounds: timed rounds per trial; ``None`` is *auto*: 1 to 5, until 0.5 s is timed.
        flags_dir: where the server takes its flags from; ``None`` serves the project's own.
        source: the config as written, for the record.
        notes: what the user should know before it starts, one sentence each.
    """

    name: str
    cases: tuple[Case, ...]
    strategies: Mapping[str, Strategy]
    blocks: int
    rounds: int | None
    deadline_s: float
    request_timeout_s: float
    seed: int
    flags_dir: Path | None = None
    source: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


Outcome: TypeAlias = Literal[
    "ok", "error", "crash", "timeout", "corrupt", "missing", "unexpected", "escape", "invalid"
]


@dataclass(frozen=True, slots=True)
class Witness:
    """What the server itself saw of one round.

    Attributes:
        requests: requests that arrived.
        connections: connections on which those requests came.
        max_in_flight: the most requests between arrival and the end of their answer at one instant.
        late_p50_s: median of how much later than planned answers started, in seconds.
        late_p99_s: 99th percentile of the same.
    """

    requests: int
    connections: int
    max_in_flight: int
    late_p50_s: float
    late_p99_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """One call of ``download_many``.

    Attributes:
        fetches: how many fetches ended in each class (``ok``, ``not_found``, …).
        verified: flags found on disk and equal byte for byte to what the server serves.
        server: ``None`` where the server could not be asked.
    """

    elapsed_s: float
    ideal_s: float
    fetches: Mapping[str, int]
    verified: int
    server: Witness | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a trial yields, failures included.

    Attributes:
        case: id of the case.
        position: place in the block's order, from 0.
        detail: one line on what went wrong, empty for ``ok``.
        cold_start_s: from starting the process until its imports were done; ``None`` if it never was.
        warm_up: the untimed first round; ``None`` if it did not end.
    """

    case: str
    block: int
    position: int
    outcome: Outcome
    detail: str
    cold_start_s: float | None
    warm_up: Round | None
    rounds: tuple[Round, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """The stored document of one experiment.

    Attributes:
        status: ``partial`` where the run was interrupted; such a run is no baseline.
        started: UTC, ISO 8601.
        config: the resolved settings, the config as written and its hash.
        environment: interpreter, system, processor, libraries, revision; no secrets, no host name.
    """

    name: str
    status: Literal["complete", "partial"]
    started: str
    config: Mapping[str, object]
    environment: Mapping[str, object]
    cases: tuple[Case, ...]
    trials: tuple[Measurement, ...]
