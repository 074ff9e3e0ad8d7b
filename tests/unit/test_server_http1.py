"""Test HTTP/1.1 over real sockets."""

import asyncio
import gc
import json
import random
import socket
import struct
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from statistics import median
from time import perf_counter
from typing import NamedTuple

import pytest

from bench.model.cases import Fault, Fixed, Profile
from bench.model.flags import all_flags
from bench.model.planned_delays import plan_delay
from bench.model.served_trials import Opening
from bench.server.connection_limits import DEFAULT_LIMITS, ConnectionLimits
from bench.server.http1 import protocol
from bench.server.request_log import UNANSWERED
from bench.server.responses import build_response, cut_body
from tests.builders import status_of
from tests.in_process_server import InProcessServer, get, last, run_server

LOCAL = Profile("local")
SLOW = Profile("slow", Fixed(0.05))
BR = all_flags()["BR"]


class Reply(NamedTuple):
    """A response as a client reads it."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(*requests: bytes, profile: Profile = LOCAL, limits: ConnectionLimits = DEFAULT_LIMITS) -> bytes:
    """Send requests in one piece, and return everything until the server closes the connection."""
    received = b""

    async def talk(server: InProcessServer) -> None:
        nonlocal received
        received = await server.send(*requests)

    run_server(profile, talk, limits=limits)
    return received


def replies(received: bytes, *, bodies: bool = True) -> Iterator[Reply]:
    """Parse responses; those to HEAD have no bodies."""
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        size = int(headers["Content-Length"]) if bodies else 0
        yield Reply(int(status.split()[1]), headers, received[:size])
        received = received[size:]


def reset(writer: asyncio.StreamWriter) -> None:
    """Make closing the connection send a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def only(received: bytes) -> Reply:
    """Return the only response."""
    (reply,) = replies(received)
    return reply


def test_flag_is_served_as_a_gif() -> None:
    reply = only(exchange(last("/flags/br/br.gif")))
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "image/gif", BR)


def test_metadata_names_the_country_with_its_accents() -> None:
    reply = only(exchange(last("/flags/ci/metadata.json")))
    assert reply.headers["Content-Type"] == "application/json"
    assert json.loads(reply.body) == {"country": "Côte d'Ivoire", "iso_cc": "CI"}


def test_index_links_every_flag_escapes_names_and_forbids_scripts() -> None:
    reply = only(exchange(last("/")))
    assert reply.body.count(b'.gif"><img') == 194
    assert b"C\xc3\xb4te d&#x27;Ivoire" in reply.body
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/flags/zz/zz.gif",
        "/flags/zz/metadata.json",
        "/flags/br/fr.gif",
        "/flags/BR/BR.gif",
        "/flags/../../etc/passwd",
        "/flags/br/br.gif/",
        "/-/t1.0/flags/br/br.gif",
        "/-/t1.0",
        "/-/",
        "/nothing",
        "*",
    ],
)
def test_unknown_path_is_404(path: str) -> None:
    assert only(exchange(last(path))).status == 404


@pytest.mark.parametrize(
    "target", ["/flags/br/br.gif?size=1", "http://localhost:80/flags/br/br.gif", "HTTP://x/flags/br/br.gif?"]
)
def test_whole_url_or_query_finds_the_same_flag(target: str) -> None:
    assert only(exchange(last(target))).body == BR


@pytest.mark.parametrize("target", ["/", "/?y", "http://x", "http://x/", "http://x?y"])
def test_url_without_a_path_finds_the_index(target: str) -> None:
    """An empty path is the root (RFC 9112, 3.2.2)."""
    reply = only(exchange(last(target)))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_head_gets_the_headers_only() -> None:
    (reply,) = replies(exchange(last("/flags/br/br.gif", method="HEAD")), bodies=False)
    assert (reply.status, int(reply.headers["Content-Length"])) == (200, len(BR))


