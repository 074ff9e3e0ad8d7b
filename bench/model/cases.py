"""The words of the project as frozen values: what is asked for. ``bench.model.results`` has what it yields.

Seconds and bytes throughout; formatting is the business of ``bench.report``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from bench.api.outcomes import FetchOutcome
from bench.model.comparison import BuiltVariant, Comparison, ComparisonSettings

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
class Fault:
    """What goes wrong with some of a profile's answers.

    Attributes:
        kind: one of ``bench.model.faults.KINDS``.
        rate: share of fetches that meet it, above 0 and up to 1.
        status: what kind ``status`` answers; 0 for the others.
    """

    kind: str
    rate: float
    status: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """How the flag server behaves.

    Attributes:
        latency: seconds from the arrival of a request to the first byte of its answer.
        jitter_s: each latency moves by a uniform draw from ± this, and never below zero.
        bandwidth: bytes per second of each answer's body; ``None`` is as fast as the machine goes.
        faults: what goes wrong instead, no two of them with one fetch: their rates add up to 1 at most.
        tls: whether the connections are encrypted.
        http2: whether HTTP/2 is spoken on them, and nothing else.
    """

    name: str
    latency: Latency = Fixed(0.0)
    jitter_s: float = 0.0
    bandwidth: float | None = None
    faults: tuple[Fault, ...] = ()
    tls: bool = False
    http2: bool = False


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
    """One row of the table: strategy × client × workers × profile × countries.

    Attributes:
        variant: which of several otherwise equal cases it is, as in a comparison of a case with itself;
            empty where there is only one.
    """

    strategy: str
    client: str
    workers: int
    profile: Profile
    countries: Selection
    keep_alive: bool = True
    variant: str = ""

    @property
    def id(self) -> str:
        """Name the case uniquely within its run, for people and for ``--only`` patterns."""
        return f"{self.plain_id}@{self.variant}" if self.variant else self.plain_id

    @property
    def plain_id(self) -> str:
        """Name what all variants of the case share."""
        connection = "" if self.keep_alive else "/close"
        return f"{self.strategy}/{self.client}/{self.workers}/{self.profile.name}{connection}"


@dataclass(frozen=True, slots=True)
class Strategy:
    """What the harness knows of a strategy file without importing it.

    Attributes:
        file: the file the worker loads.
        face: whether it opens ``job.client()`` or ``job.async_client()``; ``None`` if neither.
        takes_workers: whether it reads ``job.workers``.
        starts_processes: whether it names what starts a process for each of them.
    """

    name: str
    file: Path
    summary: str
    face: Literal["sync", "async"] | None
    takes_workers: bool
    starts_processes: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """What the harness knows of a client file without importing it.

    Attributes:
        faces: the kinds of strategy that can use it.
        missing: top-level modules it imports that are not installed here.
        install: the command that would install them, or an empty string.
        speaks: what it can speak beside plain HTTP/1.1.
        deviations: kinds of faults that it sees over HTTP/1.1 otherwise than ``bench.model.faults`` has them,
            and as what.
    """

    name: str
    file: Path
    summary: str
    faces: frozenset[Literal["sync", "async"]]
    missing: tuple[str, ...] = ()
    install: str = ""
    speaks: frozenset[Literal["tls", "http2"]] = frozenset()
    deviations: Mapping[str, FetchOutcome] = field(default_factory=dict)


PROBES: Final = ("cpu", "gc", "loop_lag", "queue_wait", "memory", "handles")
"""What can be measured beside the time; all of it is by default."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """When a case has been run often enough; ``Experiment.blocks`` is the most there can be.

    Attributes:
        least_blocks: blocks that every case is run in.
        precision: half-width of the interval of a case's median, as a share of it, that is enough;
            ``None`` where only blocks and budget count.
        budget_s: seconds of trials after which no further block is begun; ``None`` for no limit.
    """

    least_blocks: int
    precision: float | None
    budget_s: float | None


@dataclass(frozen=True, slots=True)
class Experiment:
    """A config, resolved: everything a run needs to know before it starts.

    Attributes:
        strategies: by name, for every strategy that ``cases`` mentions.
        blocks: how often each case is run; at the most, where ``stopping`` may end it earlier.
        rounds: timed rounds per trial, more of them where they are short; ``None`` is *auto*: 1 to 5,
            until 0.5 s is timed.
        flags_dir: where the server takes its flags from; ``None`` serves the project's own.
        source: the config as written, for the record.
        notes: what the user should know before it starts, one sentence each.
        stopping: ``None`` runs every case in every block.
        probes: which of ``PROBES`` are on.
        pinning: whether server, worker and harness are kept on cores of their own where there are enough.
        deviations: by client, the faults that it sees over HTTP/1.1 otherwise than others, and as what.
        disturbed: what becomes of a trial that the machine or the server spoilt: it is refused, or kept
            with a remark.
        terms: what the config says of a contest, which only some commands hold.
        contest: what decides between the two variants that each case has; ``None`` where nothing is compared.
        sides: where the workers of each variant come from; those of other cases are this project's own.
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
    stopping: Stopping | None = None
    probes: tuple[str, ...] = PROBES
    pinning: bool = True
    disturbed: Literal["refuse", "keep"] = "refuse"
    deviations: Mapping[str, Mapping[str, FetchOutcome]] = field(default_factory=dict)
    terms: ComparisonSettings = field(default_factory=ComparisonSettings)
    contest: Comparison | None = None
    sides: Mapping[str, BuiltVariant] = field(default_factory=dict)
