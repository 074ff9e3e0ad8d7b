"""What harness and worker say to each other: a task in, a report out."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias

from bench.api import LARGEST_BYTES
from bench.model.json_codec import decode, encode
from bench.worker.timeline import Timeline

TrialOutcome: TypeAlias = Literal["ok", "error", "corrupt", "missing", "unexpected", "escape", "invalid"]
"""What a worker can say of its own trial; that it crashed or hung is for others to say."""


PROTOCOL: Final = 1
"""Version of what is said here. Another revision's worker is understood if it has the same."""


def worker_command(python: str = sys.executable) -> list[str]:
    """Return the command of a worker; ``PYTHONPATH`` must say where ``bench`` and ``strategies`` are.

    ``-P``, because a foreign ``bench/`` or ``strategies/`` in the current folder must do no harm.
    """
    return [python, "-P", "-m", "bench.worker"]


AUTO_ROUNDS: Final = 5
"""The most timed rounds of a task that leaves their number to the worker."""
AUTO_TIMED_S: Final = 0.5
"""Seconds of timed rounds after which such a task has enough."""
FIXED_TIMED_S: Final = 0.1
"""Seconds of timed rounds that a task has at the least, even where fewer rounds were asked."""
FIXED_ROUNDS: Final = 20
"""The most timed rounds that a task has to that end."""


WORKER_PROBES: Final = ("gc", "queue_wait", "loop_lag", "cpu")
"""The modules of ``bench.worker.probes``; the last is the first to end, so that others cost it nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the harness asks of one worker.

    Attributes:
        strategy_file: the file to load.
        client: the file of ``strategies/clients`` to use; ``None`` for a strategy that opens none.
        countries: upper-case codes, all of which are asked ``repeat`` times over.
        base_url: round ``k``, from 0 for the warm-up, asks below ``{base_url}.{k}``.
        rounds: timed rounds, and more where they are over in less than 0.1 s; ``None`` is *auto*: 1 to 5,
            until 0.5 s is timed.
        folder: where the rounds have folders of their own.
        reference: the folder of the flags as the server serves them, as ``br.gif``.
        request_timeout_s: what a fetch may take, in seconds.
        probes: what to measure of each timed round, as modules of ``bench.worker.probes``.
        live: report every event as it happens, for one round at ``base_url`` itself into ``folder``
            itself, where the flags remain; nothing is warmed up.
        paced: begin no round before a line has come on standard input, whatever ``rounds`` says; its end is
            the end of the trial. The warm-up asks each country once.
        largest_bytes: the largest body that a client reads.
        authority: PEM file of the certificate authority to trust; ``None`` where nothing is encrypted.
        http2: whether HTTP/2 is spoken, and nothing else.
        checks_content: whether a fetch may end as *corrupt* because other bytes came than are served.
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
    largest_bytes: int = LARGEST_BYTES
    authority: str | None = None
    http2: bool = False
    checks_content: bool = False

    def to_json(self) -> str:
        """Write the task as one line."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a task.

        Raises:
            MalformedError: it is none.
        """
        return decode(cls, text)


@dataclass(frozen=True, slots=True)
class TimedRound:
    """One call of ``download_many`` that came to an end.

    Attributes:
        fetches: how many fetches ended in each class, those that occurred only.
        verified: ``ok`` fetches whose flag was found on disk as the server serves it.
        failures: the first few fetches that were not ``ok``, one line each.
        timeline: ``None`` where the fetches do not say when they began and ended.
        latencies_us: how many fetches took how many microseconds, see ``bench.worker.timeline``.
        probes: what the probes saw, by figure.
    """

    elapsed_s: float
    fetches: Mapping[str, int]
    verified: int
    failures: tuple[str, ...]
    timeline: Timeline | None = None
    latencies_us: Mapping[str, int] = field(default_factory=dict)
    probes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a process holds on to."""

    threads: int
    descriptors: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says of its trial.

    Attributes:
        detail: one line on what went wrong, empty for ``ok``.
        began_s: ``time.perf_counter()`` when the interpreter and the worker itself were there.
        ready_s: the same when strategy and client were imported; ``None`` if they failed.
        rounds: the warm-up and then the timed rounds; the last one is the faulty one unless ``error``
            ended it before it could be counted.
        left: what the strategy left behind in this process; ``None`` if its trial did not come to its end.
    """

    outcome: TrialOutcome
    detail: str
    began_s: float
    ready_s: float | None
    rounds: tuple[TimedRound, ...]
    left: Holdings | None = None
