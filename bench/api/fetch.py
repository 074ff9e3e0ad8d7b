"""The result of downloading one flag, and the interface of a watcher."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from bench.api.outcomes import FetchOutcome


class Fetch(NamedTuple):
    """The result of downloading one flag.

    Attributes:
        start_s: ``time.perf_counter()`` before the request.
        end_s: the same after the flag was saved or the failure known.
        status: HTTP status, 0 without an answer.
        size_bytes: length of the body.
        outcome: one word of ``bench.api.outcomes``.
        detail: the client's message for a failure, or the oddity of an answer; empty otherwise.
        answered_s: ``time.perf_counter()`` when the whole answer had arrived; 0 if unknown.
        checksum: CRC-32 of the flag that was saved; None unless the job asks for it.
        opening_s: ``time.perf_counter()`` before its client was opened; 0, like ``opened_s``, if unknown.
        opened_s: the same when the client was ready.
        opened_in: ``thread`` or ``loop``, see ``bench.api.opening``; empty if unknown.
        scheduled_s: ``time.perf_counter()`` when the fetch was due in an open loop; 0 in any other job.
        work_s: CPU seconds of the work on the flag, see ``Job.processing``; None if none was done.
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
    opening_s: float = 0.0
    opened_s: float = 0.0
    opened_in: str = ""
    scheduled_s: float = 0.0
    work_s: float | None = None


class Future(Protocol):
    """The interface that ``concurrent.futures.Future`` and ``asyncio.Task`` share, as far as needed."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Call ``fn`` with the future once it is done."""


class Watcher(Protocol):
    """An observer of a job's fetches and futures; a timed job has none."""

    def fetched(self, fetch: Fetch) -> None:
        """Handle the end of a fetch."""

    def future(self, country: str, future: Future) -> None:
        """Handle a future: once when it is scheduled, once when it is done."""
