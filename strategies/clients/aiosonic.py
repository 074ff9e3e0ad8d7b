"""One aiosonic ``HTTPClient`` for the event loop.

Over HTTP/2 it has one error for all faults, and waits in vain for the rest of a stream that was reset. So it
speaks only HTTP/1.1 here.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosonic import Connection, HTTPClient, HttpParsingError, HttpResponse, TCPConnector, Timeouts
from aiosonic.http_parser import REPLACEABLE_HEADERS
from aiosonic.pools import PoolConfig

from bench.api import Answer, AsyncGet, ClientSettings, JoinedHeaders, collect_async

# aiosonic reads a body to its length, and drops further bytes of the connection.
DEVIATIONS = {"surplus_bytes": "ok"}
CONNECTION_LIMIT = True
REPLACEABLE_HEADERS.add("connection")  # otherwise ours would be sent beside its own


class KeptConnection(Connection):  # type: ignore[misc]  # it has no types
    """A connection that is closed after an error; otherwise the rest would be read as the next answer."""

    # aiosonic repeats a GET whose reused connection broke, and has no option against it.
    reused = property(lambda _: False, lambda _, __: None)

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        if error is not None:
            self.close()
        await super().__aexit__(kind, error, trace)


class SingleConnection(KeptConnection):
    """A connection for one request, whether or not the server closes it."""

    def keep_alive(self) -> None:
        """Let it be closed."""


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    kept, kind = ("keep-alive", KeptConnection) if settings.keep_alive else ("close", SingleConnection)
    headers = {"Accept-Encoding": "identity", "Connection": kept}
    pool = PoolConfig(size=settings.workers, max_conn_requests=None)
    timeouts = Timeouts(*[settings.request_timeout_s] * 4)
    client = HTTPClient(TCPConnector({":default": pool}, timeouts, connection_cls=kind))
    if (context := settings.tls_context()) is not None:
        context.set_alpn_protocols(["http/1.1"])  # otherwise aiosonic calls a function that Python deprecates

    async def get(url: str) -> Answer:
        try:
            async with client.stream("GET", url, headers=headers, ssl=context) as response:
                return await _read_answer(response, settings)
        except ValueError as error:  # of a number or a line that it cannot read
            raise HttpParsingError(str(error)) from error

    try:
        yield get
    finally:
        await client.aclose()


async def _read_answer(response: HttpResponse, settings: ClientSettings) -> Answer:
    def values_of(name: str) -> list[str]:
        return [value for key, value in response.raw_headers if key.lower() == name.lower()]

    if len(values_of("Content-Length")) > 1:
        raise HttpParsingError("several Content-Lengths")  # aiosonic would believe the last one
    has_body = response._has_pending_body()  # noqa: SLF001  it would wait for a body that is empty
    body = await collect_async(response.read_chunks(), settings) if has_body else b""
    return Answer(response.status_code, body, JoinedHeaders(values_of))
