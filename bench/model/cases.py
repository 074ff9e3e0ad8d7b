"""Cases and experiments: the input of a run. ``bench.model.results`` has its output.

All times are in seconds and all sizes in bytes; ``bench.report`` formats them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Final, Literal, TypeAlias

from bench.api.outcomes import FetchOutcome
from bench.model.body_sizes import BodySizes
from bench.model.comparison import (
    DEFAULT_RUN_MARGIN,
    BuiltVariant,
    ClientEnvironment,
    Comparison,
    ComparisonSettings,
)
from bench.model.function_call import FunctionCall
from bench.model.json_codec import added_field
from bench.model.open_loop import rate_text
from bench.model.scheduler import Scheduler
from bench.model.target import Target
from bench.model.work import Work

NO_CLIENT: Final = "-"
"""Client of a case whose strategy uses none of ``strategies/clients``."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same latency for every response."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Uniform:
    """A latency drawn evenly between two bounds."""

    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A latency with the long tail of real services, given by the figures that monitoring shows."""

    median_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class Sampled:
    """A latency that the user has measured: each of the values is as likely.

    Attributes:
        values_s: ascending.
    """

    values_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """Half of all answers take longer than this."""
        return median(self.values_s)

    @property
    def p99_s(self) -> float:
        """One answer of a hundred takes longer than this."""
        return quantiles(self.values_s, n=100, method="inclusive")[-1]


@dataclass(frozen=True, slots=True)
class Unknown:
    """The latency of a target, which only its server knows."""


Latency: TypeAlias = Fixed | Uniform | LogNormal | Sampled | Unknown


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that the server injects into some of the responses of a profile.

    Attributes:
        kind: one of ``bench.model.faults.KINDS``.
        rate: share of fetches with this fault, above 0 and up to 1.
        status: HTTP status of kind ``status``; 0 for other kinds.
    """

    kind: str
    rate: float
    status: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings of the flag server: its latency, bandwidth, faults and protocol; or the server of a target.

    Attributes:
        latency: seconds from the arrival of a request to the first byte of its response.
        jitter_s: bound of a uniform draw that is added to or subtracted from each latency, never below zero.
        bandwidth: bytes per second of each response body; ``None``: unlimited.
        faults: faults of which a fetch meets at most one: their rates add up to at most 1.
        tls: whether connections are encrypted.
        http2: whether the server speaks HTTP/2 only.
        server: address of a target; empty for the flag server.
        connect_latency_s: delay of each new connection, and of each round trip of a TLS handshake.
        sizes: sizes of the bodies, which then are made-up bytes; ``None``: the flags as they are.
    """

    name: str
    latency: Latency = Fixed(0.0)
    jitter_s: float = 0.0
    bandwidth: float | None = None
    faults: tuple[Fault, ...] = ()
    tls: bool = False
    http2: bool = False
    server: str = added_field(str)
    connect_latency_s: float = added_field(float)
    sizes: BodySizes | None = added_field(lambda: None)  # noqa: RUF009  it declares a field


@dataclass(frozen=True, slots=True)
class Selection:
    """The flags that a case downloads: ``codes`` in order, the whole list ``repeat`` times.

    Attributes:
        is_one_of_several: whether the config asks for other numbers of downloads, too, so that the number is
            part of the ids of cases.
    """

    label: str
    codes: tuple[str, ...]
    repeat: int = 1
    is_one_of_several: bool = added_field(bool)

    @property
    def count(self) -> int:
        """The number of fetches."""
        return len(self.codes) * self.repeat

    @property
    def fetches(self) -> tuple[str, ...]:
        """Every country to fetch, repeats included, in order."""
        return self.codes * self.repeat


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table: strategy × client × workers × profile × countries.

    Attributes:
        workers: downloads that may be in flight; for a strategy with a number of its own, one for each fetch.
        keep_alive: a connection serves more than one request; always true where a function of the user's,
            which opens no client of flagbench, decides that.
        variant: label of the variant in a comparison; empty elsewhere.
        has_own_workers: whether the strategy decides itself how many downloads are in flight.
        connections: the most that the client may have open, if that is not the number of workers; 0: it is.
        scheduler: address of the scheduler of the cluster whose machines download; empty: the embedded one,
            or the strategy uses none.
        work: CPU work on each flag.
        is_limited_by_client: whether the client's connections limit the downloads, not the strategy.
        rate: fetches that are due in a second, however many are in flight (an *open loop*); 0: the next one
            begins once a worker is free.
        has_other_rates: whether the config asks for other rates, too, so that the rate is part of the ids.
    """

    strategy: str
    client: str
    workers: int
    profile: Profile
    countries: Selection
    keep_alive: bool = True
    variant: str = ""
    has_own_workers: bool = added_field(bool)
    is_limited_by_client: bool = added_field(bool)
    connections: int = added_field(int)
    scheduler: str = added_field(str)
    work: Work = added_field(Work)  # noqa: RUF009  it declares a field
    rate: float = added_field(float)
    has_other_rates: bool = added_field(bool)

    @property
    def has_settings(self) -> bool:
        """Whether a client of flagbench is opened, with its settings; a function of the user's has none."""
        is_function = "." in self.client and self.client.replace(".", "").isidentifier()
        return self.client != NO_CLIENT and not is_function

    @property
    def place(self) -> str:
        """Host and port of the scheduler; empty without one."""
        return Scheduler(self.scheduler).place

    @property
    def id(self) -> str:
        """The unique name of the case in its run, for people and ``--only`` patterns."""
        return f"{self.plain_id}@{self.variant}" if self.variant else self.plain_id

    @property
    def plain_id(self) -> str:
        """The name that all variants of the case share."""
        connection = "" if self.keep_alive else "/close"
        if self.connections:
            connection += f"/{self.connections}conn"
        if self.scheduler:
            connection += f"/{self.place}"
        return f"{self.strategy}/{self.client}/{self.workers}/{self.conditions}{connection}"

    @property
    def conditions(self) -> str:
        """What it has in common with the cases that it is compared with: profile, fetches, work and rate."""
        fetches = f"/{self.countries.count}fetches" if self.countries.is_one_of_several else ""
        return f"{self.conditions_of_fetch}{fetches}"

    @property
    def without_rate(self) -> "Case":
        """The same case without a rate, which all its rates share."""
        return replace(self, rate=0.0, has_other_rates=False)

    @property
    def conditions_of_fetch(self) -> str:
        """The same for each fetch: profile, CPU work and rate."""
        work = f"/{self.work.times}{self.work.kind}" if self.work.is_one_of_several else ""
        rate = f"/{rate_text(self.rate)}rps" if self.has_other_rates else ""
        return f"{self.profile.name}{work}{rate}"