def test_connection_serves_many_requests() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            for country in ("br", "zz", "br"):
                writer.write(get(f"/flags/{country}/{country}.gif"))
                head = await reader.readuntil(b"\r\n\r\n")
                assert b"Connection: keep-alive" in head
                size = int(head.split(b"Content-Length: ")[1].split()[0])
                await reader.readexactly(size)

    log = run_server(LOCAL, talk)
    assert [(each.connection, each.status, each.attempt) for each in log] == [
        (1, 200, 0),
        (1, 404, 0),
        (1, 200, 1),
    ]


def test_pipelined_requests_are_answered_in_order_despite_their_delays() -> None:
    profile = Profile("fair", Fixed(0.02), jitter_s=0.02)
    codes = ["br", "fr", "it", "de", "cn", "in"]
    asked = [get(f"/flags/{code}/{code}.gif") for code in codes]
    answered = replies(exchange(*asked, last("/"), profile=profile))
    assert [reply.body for reply in answered][:-1] == [all_flags()[code.upper()] for code in codes]


def test_thousand_pipelined_requests_are_answered() -> None:
    """Reading pauses while too many wait, and continues."""
    asked = [get("/flags/va/va.gif", method="HEAD")] * 1_000
    received = exchange(*asked, last("/flags/va/va.gif", method="HEAD"), profile=Profile("p", Fixed(0.001)))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 1_001


@pytest.mark.parametrize("cut", [1, 5, 12, 30])
def test_request_may_arrive_in_pieces(cut: int) -> None:
    request = last("/flags/br/br.gif")

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            for at in range(0, len(request), cut):
                writer.write(request[at : at + cut])
                await asyncio.sleep(0.0005)
            assert only(await reader.read()).body == BR

    run_server(LOCAL, talk)


@pytest.mark.parametrize(
    ("request_line", "kept"),
    [
        ("GET / HTTP/1.0\r\n\r\n", "close"),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n", "keep-alive"),
    ],
)
def test_http_1_0_connection_is_closed_unless_keep_alive_is_requested(request_line: str, kept: str) -> None:
    first = next(replies(exchange(request_line.encode())))
    assert first.headers["Connection"] == kept


def test_upgrade_offer_is_declined() -> None:
    """``curl --http2`` offers h2c with its first request, and accepts HTTP/1.1."""
    offer = get(
        "/flags/br/br.gif", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"
    )
    first, second = replies(exchange(offer, last("/flags/br/br.gif")))
    assert first.body == second.body == BR


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"])
def test_other_methods_are_405(method: str) -> None:
    path = "localhost:80" if method == "CONNECT" else "/flags/br/br.gif"
    reply = only(exchange(get(path, method=method)))
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "garbage", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"]
)
def test_garbage_is_400(garbage: bytes) -> None:
    assert only(exchange(garbage)).status == 400


def test_garbage_is_refused_after_earlier_requests_are_answered() -> None:
    answers = replies(exchange(get("/flags/br/br.gif"), b"hello\r\n\r\n", profile=SLOW))
    assert [reply.status for reply in answers] == [200, 400]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("GET / HTTP/2.0", 505), ("GET / HTTP/0.9", 505), ("GET /", 505), ("GET / HTTP/3.1", 400)],
)
def test_other_http_versions_are_refused(request_line: str, status: int) -> None:
    assert only(exchange(f"{request_line}\r\nHost: x\r\n\r\n".encode())).status == status


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/", f"X: {'x' * 20_000}")[:-4], 431),
        (get("/", f"X: {'x' * 20_000}"), 431),
        (get("/", f"X: {'x' * 3_000_000}"), 431),
        (get("/" + "x" * 20_000), 431),
        (get("/", "Content-Length: 5000000") + bytes(5_000_000), 413),
        (get("/", "Content-Length: 5000000", method="POST") + bytes(5_000_000), 405),
        (get("/", "Content-Length: 5000000", method="POST") + bytes(20_000), 405),
        (last("/", f"X: {'x' * 10_000}"), 200),
        (last("/", "Content-Length: 15000") + bytes(15_000), 200),
        (get("/", "Content-Length: 9", method="POST") + bytes(9), 405),
    ],
    ids=lambda value: value if isinstance(value, int) else f"{len(value)}-bytes",
)
def test_large_request_is_refused_with_a_readable_status(request_: bytes, status: int) -> None:
    """However much is on its way; a header is not blamed for the body that follows it."""
    assert only(exchange(request_)).status == status


