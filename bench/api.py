"""All that a strategy or a client may import: the job, and what becomes of each fetch.

A strategy is one file with one function, ``download_many(job: Job) -> list[Fetch]``. It opens
``job.client()`` (or ``job.async_client()``), which yields ``download_one(country)``: get the flag,
save it under the trial's own folder, say what happened. Everything else about it, the order, the
threads, the event loop, is the strategy's own and is what is timed.

A client is one file in ``strategies/clients`` with ``open_client(settings)`` for threads,
``open_async_client(settings)`` for event loops, or both; each yields ``get(url) -> Answer``.

Every worker pays for this import in its cold start. Hence named tuples, and no ``pathlib`` of its
own: with ``dataclasses`` they would make it three times as slow.
"""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from bench.codes import is_code
from bench.outcomes import FetchOutcome, local_fault, outcome_of_error, outcome_of_status

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from pathlib import Path

__all__ = [
    "LOOP_WATCHERS",
    "Answer",
    "AsyncGet",
    "ClientSettings",
    "Fetch",
    "Future",
    "Get",
    "Job",
    "Watcher",
    "run_strategy",
]


class Answer(NamedTuple):
    """What a client got: an HTTP status and the whole body."""

    status: int
    body: bytes


Get: TypeAlias = Callable[[str], Answer]
AsyncGet: TypeAlias = Callable[[str], Awaitable[Answer]]


class Fetch(NamedTuple):
    """One flag within a round.

    Attributes:
        start_s: ``time.perf_counter()`` before the request.
        end_s: the same after the flag was saved or the failure known.
        status: HTTP status, 0 where no answer arrived.
        size_bytes: length of the body.
        outcome: the class of ``bench.outcomes``.
        detail: the client's own words for a failure, empty otherwise.
        answered_s: ``time.perf_counter()`` when the whole answer was there; 0 where that is not known.
    """

    country: str
    start_s: float
    end_s: float
    status: int
    size_bytes: int
    outcome: FetchOutcome
    detail: str = ""
    answered_s: float = 0.0


class ClientSettings(NamedTuple):
    """What a client must respect.

    Attributes:
        workers: connections that may be open at once; the library's own limit is raised to this.
        keep_alive: whether a connection serves more than one request.
        request_timeout_s: the library's own time-outs, in seconds; the total is watched by ``Job``.
    """

    workers: int
    keep_alive: bool
    request_timeout_s: float


LOOP_WATCHERS: "Final[list[Callable[[AbstractEventLoop], None]]]" = []
"""Called with each event loop in which a client is opened; a job could not carry them to other processes."""


class Future(Protocol):
    """What ``concurrent.futures.Future`` and ``asyncio.Task`` have in common, as far as it is watched."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Call ``fn`` with the future once it is done."""


AnyFuture = TypeVar("AnyFuture", bound=Future)


class Watcher(Protocol):
    """Who looks on while a job runs; nobody does while it is timed."""

    def fetched(self, fetch: Fetch) -> None:
        """Take note that a fetch has ended."""

    def future(self, country: str, future: Future) -> None:
        """Take note of a future's state: when it is scheduled, and when it is done."""


class Job(NamedTuple):
    """What one call of ``download_many`` has to do.

    Attributes:
        countries: upper-case codes in the order asked; a code may stand more than once.
        workers: how many downloads may be in flight at once.
        base_url: the flag server's address, without a slash at its end.
        folder: where flags are saved, as ``br.gif``.
        client_name: the file of ``strategies/clients`` to use.
        keep_alive: whether a connection serves more than one request.
        request_timeout_s: what a fetch may take in all, in seconds.
        watcher: who looks on; ``None`` while the job is timed.
    """

    countries: tuple[str, ...]
    workers: int
    base_url: str
    folder: "Path"
    client_name: str
    keep_alive: bool = True
    request_timeout_s: float = 10.0
    watcher: Watcher | None = None

    @contextmanager
    def client(self) -> Iterator[Callable[[str], Fetch]]:
        """Open the case's client and yield ``download_one(country)``, which any thread may call."""
        with self._client_module().open_client(self._settings) as get:

            def download_one(country: str) -> Fetch:
                start_s = perf_counter()
                try:
                    answer = get(self._url(country))
                except Exception as error:  # noqa: BLE001  a failed request is data, whatever the library raises
                    return self._failed(country, start_s, error)
                return self._answered(country, start_s, answer)

            yield download_one

    @asynccontextmanager
    async def async_client(self) -> AsyncIterator[Callable[[str], Awaitable[Fetch]]]:
        """Open the case's client and yield the awaitable twin of ``download_one``."""
        from asyncio import get_running_loop, timeout

        for watch in LOOP_WATCHERS:
            watch(get_running_loop())
        async with self._client_module().open_async_client(self._settings) as get:

            async def download_one(country: str) -> Fetch:
                start_s = perf_counter()
                try:
                    async with timeout(self.request_timeout_s):
                        answer = await get(self._url(country))
                except Exception as error:  # noqa: BLE001  a failed request is data, whatever the library raises
                    return self._failed(country, start_s, error)
                return self._answered(country, start_s, answer)

            yield download_one

    def watch(self, country: str, future: AnyFuture) -> AnyFuture:
        """Show a future to the watcher, if there is one, when it is scheduled and when it is done."""
        watcher = self.watcher
        if watcher is not None:
            watcher.future(country, future)
            future.add_done_callback(lambda done: watcher.future(country, done))
        return future

    @property
    def _settings(self) -> ClientSettings:
        return ClientSettings(self.workers, self.keep_alive, self.request_timeout_s)

    def _client_module(self) -> Any:
        return import_module(f"strategies.clients.{self.client_name}")

    def _url(self, country: str) -> str:
        if not is_code(country):  # it becomes part of an address and of a path
            raise ValueError(f"{country!r:.40} is no country code of two capital letters")
        code = country.lower()
        return f"{self.base_url}/flags/{code}/{code}.gif"

    def _answered(self, country: str, start_s: float, answer: Answer) -> Fetch:
        answered_s = perf_counter()
        # Libraries time out between bytes; a thread cannot be cancelled, so the total is judged here.
        late = answered_s - start_s > self.request_timeout_s
        outcome = "timeout" if late else outcome_of_status(answer.status)
        if outcome == "ok":
            try:
                (self.folder / f"{country.lower()}.gif").write_bytes(answer.body)
            except OSError as error:
                if local_fault(error) is None:
                    raise
                return self._failed(country, start_s, error)
        status, size_bytes = answer.status, len(answer.body)
        return self._seen(
            Fetch(country, start_s, perf_counter(), status, size_bytes, outcome, answered_s=answered_s)
        )

    def _failed(self, country: str, start_s: float, error: Exception) -> Fetch:
        cause = local_fault(error) or error  # libraries sum it up as "all connection attempts failed"
        detail = f"{type(cause).__name__}: {cause}"
        return self._seen(Fetch(country, start_s, perf_counter(), 0, 0, outcome_of_error(error), detail))

    def _seen(self, fetch: Fetch) -> Fetch:
        if self.watcher is not None:
            self.watcher.fetched(fetch)
        return fetch


def run_strategy(file: str) -> None:
    """Become ``bench download`` with the strategy of this file, whether it ships or is one's own."""
    command = [sys.executable, "-m", "bench", "download", "--strategy", file, *sys.argv[1:]]
    os.execv(sys.executable, command)  # noqa: S606  no shell is wanted