Ability: TypeAlias = Literal["greenlets", "connection_limit", "trio"]
"""Abilities of a client that some strategies need: waiting within gevent, a limit of connections, trio."""
Protocol: TypeAlias = Literal["tls", "http2"]
"""Protocols of a client beside plain HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """Facts about a strategy file, read from its text without importing it.

    Attributes:
        file: the file that the worker imports.
        face: whether it opens ``job.client()`` or ``job.async_client()``; ``None``: neither.
        takes_workers: whether it reads ``job.workers``.
        starts_processes: whether it starts a process for each worker.
        call: how its function is called.
        options: ways in which it can be run; its name has a chosen one at the end: ``processpool_map+spawn``.
        option: the chosen one; empty: none.
        needs: what its clients must be able to do.
        unavailable: why it cannot be run here, as the end of a sentence; empty if it can.
        package: name and version of the installed package that provides it; empty for any other.
        uses_cluster: whether it downloads on the machines of a cluster.
    """

    name: str
    file: Path
    summary: str
    face: Literal["sync", "async"] | None
    takes_workers: bool
    starts_processes: bool = False
    call: FunctionCall = field(default_factory=FunctionCall)
    options: tuple[str, ...] = ()
    option: str = ""
    needs: frozenset[Ability] = frozenset()
    unavailable: str = ""
    package: str = ""
    uses_cluster: bool = False

    @property
    def plain_name(self) -> str:
        """The name without an option."""
        return self.name.removesuffix(f"+{self.option}")

    @property
    def chooses_workers(self) -> bool:
        """True if it decides itself how many downloads are in flight, so that any number is allowed."""
        return self.call.is_foreign and not self.takes_workers


@dataclass(frozen=True, slots=True)
class Client:
    """Facts about a client file, read from its text without importing it.

    Attributes:
        faces: kinds of strategies that can use it.
        missing: top-level modules that it imports and that are not installed.
        install: command that installs them; empty if none are missing.
        speaks: protocols beside plain HTTP/1.1.
        deviations: outcomes, by kind of fault, that differ from ``bench.model.faults`` over HTTP/1.1.
        call: a function of the user's that downloads one URL, or, without the name of a function, the module
            of a client in an installed package; None for the files of ``strategies/clients``.
        abilities: what some strategies need.
        keeps_alive: whether it can use a connection for more than one request.
        limits: the faces in which its library limits its own connections.
        package: name and version of the installed package that provides it; empty for any other.
        distribution: that of its library, which is named like its file; empty: the standard library.
        requirements: the libraries of an environment of its own, as ``pip`` writes them; empty: it is
            imported from the environment of flagbench.
    """

    name: str
    file: Path
    summary: str
    faces: frozenset[Literal["sync", "async"]]
    missing: tuple[str, ...] = ()
    install: str = ""
    speaks: frozenset[Protocol] = frozenset()
    deviations: Mapping[str, FetchOutcome] = field(default_factory=dict)
    call: FunctionCall | None = None
    abilities: frozenset[Ability] = frozenset()
    keeps_alive: bool = True
    limits: frozenset[Literal["sync", "async"]] = frozenset()
    package: str = ""
    distribution: str = ""
    requirements: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The module of ``strategies.clients`` that a worker imports."""
        return self.file.stem

    @property
    def is_function(self) -> bool:
        """True if it is a function of the user's that downloads one URL."""
        return self.call is not None and bool(self.call.function)

    @property
    def source(self) -> str:
        """The place of code that is not shipped: ``FILE:function``, ``module:function`` or ``module:``."""
        if self.call is None:
            return ""
        return f"{self.call.module or self.file}:{self.call.function}"