def test_refused_request_is_in_the_log_of_its_round() -> None:

    async def talk(server: InProcessServer) -> None:
        server.state.trials.open(Opening("t", LOCAL, 0))
        await server.send(get("/-/t.0/flags/br/br.gif", f"X: {'x' * 20_000}"))
        (record,) = server.state.close_trial("t")[0].log
        assert record.status == 431

    assert run_server(LOCAL, talk) == []


@pytest.mark.parametrize("limits", [ConnectionLimits(linger_s=0.05), ConnectionLimits(linger_bytes=100_000)])
def test_refused_client_is_reset_if_it_keeps_sending(limits: ConnectionLimits) -> None:
    async def send_on(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(10_000))
            await writer.drain()
            await asyncio.sleep(0.001)

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (_, writer):
            writer.write(get("/", f"X: {'x' * 20_000}"))
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(send_on(writer), 1)

    run_server(LOCAL, talk, limits=limits)


def test_responses_are_never_early_and_their_times_are_logged() -> None:

    async def talk(server: InProcessServer) -> None:
        start_s = perf_counter()
        await asyncio.gather(*(server.send(last(f"/flags/{cc}/{cc}.gif")) for cc in ("br", "zz", "fr")))
        assert perf_counter() - start_s >= 0.05

    log = run_server(SLOW, talk)
    assert {each.country: each.status for each in log} == {"BR": 200, "ZZ": 404, "FR": 200}
    for each in log:
        assert each.delay_s == 0.05
        assert each.arrival_s + each.delay_s <= each.start_s <= each.end_s
    assert len({each.connection for each in log}) == 3


def test_planned_errors_replace_flags_only() -> None:
    profile = Profile("p", faults=(Fault("status", 0.5, 418),))
    expected = [status_of(plan_delay(profile, 1, 0, "BR", attempt)) for attempt in range(20)]
    asked = [get("/flags/br/br.gif")] * 20
    *answers, unknown = replies(exchange(*asked, last("/flags/zz/zz.gif"), profile=profile))
    assert [reply.status for reply in answers] == expected
    assert {200, 418} == set(expected)
    assert unknown.status == 404


def test_status_without_a_name_can_be_served() -> None:
    reply = only(exchange(last("/flags/br/br.gif"), profile=Profile("p", faults=(Fault("status", 1, 599),))))
    assert (reply.status, reply.body) == (599, b"599 Error\n")


def test_body_never_exceeds_its_bandwidth() -> None:
    bandwidth = len(BR) / 0.1
    profile = Profile("thin", Fixed(0.01), bandwidth=bandwidth)

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(last("/flags/br/br.gif"))
            await reader.readuntil(b"\r\n\r\n")
            received = b""
            while part := await reader.read(65_536):
                received += part
                arrived.append((perf_counter(), len(received)))
            assert received == BR

    arrived: list[tuple[float, int]] = []
    (record,) = run_server(profile, talk)
    assert len(arrived) >= 4
    assert all(at_s >= record.start_s + size / bandwidth for at_s, size in arrived)
    assert record.end_s - record.start_s == pytest.approx(0.1, abs=0.03)


def test_slices_hold_the_whole_response_and_wait_for_their_bytes() -> None:
    """A thousand bytes at 20 kB/s leave in slices of 20 ms."""
    body = bytes(range(250)) * 4
    slices = list(cut_body(body, 20_000))
    assert b"".join(each.data for each in slices) == body
    assert [each.after_s for each in slices] == pytest.approx([0.02, 0.04, 0.05])


@pytest.mark.parametrize("bandwidth", [None, 1.0, 2e4, 1e7, 1e9, 1e15])
def test_slices_of_a_large_body_are_small_and_copy_nothing(bandwidth: float | None) -> None:
    """Cutting 12 MiB at once takes milliseconds, in which every other response is late."""
    body = bytes(12 << 20)
    for each in islice(cut_body(body, bandwidth), 1000):
        assert isinstance(each.data, memoryview)
        assert each.data.obj is body
        assert 0 < len(each.data) <= 64 << 10


