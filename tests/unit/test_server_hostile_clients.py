"""Clients that mean no good, or are gone without a word: others do not notice, and nothing of them stays."""

import asyncio
import resource
import socket
import struct
from collections.abc import Callable
from time import perf_counter

import pytest

from bench.model.cases import Fixed, Profile
from bench.server import accept_loop, listeners, slow_requests
from tests.house import House, get, last, visit
from tests.unit.test_server_protocol import LOCAL, SLOW, exchange, replies

REQUEST = get("/flags/br/br.gif")
TCP_REPAIR = 19
"""Lets a socket be closed without a word to the other side (Linux, CAP_NET_ADMIN)."""


async def answer(reader: asyncio.StreamReader) -> int:
    """Read one answer, which comes within five seconds, and return its status."""
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
        await reader.readexactly(size)
    return int(head.split()[1])


def open_connections(house: House) -> int:
    """Count the connections that the server holds."""
    return len(house.site._connections)  # noqa: SLF001  no client can see it


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that comes within five seconds."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  the server tells nobody
            await asyncio.sleep(0.01)


def test_a_request_that_never_ends_is_refused_and_an_idle_connection_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The deadline counts from the first byte, however steadily others drip after it."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.2)

    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in REQUEST:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    async def talk(house: House) -> None:
        async with house.connection() as (idle, ask), house.connection() as (slow, writer):
            ask.write(REQUEST)
            assert await answer(idle) == 200
            began_s = perf_counter()
            dripping = asyncio.create_task(drip(writer))
            assert await answer(slow) == 408
            assert 0.2 <= perf_counter() - began_s < 2
            dripping.cancel()
            assert await slow.read() == b""
            ask.write(REQUEST)
            assert await answer(idle) == 200
        await until(lambda: open_connections(house) == 0)

    log = visit(LOCAL, talk)
    assert sorted(record.status for record in log) == [200, 200, 408]


def test_a_body_that_never_ends_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is complete when its body is."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.1)
    started = get("/", "Content-Length: 100") + b"x"
    assert [reply.status for reply in replies(exchange(started))] == [408]
    started = get("/", "Transfer-Encoding: chunked") + b"5\r\nhel"
    assert [reply.status for reply in replies(exchange(started))] == [408]


def test_what_came_before_a_request_that_never_ends_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its order, and in its time."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.01)
    answers = replies(exchange(REQUEST, REQUEST, b"GET /fl", profile=SLOW))
    assert [reply.status for reply in answers] == [200, 200, 408]


def test_each_request_has_a_deadline_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose pieces hold the end of one request and the start of the next is not behind."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.2)

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(REQUEST[:9])
            for _ in range(8):
                await asyncio.sleep(0.05)
                writer.write(REQUEST[9:] + REQUEST[:9])
                assert await answer(reader) == 200
            writer.write(REQUEST[9:])
            assert await answer(reader) == 200

    visit(LOCAL, talk)


def test_a_client_that_the_server_does_not_read_from_is_not_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has asked so much at once that the rest has to wait, the end of its last request included."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.1)

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(REQUEST * 200 + REQUEST[:9])
            await asyncio.sleep(0.2)
            writer.write(REQUEST[9:])
            assert [await answer(reader) for _ in range(201)] == [200] * 201

    visit(Profile("slower", Fixed(0.4)), talk)


def test_a_client_that_is_read_from_again_has_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was left of its last request when it was read from no more has to come to its end."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.02)
    answers = replies(exchange(REQUEST * 200, REQUEST[:9], profile=SLOW))
    assert [reply.status for reply in answers] == [200] * 200 + [408]