LOOPBACK: Final = "127.0.0.1"
"""Where the flag server listens, unless a config names another address."""
PROBES: Final = ("cpu", "gc", "allocations", "loop_lag", "queue_wait", "memory", "handles")
"""All probes, on by default: ``memory`` and ``handles`` are in ``bench.system.process_probes``, the others in
``bench.worker.probes``."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """When to stop running a case before all ``Experiment.blocks``.

    Attributes:
        least_blocks: blocks that every case is run in.
        precision: half-width of the interval of a case's median, as a share of it, at which the case stops;
            ``None``: only blocks and budget count.
        budget_s: seconds of trials after which no block is started; ``None``: no limit.
    """

    least_blocks: int
    precision: float | None
    budget_s: float | None


@dataclass(frozen=True, slots=True)
class Experiment:
    """A resolved config: everything that a run needs to know before it starts.

    Attributes:
        strategies: by name, every strategy of ``cases``.
        blocks: number of blocks; the maximum, where ``stopping`` may end a case earlier.
        rounds: timed rounds per trial, more of them where they are short; ``None`` is *auto*: 1 to 5,
            until 0.5 s is timed.
        deadline_s: seconds for a trial.
        request_timeout_s: seconds for a fetch, enforced outside the client.
        seed: determines the order of cases, delays and faults.
        flags_dir: folder of the flags to serve; ``None``: the project's own flags.
        source: the config as written, for the record.
        notes: notes for the user before the run starts, one sentence each.
        stopping: ``None``: every case is run in every block.
        probes: the ``PROBES`` that are on.
        pinning: whether server, worker and harness run on separate cores if there are enough.
        deviations: by client, ``Client.deviations``.
        own_clients: by name, the clients that are functions of the user's, or of installed packages.
        separate_clients: by name, the clients that need environments of their own.
        disturbed: whether trials that a busy machine slowed down count with a remark, or are repeated.
        process_names: whether the names of other programs that used the machine are printed and stored.
        margin: the least difference between two cases that matters, as a share.
        comparison_settings: the config's settings for comparisons, which ``ab`` and ``gate`` use.
        comparison: the comparison that this run is; ``None`` for other runs.
        variants: the variants of the comparison, built, by label; other runs use this project's own code.
        target: the server of the user's that is measured; ``None``: the flag server.
        files: by code, the content of each file that is served; empty until it has been read.
        environments: by name, those of ``separate_clients``, built; variants of a comparison have their own.
        schedulers: by address, those of the clusters of ``cases``.
        host: address of this machine at which the flag server listens.
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
    disturbed: Literal["refuse", "keep"] = "keep"
    process_names: bool = True
    margin: float = DEFAULT_RUN_MARGIN
    deviations: Mapping[str, Mapping[str, FetchOutcome]] = field(default_factory=dict)
    own_clients: Mapping[str, Client] = field(default_factory=dict)
    separate_clients: Mapping[str, Client] = field(default_factory=dict)
    comparison_settings: ComparisonSettings = field(default_factory=ComparisonSettings)
    comparison: Comparison | None = None
    variants: Mapping[str, BuiltVariant] = field(default_factory=dict)
    target: Target | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    environments: Mapping[str, ClientEnvironment] = field(default_factory=dict)
    schedulers: Mapping[str, Scheduler] = field(default_factory=dict)
    host: str = LOOPBACK

    @property
    def least_blocks(self) -> int:
        """The blocks that every case is run in, unless it is given up."""
        return self.blocks if self.stopping is None else min(self.stopping.least_blocks, self.blocks)
