"""Test hostile and vanished clients: they disturb no other client, and leave nothing behind."""

import asyncio
import socket
import struct
from collections.abc import Callable
from time import perf_counter

import pytest

from bench.model.cases import Fixed, Profile
from bench.server.connection_limits import ConnectionLimits
from tests.in_process_server import InProcessServer, get, last, run_server
from tests.unit.test_server_http1 import LOCAL, SLOW, exchange, replies

REQUEST = get("/flags/br/br.gif")
TCP_REPAIR = 19
"""Lets a socket be closed without telling the other side (Linux, CAP_NET_ADMIN)."""


async def read_status(reader: asyncio.StreamReader) -> int:
    """Read one response within five seconds, and return its status."""
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
        await reader.readexactly(size)
    return int(head.split()[1])


def open_connections(server: InProcessServer) -> int:
    """Count the open connections of the server."""
    return len(server.state.connections)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until a condition holds, for at most five seconds."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  the server does not report it
            await asyncio.sleep(0.01)


def test_dripping_request_times_out_and_idle_connection_does_not() -> None:
    """The time-out counts from the first byte, however steadily others follow."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in REQUEST:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (idle, ask), server.connection() as (slow, writer):
            ask.write(REQUEST)
            assert await read_status(idle) == 200
            began_s = perf_counter()
            dripping = asyncio.create_task(drip(writer))
            assert await read_status(slow) == 408
            assert 0.2 <= perf_counter() - began_s < 2
            dripping.cancel()
            assert await slow.read() == b""
            ask.write(REQUEST)
            assert await read_status(idle) == 200
        await until(lambda: open_connections(server) == 0)

    log = run_server(LOCAL, talk, limits=ConnectionLimits(request_s=0.2))
    assert sorted(record.status for record in log) == [200, 200, 408]


def test_request_body_that_never_ends_times_out() -> None:
    started = get("/", "Content-Length: 100") + b"x"
    assert [reply.status for reply in replies(exchange(started, limits=ConnectionLimits(request_s=0.1)))] == [
        408
    ]
    started = get("/", "Transfer-Encoding: chunked") + b"5\r\nhel"
    assert [reply.status for reply in replies(exchange(started, limits=ConnectionLimits(request_s=0.1)))] == [
        408
    ]


def test_requests_before_one_that_times_out_are_answered_in_order() -> None:
    answers = replies(
        exchange(REQUEST, REQUEST, b"GET /fl", profile=SLOW, limits=ConnectionLimits(request_s=0.01))
    )
    assert [reply.status for reply in answers] == [200, 200, 408]


def test_each_request_has_its_own_time_out() -> None:
    """A client whose pieces hold the end of one request and the start of the next is not slow."""

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(REQUEST[:9])
            for _ in range(8):
                await asyncio.sleep(0.05)
                writer.write(REQUEST[9:] + REQUEST[:9])
                assert await read_status(reader) == 200
            writer.write(REQUEST[9:])
            assert await read_status(reader) == 200

    run_server(LOCAL, talk, limits=ConnectionLimits(request_s=0.2))


def test_client_does_not_time_out_while_the_server_does_not_read() -> None:
    """It has pipelined so many requests that the rest must wait, with the end of its last request."""

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(REQUEST * 200 + REQUEST[:9])
            await asyncio.sleep(0.2)
            writer.write(REQUEST[9:])
            assert [await read_status(reader) for _ in range(201)] == [200] * 201

    run_server(Profile("slower", Fixed(0.4)), talk, limits=ConnectionLimits(request_s=0.1))


def test_time_out_starts_when_the_server_reads_again() -> None:
    answers = replies(
        exchange(REQUEST * 200, REQUEST[:9], profile=SLOW, limits=ConnectionLimits(request_s=0.02))
    )
    assert [reply.status for reply in answers] == [200] * 200 + [408]


def test_oldest_slow_request_of_an_address_is_refused_above_the_limit() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(REQUEST)
            assert await read_status(reader) == 200
            slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(5)]
            for _, each in slow:
                each.write(REQUEST[:9])
                await asyncio.sleep(0.02)
            assert [await read_status(refused) for refused, _ in slow[:2]] == [408, 408]
            for kept, each in slow[2:]:
                each.write(REQUEST[9:])
                assert await read_status(kept) == 200
            writer.write(REQUEST)
            assert await read_status(reader) == 200
            for _, each in slow:
                each.close()

    run_server(LOCAL, talk, limits=ConnectionLimits(slow_requests_per_address=3))


def test_client_that_leaves_within_a_request_is_forgotten() -> None:

    async def talk(server: InProcessServer) -> None:
        for _ in range(3):
            async with server.connection() as (_, writer):
                writer.write(REQUEST[:9])
                await until(lambda: open_connections(server) == 1)
            await until(lambda: open_connections(server) == 0)
        assert len(server.state.slow_requests) == 0
        assert server.state.slow_requests._by_address == {}  # noqa: SLF001  not observable from outside

    assert run_server(LOCAL, talk) == []


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
def test_malformed_input_is_refused_and_the_next_client_is_served(sent: bytes, status: int) -> None:

    async def talk(server: InProcessServer) -> None:
        assert [reply.status for reply in replies(await server.send(sent))] == [status]
        assert [reply.status for reply in replies(await server.send(last("/flags/br/br.gif")))] == [200]
        await until(lambda: open_connections(server) == 0)

    run_server(LOCAL, talk)


def test_clients_without_a_descriptor_wait_and_are_accepted_later() -> None:
    """The open connections are still served, the others wait in the backlog, and the server counts that."""

    async def talk(server: InProcessServer) -> None:
        clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(30)]
        await asyncio.sleep(0.2)
        inside = open_connections(server)
        assert 0 < inside < 30
        assert server.state.waits > 0
        for _, writer in clients:
            writer.write(REQUEST)
        assert [await read_status(reader) for reader, _ in clients[:inside]] == [200] * inside
        assert open_connections(server) == inside
        for _, writer in clients[:inside]:
            writer.close()
        assert [await read_status(reader) for reader, _ in clients[inside:]] == [200] * (30 - inside)
        for _, writer in clients[inside:]:
            writer.close()
        await until(lambda: open_connections(server) == 0)
        seen = server.state.waits
        await asyncio.sleep(0.2)
        assert server.state.waits == seen

    # both sides are this process: room for all clients, and for some of the server's ends
    limits = ConnectionLimits(highest_descriptor=lowest_free_descriptor() + 54)
    run_server(LOCAL, talk, limits=limits)


def lowest_free_descriptor() -> int:
    """Return the number that the next file would get."""
    with socket.socket() as next_file:
        return next_file.fileno()


def test_client_that_vanishes_is_found_by_keep_alive_probes() -> None:

    async def talk(server: InProcessServer) -> None:
        client = socket.create_connection(("127.0.0.1", server.port))
        await until(lambda: open_connections(server) == 1)
        try:
            client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except PermissionError:
            pytest.skip("closing a socket silently needs CAP_NET_ADMIN")
        finally:
            client.close()
        assert open_connections(server) == 1
        await until(lambda: open_connections(server) == 0)

    run_server(LOCAL, talk, limits=ConnectionLimits(idle_probe_s=1, probe_interval_s=1))


def test_connections_are_probed_after_one_minute_and_closed_after_two() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(REQUEST)
            assert await read_status(reader) == 200
            (connection,) = server.state.connections.values()
            accepted = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert [
                accepted.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ] == [60, 15, 4]
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 120_000

    run_server(LOCAL, talk)


def test_resets_within_a_request_leave_no_connection() -> None:

    async def talk(server: InProcessServer) -> None:
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(REQUEST + REQUEST[:9])
            await asyncio.sleep(0)
        await until(lambda: open_connections(server) == 0)
        assert [reply.status for reply in replies(await server.send(last("/")))] == [200]

    run_server(LOCAL, talk)
