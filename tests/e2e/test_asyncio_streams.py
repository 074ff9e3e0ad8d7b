"""The client on the streams of asyncio: framing and connections, which no library looks after."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bench.api import Answer, AsyncGet, ClientSettings
from bench.api.error_outcomes import outcome_of_error
from strategies.clients.asyncio_streams import open_async_client

pytestmark = pytest.mark.e2e

LENGTH = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nGIF"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Server:
    """Answers each request with bytes; may send more, or close the connection, a moment later."""

    def __init__(self, answer: bytes, *, then_sends: bytes = b"", then_closes: bool = False) -> None:
        self.answer = answer
        self.then_sends = then_sends
        self.then_closes = then_closes
        self.connections = 0
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                writer.write(self.answer)
                await asyncio.sleep(0.02)
                if self.then_closes:
                    return
                writer.write(self.then_sends)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()


def converse(
    server: Server, talk: Callable[[AsyncGet, str], Awaitable[list[Answer]]], settings: ClientSettings
) -> list[Answer]:
    """Serve while a client talks."""

    async def supervise() -> list[Answer]:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        host, port = listening.sockets[0].getsockname()
        async with listening, open_async_client(settings) as get:
            return await talk(get, f"http://{host}:{port}/flags/br/br.gif")

    return asyncio.run(supervise())


SETTINGS = ClientSettings(workers=2, keep_alive=True, request_timeout_s=10.0, largest_bytes=1000)


async def ask_twice(get: AsyncGet, url: str) -> list[Answer]:
    """Ask again after a while."""
    first = await get(url)
    await asyncio.sleep(0.1)
    return [first, await get(url)]


@pytest.mark.parametrize(
    ("answer", "body", "connections"),
    [
        (LENGTH, b"GIF", 1),
        (CHUNKED + b"2;name=value\r\nGI\r\n1\r\nF\r\n0\r\n\r\n", b"GIF", 1),
        (CHUNKED + b"3\r\nGIF\r\n0\r\nSum: 1\r\n\r\n", b"GIF", 2),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nGIF", b"GIF", 2),
    ],
    ids=["length", "chunks", "trailer", "no content", "close"],
)
def test_bodies_are_read_and_connections_used_again_while_they_can_be(
    answer: bytes, body: bytes, connections: int
) -> None:
    server = Server(answer)
    assert [answer.body for answer in converse(server, ask_twice, SETTINGS)] == [body, body]
    assert (server.connections, server.requests) == (connections, 2)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_body_without_length_ends_with_the_connection(version: bytes) -> None:
    server = Server(b"HTTP/" + version + b" 200 OK\r\n\r\nGIF", then_closes=True)
    assert [answer.body for answer in converse(server, ask_twice, SETTINGS)] == [b"GIF", b"GIF"]
    assert (server.connections, server.requests) == (2, 2)


@pytest.mark.parametrize(
    "server",
    [Server(LENGTH, then_closes=True), Server(LENGTH, then_sends=LENGTH), Server(LENGTH + LENGTH)],
    ids=["closed", "sent more later", "sent more at once"],
)
def test_idle_connection_on_which_the_server_said_something_is_given_up(server: Server) -> None:
    assert [answer.body for answer in converse(server, ask_twice, SETTINGS)] == [b"GIF", b"GIF"]
    assert (server.connections, server.requests) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (CHUNKED + b"banana\r\n", "protocol"),
        (CHUNKED + b"-5\r\n", "protocol"),
        (CHUNKED + b"\r\n", "protocol"),
        (CHUNKED + b"3\r\nGI", "truncated"),
        (CHUNKED + b"f" * 15 + b"\r\n" + bytes(2000), "too_large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(2000), "too_large"),
        (b"HTTP/1.1 abc\r\n\r\n", "protocol"),
        (b"GARBAGE 200 OK\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nX: 1", "truncated"),
        (b"", "disconnected"),
    ],
    ids=lambda value: repr(value[-12:]),
)
def test_unreadable_answers_end_in_their_class(answer: bytes, outcome: str) -> None:
    server = Server(answer, then_closes=True)
    with pytest.raises(Exception) as failure:  # noqa: PT011  any that the table knows
        converse(server, ask_twice, SETTINGS)
    assert outcome_of_error(failure.value) == outcome
    assert server.requests == 1


def test_pool_has_as_many_connections_as_workers() -> None:
    async def ask_ten(get: AsyncGet, url: str) -> list[Answer]:
        return await asyncio.gather(*(get(url) for _ in range(10)))

    server = Server(LENGTH)
    assert len(converse(server, ask_ten, SETTINGS)) == 10
    assert (server.connections, server.requests) == (2, 10)


def test_connection_to_another_server_is_not_used() -> None:
    async def ask_both(get: AsyncGet, url: str) -> list[Answer]:
        return [await get(url), await get(url.replace("127.0.0.1", "localhost")), await get(url)]

    server = Server(LENGTH)
    assert len(converse(server, ask_both, SETTINGS._replace(workers=1))) == 3
    assert server.connections == 3
