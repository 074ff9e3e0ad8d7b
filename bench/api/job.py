"""The job of one round: the flags to download, and ``download_one`` for a strategy to call."""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from importlib import import_module
from sys import exception
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

from bench.api.bodies import StreamedBody, checksum_of
from bench.api.client import LARGEST_BYTES, Answer, ClientSettings
from bench.api.deadline import process_watchdog
from bench.api.error_outcomes import local_fault, outcome_of_error
from bench.api.fetch import Fetch, Future, Watcher
from bench.api.opening import Opening, take_opening
from bench.api.outcomes import outcome_of_answer
from bench.api.processing import Processing

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from pathlib import Path

    from bench.api.loop_deadline import LoopDeadlines
    from bench.api.trio_deadline import TrioDeadlines

LOOP_WATCHERS: "Final[list[Callable[[AbstractEventLoop], None]]]" = []
"""Called with each event loop in which a client is opened; a job could not carry them to other processes."""

CLIENT_OBSERVERS: Final[list[Callable[[str], None]]] = []
"""Called with the kind of each client that is opened, ``sync`` or ``async``; none while a job is timed."""

_OPENERS: Final = {
    "sync": ("open_client", "a synchronous"),
    "async": ("open_async_client", "an asynchronous"),
}
_TRIO: Final = "trio"
"""Option of strategies whose event loop is not asyncio's."""
_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_CODE_LENGTH: Final = 2

AnyFuture = TypeVar("AnyFuture", bound=Future)


def is_country_code(text: str) -> bool:
    """Tell whether a text has the form of a country code (ISO 3166-1 alpha-2): two capital letters.

    No other text may become part of a path or an address.
    """
    return len(text) == _CODE_LENGTH and _LETTERS.issuperset(text)


def save(path: str, body: bytes) -> None:
    """Write a file in half of the time that ``Path.write_bytes`` takes, which is part of what is timed.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        written = os.write(descriptor, body)
        while written < len(body):  # the disk is full, which the next attempt says
            written += os.write(descriptor, body[written:])
    finally:
        os.close(descriptor)


class PathTable(dict[str, str]):
    """The paths of files by their codes; hashable, as a job is."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


GATHER: Final = "gather"
"""Option of strategies for a cluster: the bytes come back from its machines, and are saved here."""


class ClusterSettings(NamedTuple):
    """Where the scheduler of a cluster is, and how it is spoken to.

    Attributes:
        scheduler: its address, ``tcp://`` or ``tls://``; empty: a cluster is started on this machine.
        authority: PEM file of the certificate authority of the cluster; empty without encryption.
        certificate: PEM file of the certificate that this client shows.
        key: PEM file of its key.
        trusted: the certificate authority of the flag server as PEM, for machines that have no file of it;
            empty where that file is, and without encryption.
    """

    scheduler: str = ""
    authority: str = ""
    certificate: str = ""
    key: str = ""
    trusted: str = ""


class WrongClientError(Exception):
    """A strategy opens a client that its case was not planned with."""