def test_head_of_a_large_response_is_separate_from_its_body() -> None:
    large, small = (build_response(200, "image/gif", bytes(size)) for size in (12 << 20, 12 << 10))
    assert large.kept == large.head("kept")
    assert len(large.closing) < 500
    assert small.kept == small.head("kept") + small.body


@pytest.mark.parametrize("bandwidth", [None, 1 << 27, 1 << 34])
@pytest.mark.parametrize("fault", ["", "surplus_bytes", "wrong_content"])
def test_small_response_is_on_time_while_large_ones_are_sent(bandwidth: float | None, fault: str) -> None:
    """No single piece of work for a large body keeps the server from other connections."""
    flags = {"BR": bytes(12 << 20), "US": b"GIF89a"}
    profile = Profile("p", bandwidth=bandwidth, faults=(Fault(fault, 1.0),) if fault else ())
    received = []

    async def fetch(server: InProcessServer) -> None:
        received.append(await server.send(last("/flags/br/br.gif")))

    async def talk(server: InProcessServer) -> None:
        large = [asyncio.create_task(fetch(server)) for _ in range(3)]
        while not all(task.done() for task in large):
            await server.send(last("/flags/us/us.gif"))

    log = run_server(profile, talk, flags)
    assert [len(each) >> 20 for each in received] == [12] * 3
    others = [record for record in log if record.country == "US"]
    first_end_s = min(record.end_s for record in log if record.country == "BR")
    begun = [record for record in others if record.end_s < first_end_s]
    assert len(begun) >= 5
    assert median(record.start_s - record.arrival_s for record in others) < 0.002


@pytest.mark.parametrize(
    ("fault", "share"),
    [
        ("slicer", 1.0),
        ("slow_close", 1.0),
        ("reset_mid_body", 0.5),
        ("short_body", 0.5),
    ],
)
def test_faults_of_a_large_body_send_the_same_bytes_as_of_a_small_one(fault: str, share: float) -> None:
    large = random.Random(1).randbytes(1 << 20)

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(last("/flags/br/br.gif"))
            await reader.readuntil(b"\r\n\r\n")
            body = b""
            with suppress(ConnectionResetError):
                while part := await reader.read(1 << 16):
                    body += part
            assert body == large[: int(len(large) * share)]

    (record,) = run_server(Profile("p", faults=(Fault(fault, 1.0),)), talk, {"BR": large})
    assert record.fault == fault


def test_refused_client_is_not_read_until_its_refusal_is_sent() -> None:
    """While earlier responses wait, the rest stays in the kernel, which has a limit."""

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (_, writer):
            writer.write(get("/flags/br/br.gif") + b"hello\r\n\r\n")
            await asyncio.sleep(0.01)
            writer.write(bytes(30_000_000))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(writer.drain(), 0.3)
            writer.transport.abort()

    run_server(Profile("p", Fixed(60.0)), talk)


def test_client_that_closes_its_side_is_answered() -> None:
    """``nc -N`` sends, closes its side, and waits."""

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(get("/flags/br/br.gif") * 2)
            writer.write_eof()
            received.append(await reader.read())

    received: list[bytes] = []
    log = run_server(SLOW, talk)
    assert [reply.body for reply in replies(received[0])] == [BR, BR]
    assert [each.status for each in log] == [200, 200]


def test_client_that_closes_within_a_request_is_disconnected() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(get("/flags/br/br.gif")[:20])
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 1) == b""

    assert run_server(SLOW, talk) == []


def test_client_that_has_left_is_logged_as_of_its_close() -> None:
    """It looks like one that closed its side only until it is written to."""

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (_, writer):
            writer.write(get("/flags/br/br.gif") * 2)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.08)

    log = run_server(SLOW, talk)
    assert [each.status for each in log] == [UNANSWERED, UNANSWERED]
    assert all(each.arrival_s <= each.start_s <= each.end_s < each.arrival_s + 0.05 for each in log)