def test_one_address_may_be_behind_with_so_many_requests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest gives way; whoever is not behind is left alone."""
    monkeypatch.setattr(slow_requests, "_MOST_PER_ADDRESS", 3)

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(REQUEST)
            assert await answer(reader) == 200
            slow = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(5)]
            for _, each in slow:
                each.write(REQUEST[:9])
                await asyncio.sleep(0.02)
            assert [await answer(refused) for refused, _ in slow[:2]] == [408, 408]
            for kept, each in slow[2:]:
                each.write(REQUEST[9:])
                assert await answer(kept) == 200
            writer.write(REQUEST)
            assert await answer(reader) == 200
            for _, each in slow:
                each.close()

    visit(LOCAL, talk)


def test_who_leaves_within_a_request_is_forgotten() -> None:
    """Nobody is waited for who is not there."""

    async def talk(house: House) -> None:
        for _ in range(3):
            async with house.connection() as (_, writer):
                writer.write(REQUEST[:9])
                await until(lambda: open_connections(house) == 1)
            await until(lambda: open_connections(house) == 0)
        assert house.site.laggards._begun == {}  # noqa: SLF001  no client can see it
        assert house.site.laggards._by_address == {}  # noqa: SLF001  no client can see it

    assert visit(LOCAL, talk) == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), 400),
        (b"\0" * 100, 400),
        (b"GET /\0 HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX\0: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\0: a\r\n\r\n", 400),
        (b"\r\n" * 20_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000, 431),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50_000, 413),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400),
        (b"GET / HTTP/9\r\n\r\n", 400),
        (b"GET / FTP/1.1\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\n\r\n", 400),
    ],
    ids=lambda value: value if isinstance(value, int) else repr(value[:40]),
)
def test_nonsense_is_refused_and_the_next_client_served(sent: bytes, status: int) -> None:
    """One answer, an end, and no connection that stays."""

    async def talk(house: House) -> None:
        assert [reply.status for reply in replies(await house.ask(sent))] == [status]
        assert [reply.status for reply in replies(await house.ask(last("/flags/br/br.gif")))] == [200]
        await until(lambda: open_connections(house) == 0)

    visit(LOCAL, talk)


def test_nobody_is_let_in_without_a_descriptor_and_all_are_once_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those inside are served on, those outside wait in the kernel's queue, and the server takes note."""

    async def talk(house: House) -> None:
        clients = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(30)]
        await asyncio.sleep(0.2)
        inside = open_connections(house)
        assert 0 < inside < 30
        assert house.site.waits > 0
        for _, writer in clients:
            writer.write(REQUEST)
        assert [await answer(reader) for reader, _ in clients[:inside]] == [200] * inside
        assert open_connections(house) == inside
        for _, writer in clients[:inside]:
            writer.close()
        assert [await answer(reader) for reader, _ in clients[inside:]] == [200] * (30 - inside)
        for _, writer in clients[inside:]:
            writer.close()
        await until(lambda: open_connections(house) == 0)
        seen = house.site.waits
        await asyncio.sleep(0.2)
        assert house.site.waits == seen

    # both sides are this process: room for all clients, and for some of the server's ends
    monkeypatch.setattr(accept_loop, "_SPARE", 0)
    used = lowest_free_descriptor() + 10
    monkeypatch.setattr(resource, "getrlimit", lambda _: (used + 45, used + 45))
    visit(LOCAL, talk)


def lowest_free_descriptor() -> int:
    """Return the number that the next file would get."""
    with socket.socket() as next_file:
        return next_file.fileno()


def test_a_client_that_is_gone_without_a_word_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel asks who has been silent whether he is still there."""
    monkeypatch.setattr(listeners, "_SILENCE_S", 1)
    monkeypatch.setattr(listeners, "_ASK_AGAIN_S", 1)

    async def talk(house: House) -> None:
        client = socket.create_connection(("127.0.0.1", house.port))
        await until(lambda: open_connections(house) == 1)
        try:
            client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except PermissionError:
            pytest.skip("to vanish without a word takes CAP_NET_ADMIN")
        finally:
            client.close()
        assert open_connections(house) == 1
        await until(lambda: open_connections(house) == 0)

    visit(LOCAL, talk)


def test_clients_are_asked_after_a_minute_and_given_up_after_two() -> None:
    """Every connection has it from the port; an idle one that is alive stays for as long as it likes."""

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(REQUEST)
            assert await answer(reader) == 200
            (connection,) = house.site._connections.values()  # noqa: SLF001  no client can see it
            accepted = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert [
                accepted.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ] == [60, 15, 4]
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 120_000

    visit(LOCAL, talk)


def test_a_reset_within_a_request_leaves_nothing_behind() -> None:
    """However many there are of them."""

    async def talk(house: House) -> None:
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", house.port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(REQUEST + REQUEST[:9])
            await asyncio.sleep(0)
        await until(lambda: open_connections(house) == 0)
        assert [reply.status for reply in replies(await house.ask(last("/")))] == [200]

    visit(LOCAL, talk)
