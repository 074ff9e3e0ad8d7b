"""What one call of ``download_many`` has to do, and how each of its fetches is done."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from sys import exception
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from bench.api.client import LARGEST_BYTES, Answer, ClientSettings
from bench.api.country_codes import is_country_code
from bench.api.deadline import watchdog
from bench.api.error_outcomes import local_fault, outcome_of_error
from bench.api.fetch import Fetch, Future, Watcher
from bench.api.response_check import check_response

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from pathlib import Path

LOOP_WATCHERS: "Final[list[Callable[[AbstractEventLoop], None]]]" = []
"""Called with each event loop in which a client is opened; a job could not carry them to other processes."""

AnyFuture = TypeVar("AnyFuture", bound=Future)


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
        largest_bytes: the largest body that a client reads.
        authority: PEM file of the certificate authority to trust; ``None`` where nothing is encrypted.
        http2: whether HTTP/2 is spoken, and nothing else.
        checks_content: whether fetches keep the checksum of what they saved, for the worker to compare.
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

    @contextmanager
    def client(self) -> Iterator[Callable[[str], Fetch]]:
        """Open the case's client and yield ``download_one(country)``, which any thread may call."""
        deadlines, timeout_s = watchdog(), self.request_timeout_s
        begin, end = deadlines.begin, deadlines.end
        with deadlines.watching(timeout_s), self._client_module().open_client(self._settings) as get:

            def download_one(country: str) -> Fetch:
                handled, start_s = exception(), perf_counter()
                due_s = start_s + timeout_s
                try:
                    begin(due_s)
                    try:
                        answer = get(self._url(country))
                    finally:
                        end(due_s)
                except Exception as error:  # noqa: BLE001  a failed request is data, whatever the library raises
                    return self._failed(country, start_s, error, handled)
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
                handled, start_s = exception(), perf_counter()
                try:
                    async with timeout(self.request_timeout_s):
                        answer = await get(self._url(country))
                except Exception as error:  # noqa: BLE001  a failed request is data, whatever the library raises
                    return self._failed(country, start_s, error, handled)
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
        return ClientSettings(
            workers=self.workers,
            keep_alive=self.keep_alive,
            request_timeout_s=self.request_timeout_s,
            largest_bytes=self.largest_bytes,
            authority=self.authority,
            http2=self.http2,
        )

    def _client_module(self) -> Any:
        return import_module(f"strategies.clients.{self.client_name}")

    def _url(self, country: str) -> str:
        if not is_country_code(country):  # it becomes part of an address and of a path
            raise ValueError(f"{country!r:.40} is no country code of two capital letters")
        code = country.lower()
        return f"{self.base_url}/flags/{code}/{code}.gif"

    def _answered(self, country: str, start_s: float, answer: Answer) -> Fetch:
        answered_s = perf_counter()
        outcome, detail = check_response(answer, self.largest_bytes)
        if self._is_late(start_s, answered_s):
            outcome, detail = "timeout", f"the answer took {answered_s - start_s:.3f} s"
        checksum = None
        if outcome == "ok":
            try:
                (self.folder / f"{country.lower()}.gif").write_bytes(answer.body)
            except OSError as error:
                handled = error.__context__
                if local_fault(error, handled) is None:
                    raise
                return self._failed(country, start_s, error, handled)
            if self.checks_content:
                checksum = _checksum(answer.body)
        status, size_bytes = answer.status, len(answer.body)
        return self._seen(
            Fetch(country, start_s, perf_counter(), status, size_bytes, outcome, detail, answered_s, checksum)
        )

    def _failed(self, country: str, start_s: float, error: Exception, handled: BaseException | None) -> Fetch:
        end_s = perf_counter()
        cause = local_fault(error, handled)  # libraries sum it up as "all connection attempts failed"
        late = cause is None and self._is_late(start_s, end_s)
        outcome = "timeout" if late else outcome_of_error(error, handled)
        said = cause or error
        return self._seen(Fetch(country, start_s, end_s, 0, 0, outcome, f"{type(said).__name__}: {said}"))

    def _is_late(self, start_s: float, end_s: float) -> bool:
        """Say whether a fetch took longer than it may, whatever came of it."""
        return end_s - start_s > self.request_timeout_s

    def _seen(self, fetch: Fetch) -> Fetch:
        if self.watcher is not None:
            self.watcher.fetched(fetch)
        return fetch


def _checksum(content: bytes) -> int:
    from zlib import crc32

    return crc32(content)