def test_response_to_a_reset_connection_is_unanswered() -> None:
    """Both wait when the server comes back: the response is due, and its client has left."""

    async def talk(server: InProcessServer) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(get("/flags/br/br.gif") * 2)
            await asyncio.sleep(0.02)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.05)  # noqa: ASYNC251  the server is in this loop, and is to be late
        await asyncio.sleep(0.02)

    assert [each.status for each in run_server(SLOW, talk)] == [UNANSWERED] * 2


def test_closing_a_trial_logs_every_waiting_request_once() -> None:
    """Also those of a reset client from which nothing more was read."""

    async def talk(server: InProcessServer) -> None:
        server.state.trials.open(Opening("t", Profile("p", Fixed(0.05)), 0))
        async with server.connection() as (_, writer):
            writer.write(get("/-/t.0/flags/br/br.gif") * 100)
            await asyncio.sleep(0.02)
            reset(writer)
        await asyncio.sleep(0.01)
        log = server.state.close_trial("t")[0].log
        assert [each.status for each in log] == [UNANSWERED] * 100
        await asyncio.sleep(0.08)
        assert len(log) == 100

    run_server(LOCAL, talk)


def test_closing_a_trial_keeps_connections_that_wait_for_other_rounds() -> None:

    async def talk(server: InProcessServer) -> None:
        server.state.trials.open(Opening("t", SLOW, 0))
        async with server.connection() as (reader, writer):
            writer.write(last("/flags/br/br.gif"))
            await asyncio.sleep(0.01)
            server.state.close_trial("t")
            assert only(await reader.read()).body == BR

    run_server(SLOW, talk)


def test_every_pipelined_request_is_logged_in_order() -> None:

    async def talk(server: InProcessServer) -> None:
        server.state.trials.open(Opening("t", LOCAL, 0))
        await server.send(get("/-/t.0/flags/va/va.gif") * 999, last("/-/t.0/flags/va/va.gif"))
        records = list(server.state.close_trial("t")[0].log)
        assert [each.attempt for each in records] == list(range(1_000))
        assert {(each.connection, each.status) for each in records} == {(1, 200)}

    run_server(LOCAL, talk)


def test_accepted_connections_have_tcp_nodelay() -> None:
    """Without it a sequential client waits 40 ms for each response."""

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(get("/", method="HEAD"))
            await reader.readuntil(b"\r\n\r\n")
            (served,) = (each for each in gc.get_objects() if type(each) is protocol.FlagProtocol)
            accepted = served._transport.get_extra_info("socket")  # noqa: SLF001  not observable from outside
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    run_server(LOCAL, talk)


def test_client_that_leaves_is_logged_and_its_objects_are_freed() -> None:
    left: list[weakref.ref[protocol.FlagProtocol]] = []

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (_, writer):
            writer.write(get("/flags/br/br.gif") * 3)
            await asyncio.sleep(0.02)
            left.extend(weakref.ref(each) for each in gc.get_objects() if type(each) is protocol.FlagProtocol)
            assert [ref() is not None for ref in left] == [True]
            reset(writer)
        await asyncio.sleep(0.02)
        assert [ref() for ref in left] == [None]

    gc.disable()
    try:
        log = run_server(Profile("p", Fixed(5)), talk)
    finally:
        gc.enable()
    assert [each.status for each in log] == [UNANSWERED] * 3


def test_response_ends_when_the_kernel_has_all_of_it() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(last("/flags/br/br.gif"))
            await asyncio.sleep(0.1)
            assert server.log == []
            await reader.read()

    (record,) = run_server(LOCAL, talk, {"BR": bytes(20_000_000)})
    assert record.status == 200
    assert record.end_s - record.start_s >= 0.09


def test_server_closes_idle_connections_at_its_end() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(get("/", method="HEAD"))
            await reader.readuntil(b"\r\n\r\n")
            server.state.abort_connections()
            assert await asyncio.wait_for(reader.read(), 1) == b""

    run_server(LOCAL, talk)