class Job(NamedTuple):
    """The flags that one call of ``download_many`` must download.

    Attributes:
        countries: upper-case codes in the order asked, possibly with duplicates.
        workers: downloads that may be in flight at once.
        base_url: the flag server's address, without a slash at its end.
        folder: destination of the flags, saved as ``br.gif``.
        client_name: the client to use: a file of ``strategies/clients``, unless ``client_module`` is given.
        keep_alive: use a connection for more than one request.
        request_timeout_s: limit of the total time of a fetch, in seconds.
        watcher: observer of fetches and futures; None while the job is timed.
        largest_bytes: the largest body that a client reads.
        authority: PEM file of the certificate authority to trust; None without encryption.
        http2: speak HTTP/2 only.
        checks_content: keep the checksum of each saved flag, for the worker to compare.
        connections: the most that the client may have open; 0: as many as there are workers.
        option: the option of the strategy that the case names, one of its ``OPTIONS``; empty: none.
        client_module: module of a client that is not in ``strategies/clients``; empty for one that is.
        paths: by code, the path of each file below ``base_url``, percent-encoded; None for the flags.
        rate: the most requests that are started in a second, or those of an open loop; None: any number.
        schedule: file with the time of the next start, for all processes that keep to ``rate``.
        cluster: the cluster on whose machines the flags are downloaded; None for any other strategy.
        processing: CPU work on each flag once it is saved; None: there is none.
        is_open_loop: whether ``rate`` is that of an open loop: each fetch has a time at which it is due,
            however late those before it were.
    """

    countries: tuple[str, ...]
    workers: int
    base_url: str
    folder: "Path"
    client_name: str
    keep_alive: bool = True
    request_timeout_s: float = 10.0
    watcher: Watcher | None = None
    largest_bytes: int = LARGEST_BYTES
    authority: str | None = None
    http2: bool = False
    checks_content: bool = False
    option: str = ""
    connections: int = 0
    client_module: str = ""
    paths: "PathTable | None" = None
    rate: float | None = None
    schedule: str = ""
    cluster: ClusterSettings | None = None
    processing: Processing | None = None
    is_open_loop: bool = False

    @contextmanager
    def client(self) -> Iterator[Callable[[str], Fetch]]:
        """Open the case's client and yield ``download_one(country)``, which any thread may call.

        Raises:
            WrongClientError: the case was planned with another kind of client, or with none.
        """
        open_client = self._find_opener("sync")
        watchdog, timeout_s, rate = process_watchdog(), self.request_timeout_s, self.rate
        begin, end = watchdog.begin, watchdog.end
        opening_s = perf_counter()
        with watchdog.expect_fetches(timeout_s), open_client(self._settings) as get:
            shared = Opening(opening_s, perf_counter(), "thread")

            def download_one(country: str) -> Fetch:
                scheduled_s = 0.0 if rate is None else self._wait_for_start(rate)
                handled, start_s = exception(), perf_counter()
                due_s = start_s + timeout_s
                try:
                    begin(due_s)
                    try:
                        answer = get(self._url(country))
                    finally:
                        end(due_s)
                except Exception as error:  # noqa: BLE001  a failed request is data, whatever the library raises
                    opening = take_opening() or shared
                    return self._failed_fetch(country, (start_s, scheduled_s), error, handled, opening)
                times_s = start_s, scheduled_s
                return self._answered_fetch(country, times_s, answer, take_opening() or shared)

            yield download_one

    @asynccontextmanager
    async def async_client(self) -> AsyncIterator[Callable[[str], Awaitable[Fetch]]]:
        """Open the case's client and yield an awaitable ``download_one(country)``.

        Raises:
            WrongClientError: the case was planned with another kind of client, or with none.
        """
        open_client = self._find_opener("async")
        if not self._is_on_trio:
            from asyncio import get_running_loop  # heavy; strategies with threads do without it

            for watch in LOOP_WATCHERS:
                watch(get_running_loop())
        with closing(self._watch_fetches()) as deadlines:
            limit, rate, opening_s = deadlines.limit, self.rate, perf_counter()
            async with open_client(self._settings) as get:
                opening = Opening(opening_s, perf_counter(), "loop")

                async def download_one(country: str) -> Fetch:
                    scheduled_s = 0.0 if rate is None else await self._await_start(rate)
                    handled, start_s = exception(), perf_counter()
                    try:
                        answer = await limit(get, self._url(country))
                    except Exception as error:  # noqa: BLE001  a failed request is data, whatever is raised
                        return self._failed_fetch(country, (start_s, scheduled_s), error, handled, opening)
                    return self._answered_fetch(country, (start_s, scheduled_s), answer, opening)

                yield download_one

    def watch(self, country: str, future: AnyFuture) -> AnyFuture:
        """Show a future to the watcher, if any, when it is scheduled and when it is done."""
        watcher = self.watcher
        if watcher is not None:
            watcher.future(country, future)
            future.add_done_callback(lambda done: watcher.future(country, done))
        return future

    def _watch_fetches(self) -> "TrioDeadlines | LoopDeadlines":
        """Return what limits the fetches of the running loop."""
        if self._is_on_trio:
            from bench.api.trio_deadline import TrioDeadlines

            return TrioDeadlines(self.request_timeout_s)
        from bench.api.loop_deadline import LoopDeadlines

        return LoopDeadlines(self.request_timeout_s)

    @property
    def _is_on_trio(self) -> bool:
        return self.option == _TRIO

    @property
    def _settings(self) -> ClientSettings:
        return ClientSettings(
            workers=self.connections or self.workers,
            keep_alive=self.keep_alive,
            request_timeout_s=self.request_timeout_s,
            largest_bytes=self.largest_bytes,
            authority=self.authority,
            http2=self.http2,
            folder=str(self.folder),
            checks_content=self.checks_content,
        )

    def _find_opener(self, kind: Literal["sync", "async"]) -> Any:
        """Return the function that opens the case's client, and show it to the observers."""
        name, words = _OPENERS[kind]
        module = self.client_module or f"strategies.clients.{self.client_name}"
        opener = getattr(import_module(module), name, None) if self.client_name else None
        if opener is None:
            planned = f"with {self.client_name}" if self.client_name else "without a client"
            raise WrongClientError(
                f'opened {words} client, and its case was planned {planned}: declare CLIENTS = "{kind}"'
            )
        for observe in CLIENT_OBSERVERS:
            observe(kind)
        return opener

    def _wait_for_start(self, rate: float) -> float:
        """Wait until the next request may be started, and return when it was due in an open loop, else 0."""
        if not self.is_open_loop:
            time.sleep(self._reserve_start_s(rate))  # gevent has replaced it since this was imported
            return 0.0
        due_s = self._take_start(rate)
        while (early_s := due_s - perf_counter()) > 0:  # gevent's loop may be early
            time.sleep(early_s)
        return due_s

    async def _await_start(self, rate: float) -> float:
        """Do the same in an event loop."""
        loop = import_module("trio" if self._is_on_trio else "asyncio")
        if not self.is_open_loop:
            await loop.sleep(self._reserve_start_s(rate))
            return 0.0
        due_s = self._take_start(rate)
        while (early_s := due_s - perf_counter()) > 0:  # that of uvloop counts whole milliseconds
            await loop.sleep(early_s)
        return due_s

    def _reserve_start_s(self, rate: float) -> float:
        """Return the seconds until the next request may be started."""
        from bench.api.pacing import reserve_start_s  # few jobs have a limit

        return reserve_start_s(self.schedule, rate)

    def _take_start(self, rate: float) -> float:
        """Return when the next request of an open loop is due."""
        from bench.api.pacing import take_start  # few jobs have a schedule

        return take_start(self.schedule, rate)

    def _url(self, country: str) -> str:
        if self.paths is not None:
            if country not in self.paths:
                raise ValueError(f"{country!r:.40} is not the code of a file of the target")
            return f"{self.base_url}/{self.paths[country]}"
        if not is_country_code(country):
            raise ValueError(f"{country!r:.40} is not a country code of two capital letters")
        code = country.lower()
        return f"{self.base_url}/flags/{code}/{code}.gif"

    def _answered_fetch(
        self, country: str, times_s: tuple[float, float], answer: Answer, opening: Opening
    ) -> Fetch:
        """Save the flag of an answer, unless it is late or wrong, and process it.

        ``times_s`` are when its fetch began, and when it was due in an open loop.
        """
        answered_s, (start_s, scheduled_s) = perf_counter(), times_s
        outcome, detail = outcome_of_answer(answer, self.largest_bytes)
        if self._is_late(start_s, answered_s):
            outcome, detail = "timeout", f"the answer took {answered_s - start_s:.3f} s"
        body, checksum, work_s = answer.body, None, None
        if outcome == "ok":
            path = f"{self.folder}/{country.lower()}.gif"
            try:
                if isinstance(body, StreamedBody):
                    body.move_to(path)
                else:
                    save(path, body)
                if self.checks_content:
                    checksum = checksum_of(body)
                content = b""
                if self.processing is not None:
                    content = body.read() if isinstance(body, StreamedBody) else body
            except OSError as error:
                handled = error.__context__
                if local_fault(error, handled) is None:
                    raise
                return self._failed_fetch(country, times_s, error, handled, opening)
            if self.processing is not None:
                work_s = self.processing.run(content)
        elif isinstance(body, StreamedBody):
            body.discard()
        status, size_bytes = answer.status, len(body)
        return self._watched(
            Fetch(
                country,
                start_s,
                perf_counter(),
                status,
                size_bytes,
                outcome,
                detail,
                answered_s,
                checksum,
                *opening,
                scheduled_s,
                work_s,
            )
        )

    def _failed_fetch(
        self,
        country: str,
        times_s: tuple[float, float],
        error: Exception,
        handled: BaseException | None,
        opening: Opening,
    ) -> Fetch:
        end_s, (start_s, scheduled_s) = perf_counter(), times_s
        shortage = local_fault(error, handled)  # libraries only say "all connection attempts failed"
        is_late = shortage is None and self._is_late(start_s, end_s)
        outcome = "timeout" if is_late else outcome_of_error(error, handled)
        cause = shortage or error
        waited = f"after {end_s - start_s:.3f} s" if outcome == "timeout" else ""
        # many time-outs have no message
        detail = ": ".join(filter(None, (waited, type(cause).__name__, str(cause))))
        return self._watched(
            Fetch(country, start_s, end_s, 0, 0, outcome, detail, 0.0, None, *opening, scheduled_s)
        )

    def _is_late(self, start_s: float, end_s: float) -> bool:
        return end_s - start_s > self.request_timeout_s

    def _watched(self, fetch: Fetch) -> Fetch:
        """Show a fetch to the watcher, if any, and return it."""
        if self.watcher is not None:
            self.watcher.fetched(fetch)
        return fetch
