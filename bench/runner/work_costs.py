"""The least CPU time that each kind of work took in a run, and what follows from it for the ideal of a case.

Each fetch measures its own work, and a worker reports the least of each round. The ideal of a round has the
least of all rounds up to it: a moment in which work was slower must not raise the bound. As this round is
among them, each of its fetches has worked for at least as long, so no round can truly beat such an ideal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, TypeAlias

from bench.api.processing import keeps_lock
from bench.model.cases import Case, Strategy
from bench.model.comparison import BuiltVariant
from bench.model.lower_bound import RoundWork
from bench.model.scheduler import EMBEDDED
from bench.system.paths import is_shipped

_CLOCKS_AGREE: Final = 0.999
"""The clock of CPU time may be faster than that of rounds, which NTP slows down by up to 0.05 %."""

_WAITING_SHARE: Final = 0.002
"""Of the time of a thread that waits for the lock: it wakes up every 5 ms, beside the one that has it, for
less than ten microseconds, which count as its work."""

_Place: TypeAlias = tuple[str, str, str, tuple[str, ...]]
"""Kind of work, cluster, interpreter, and where its code comes from: revisions may differ in it."""


@dataclass(frozen=True, slots=True)
class KnownWork:
    """What is known of the CPU work of a case.

    Attributes:
        s_per_byte: the least CPU seconds that were measured for each byte, done once.
        processors: those that all work of a round can use at once; None if that is not known.
        has_one_thread: whether one thread does all of it, as that of an event loop.
        exclusive_share: of the work that keeps the lock of an interpreter, so much is surely done while no
            other thread works; 0 if there are several interpreters, or one without a lock.
        keeps_slots: whether a fetch keeps its slot until its work is done.
    """

    s_per_byte: float
    processors: int | None
    has_one_thread: bool
    exclusive_share: float
    keeps_slots: bool

    def of_round(self, case: Case, sizes: Sequence[int]) -> RoundWork:
        """Return the work of a round.

        Args:
            case: its case.
            sizes: for each fetch the bytes that are surely processed; 0 for one that may have no flag.
        """
        each_s = _CLOCKS_AGREE * case.work.times * self.s_per_byte
        locked = sum(size for size in sizes if keeps_lock(case.work.kind, size))
        exclusive = sum(sizes) if self.has_one_thread else locked * self.exclusive_share
        return RoundWork(
            each_s=tuple(each_s * size for size in sizes),
            exclusive_s=each_s * exclusive,
            processors=self.processors,
            keeps_slots=self.keeps_slots,
        )


class WorkCosts:
    """Keeps the least CPU time of each kind of work."""

    def __init__(self) -> None:
        self._least: dict[_Place, float] = {}

    def note(self, case: Case, variant: BuiltVariant, measured: Iterable[float | None]) -> None:
        """Take note of measurements, in seconds for each byte; None and what is no time tell nothing."""
        place = _place(case, variant)
        times_s = [each for each in measured if each is not None and isfinite(each) and each >= 0]
        if times_s and case.work.times:
            self._least[place] = min(*times_s, self._least.get(place, times_s[0]))

    def least(self, case: Case, variant: BuiltVariant) -> float | None:
        """Return the CPU seconds for each byte of the work of a case; None if unknown, or without work."""
        return self._least.get(_place(case, variant)) if case.work.times else None


def _place(case: Case, variant: BuiltVariant) -> _Place:
    return case.work.kind, case.scheduler, variant.python, variant.import_path


def know_work(
    case: Case, strategy: Strategy, s_per_byte: float | None, processors: int, *, has_gil: bool
) -> KnownWork | None:
    """Return what is known of the work of a case; None if its time is not.

    Of the user's own strategies nothing is claimed that their code could do otherwise: they may start
    processes, or work on one flag while its slot downloads the next. Where the client limits connections, it
    is free for another download before the work begins. The machines of another cluster have processors of
    their own.

    Args:
        case: the case.
        strategy: with the file that its variant has.
        s_per_byte: the least CPU time of its work.
        processors: those that the processes of its worker may use.
        has_gil: whether its interpreter has a lock.
    """
    if s_per_byte is None:
        return None
    is_known = is_shipped(strategy.file)
    keeps_slots = is_known and not case.is_limited_by_client
    usable = min(processors, case.workers) if keeps_slots else processors
    is_one_interpreter = is_known and not (strategy.starts_processes or strategy.uses_cluster)
    waiting = _WAITING_SHARE * (case.workers - 1)
    return KnownWork(
        s_per_byte=s_per_byte,
        processors=usable if case.scheduler == EMBEDDED else None,
        has_one_thread=is_one_interpreter and strategy.face == "async",
        exclusive_share=1 / (1 + waiting) if is_one_interpreter and has_gil else 0.0,
        keeps_slots=keeps_slots,
    )
