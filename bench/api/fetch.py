"""One flag within a round, and who looks on while it is fetched."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from bench.api.outcomes import FetchOutcome


class Fetch(NamedTuple):
    """One flag within a round.

    Attributes:
        start_s: ``time.perf_counter()`` before the request.
        end_s: the same after the flag was saved or the failure known.
        status: HTTP status, 0 where no answer arrived.
        size_bytes: length of the body.
        outcome: the class of ``bench.api.outcomes``.
        detail: the client's own words for a failure, or what is odd about an answer; empty otherwise.
        answered_s: ``time.perf_counter()`` when the whole answer was there; 0 where that is not known.
        checksum: CRC-32 of the flag that was saved; ``None`` where the job does not ask for it.
    """

    country: str
    start_s: float
    end_s: float
    status: int
    size_bytes: int
    outcome: FetchOutcome
    detail: str = ""
    answered_s: float = 0.0
    checksum: int | None = None


class Future(Protocol):
    """What ``concurrent.futures.Future`` and ``asyncio.Task`` have in common, as far as it is watched."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Call ``fn`` with the future once it is done."""


class Watcher(Protocol):
    """Who looks on while a job runs; nobody does while it is timed."""

    def fetched(self, fetch: Fetch) -> None:
        """Take note that a fetch has ended."""

    def future(self, country: str, future: Future) -> None:
        """Take note of a future's state: when it is scheduled, and when it is done."""
