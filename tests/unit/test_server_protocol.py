"""HTTP as the server speaks it, over real sockets."""

import asyncio
import gc
import json
import socket
import struct
import time
import weakref
from collections.abc import Iterator
from time import perf_counter
from typing import NamedTuple

import pytest

from bench.model.cases import Fault, Fixed, Profile
from bench.model.flags import all_flags
from bench.model.planned_delays import plan_delay
from bench.server import lingering_close
from bench.server.http1 import protocol
from bench.server.http1.response_writer import paced
from bench.server.open_trials import Opening
from bench.server.request_log import UNANSWERED
from bench.server.responses import build_responses
from tests.builders import status_of
from tests.house import House, get, last, visit

LOCAL = Profile("local")
SLOW = Profile("slow", Fixed(0.05))
BR = all_flags()["BR"]


class Reply(NamedTuple):
    """One answer as a client reads it."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(*requests: bytes, profile: Profile = LOCAL) -> bytes:
    """Return all a server answers to requests sent in one piece, the last of which closes."""
    received = b""

    async def talk(house: House) -> None:
        nonlocal received
        received = await house.ask(*requests)

    visit(profile, talk)
    return received


def replies(received: bytes, *, bodies: bool = True) -> Iterator[Reply]:
    """Take apart what was received; answers to HEAD have no bodies."""
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        size = int(headers["Content-Length"]) if bodies else 0
        yield Reply(int(status.split()[1]), headers, received[:size])
        received = received[size:]


def reset(writer: asyncio.StreamWriter) -> None:
    """Have the connection end with a reset when it is closed."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def only(received: bytes) -> Reply:
    """Return the one answer received."""
    (reply,) = replies(received)
    return reply


def test_a_flag_is_served_as_a_gif() -> None:
    """The chapter's address leads to the flag's bytes."""
    reply = only(exchange(last("/flags/br/br.gif")))
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "image/gif", BR)


def test_metadata_names_the_country() -> None:
    """The chapter's third script asks for it; names keep their accents."""
    reply = only(exchange(last("/flags/ci/metadata.json")))
    assert reply.headers["Content-Type"] == "application/json"
    assert json.loads(reply.body) == {"country": "Côte d'Ivoire", "iso_cc": "CI"}


def test_the_index_links_every_flag_and_forbids_scripts() -> None:
    """A browser finds its way, and names are escaped."""
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
def test_what_does_not_exist_is_not_found(path: str) -> None:
    """Unknown codes, wrong cases, foreign paths and trials that are not open."""
    assert only(exchange(last(path))).status == 404


@pytest.mark.parametrize(
    "target", ["/flags/br/br.gif?size=1", "http://localhost:80/flags/br/br.gif", "HTTP://x/flags/br/br.gif?"]
)
def test_whole_urls_and_queries_lead_to_the_same_flag(target: str) -> None:
    """A proxy's form of a target is valid HTTP."""
    assert only(exchange(last(target))).body == BR


@pytest.mark.parametrize("target", ["/", "/?y", "http://x", "http://x/", "http://x?y"])
def test_a_url_without_a_path_leads_to_the_index(target: str) -> None:
    """An empty path is the root (RFC 9112, 3.2.2)."""
    reply = only(exchange(last(target)))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_head_gets_the_headers_alone() -> None:
    """The length is that of the flag, the body is not sent."""
    (reply,) = replies(exchange(last("/flags/br/br.gif", method="HEAD")), bodies=False)
    assert (reply.status, int(reply.headers["Content-Length"])) == (200, len(BR))


def test_a_connection_serves_many_requests() -> None:
    """Keep-alive is the rule, and the log sees one connection."""

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            for country in ("br", "zz", "br"):
                writer.write(get(f"/flags/{country}/{country}.gif"))
                head = await reader.readuntil(b"\r\n\r\n")
                assert b"Connection: keep-alive" in head
                size = int(head.split(b"Content-Length: ")[1].split()[0])
                await reader.readexactly(size)

    log = visit(LOCAL, talk)
    assert [(each.connection, each.status, each.attempt) for each in log] == [
        (1, 200, 0),
        (1, 404, 0),
        (1, 200, 1),
    ]


def test_pipelined_requests_are_answered_in_order_whatever_their_delays() -> None:
    """A quick answer waits for the slow one before it."""
    profile = Profile("fair", Fixed(0.02), jitter_s=0.02)
    codes = ["br", "fr", "it", "de", "cn", "in"]
    asked = [get(f"/flags/{code}/{code}.gif") for code in codes]
    answered = replies(exchange(*asked, last("/"), profile=profile))
    assert [reply.body for reply in answered][:-1] == [all_flags()[code.upper()] for code in codes]


def test_many_pipelined_requests_are_all_answered() -> None:
    """Reading pauses while too many wait, and goes on."""
    asked = [get("/flags/va/va.gif", method="HEAD")] * 1_000
    received = exchange(*asked, last("/flags/va/va.gif", method="HEAD"), profile=Profile("p", Fixed(0.001)))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 1_001


@pytest.mark.parametrize("cut", [1, 5, 12, 30])
def test_a_request_may_arrive_in_pieces(cut: int) -> None:
    """Networks cut where they like, in the middle of an address too."""
    request = last("/flags/br/br.gif")

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            for at in range(0, len(request), cut):
                writer.write(request[at : at + cut])
                await asyncio.sleep(0.0005)
            assert only(await reader.read()).body == BR

    visit(LOCAL, talk)


@pytest.mark.parametrize(
    ("request_line", "kept"),
    [
        ("GET / HTTP/1.0\r\n\r\n", "close"),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n", "keep-alive"),
    ],
)
def test_http_1_0_is_closed_unless_it_asks_otherwise(request_line: str, kept: str) -> None:
    """Old clients read until the end of the connection."""
    first = next(replies(exchange(request_line.encode())))
    assert first.headers["Connection"] == kept


def test_an_offer_of_another_protocol_is_declined() -> None:
    """Curl --http2 offers h2c with its first request and is content with HTTP/1.1."""
    offer = get(
        "/flags/br/br.gif", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"
    )
    first, second = replies(exchange(offer, last("/flags/br/br.gif")))
    assert first.body == second.body == BR


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"])
def test_other_methods_are_not_allowed(method: str) -> None:
    """The answer says which are, and ends the connection."""
    path = "localhost:80" if method == "CONNECT" else "/flags/br/br.gif"
    reply = only(exchange(get(path, method=method)))
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "garbage", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"]
)
def test_garbage_is_a_bad_request(garbage: bytes) -> None:
    """TLS hellos included."""
    assert only(exchange(garbage)).status == 400


def test_garbage_is_refused_after_what_came_before_is_answered() -> None:
    """Order holds for refusals too."""
    answers = replies(exchange(get("/flags/br/br.gif"), b"hello\r\n\r\n", profile=SLOW))
    assert [reply.status for reply in answers] == [200, 400]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [("GET / HTTP/2.0", 505), ("GET / HTTP/0.9", 505), ("GET /", 505), ("GET / HTTP/3.1", 400)],
)
def test_other_versions_are_refused(request_line: str, status: int) -> None:
    """Whoever speaks them would not understand the answer."""
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
def test_large_requests_are_refused_and_the_client_can_read_why(request_: bytes, status: int) -> None:
    """However much is on its way; a header is not blamed for the body that follows it."""
    assert only(exchange(request_)).status == status


def test_a_large_request_is_seen_by_the_witness_of_its_round() -> None:
    """It was asked, whatever the answer."""

    async def talk(house: House) -> None:
        house.site.trials.open(Opening("t", LOCAL, 0))
        await house.ask(get("/-/t.0/flags/br/br.gif", f"X: {'x' * 20_000}"))
        (record,) = house.site.close_trial("t")[0].log
        assert record.status == 431

    assert visit(LOCAL, talk) == []


@pytest.mark.parametrize(("limit", "value"), [("_PATIENCE_S", 0.05), ("_MOST_BYTES", 100_000)])
def test_a_refused_client_cannot_send_for_ever(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    """The server listens on for a while only, and then the connection is reset."""
    monkeypatch.setattr(lingering_close, limit, value)

    async def send_on(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(10_000))
            await writer.drain()
            await asyncio.sleep(0.001)

    async def talk(house: House) -> None:
        async with house.connection() as (_, writer):
            writer.write(get("/", f"X: {'x' * 20_000}"))
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(send_on(writer), 1)

    visit(LOCAL, talk)


def test_answers_are_never_early_and_the_log_says_when_they_were_sent() -> None:
    """Arrival, planned delay, start and end fit together; a 404 waits like a flag."""

    async def talk(house: House) -> None:
        start_s = perf_counter()
        await asyncio.gather(*(house.ask(last(f"/flags/{cc}/{cc}.gif")) for cc in ("br", "zz", "fr")))
        assert perf_counter() - start_s >= 0.05

    log = visit(SLOW, talk)
    assert {each.country: each.status for each in log} == {"BR": 200, "ZZ": 404, "FR": 200}
    for each in log:
        assert each.delay_s == 0.05
        assert each.arrival_s + each.delay_s <= each.start_s <= each.end_s
    assert len({each.connection for each in log}) == 3


def test_the_errors_that_are_forecast_come_and_take_the_place_of_flags_only() -> None:
    """What has no flag stays not found."""
    profile = Profile("p", faults=(Fault("status", 0.5, 418),))
    expected = [status_of(plan_delay(profile, 1, 0, "BR", attempt)) for attempt in range(20)]
    asked = [get("/flags/br/br.gif")] * 20
    *answers, unknown = replies(exchange(*asked, last("/flags/zz/zz.gif"), profile=profile))
    assert [reply.status for reply in answers] == expected
    assert {200, 418} == set(expected)
    assert unknown.status == 404


def test_a_status_without_a_name_can_be_served() -> None:
    """Profiles may ask for statuses that no RFC knows."""
    reply = only(exchange(last("/flags/br/br.gif"), profile=Profile("p", faults=(Fault("status", 1, 599),))))
    assert (reply.status, reply.body) == (599, b"599 Error\n")


def test_a_body_never_runs_ahead_of_its_bandwidth() -> None:
    """Each byte received by a client could have been sent by then."""
    bandwidth = len(BR) / 0.1
    profile = Profile("thin", Fixed(0.01), bandwidth=bandwidth)

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(last("/flags/br/br.gif"))
            await reader.readuntil(b"\r\n\r\n")
            received = b""
            while part := await reader.read(65_536):
                received += part
                arrived.append((perf_counter(), len(received)))
            assert received == BR

    arrived: list[tuple[float, int]] = []
    (record,) = visit(profile, talk)
    assert len(arrived) >= 4
    assert all(at_s >= record.start_s + size / bandwidth for at_s, size in arrived)
    assert record.end_s - record.start_s == pytest.approx(0.1, abs=0.03)


def test_slices_hold_the_whole_answer_and_only_wait_for_their_own_bytes() -> None:
    """A thousand bytes at 20 kB/s leave in slices of 20 ms."""
    answer = build_responses(200, "text/plain", bytes(range(250)) * 4)
    head, *slices = paced(answer, 20_000, closing=False)
    assert head.data == answer.kept_head
    assert b"".join(each.data for each in slices) == answer.body
    assert [each.after_s for each in slices] == pytest.approx([0.02, 0.04, 0.05])


def test_nothing_more_is_read_of_a_refused_client_until_it_is_told() -> None:
    """While earlier answers wait, the rest stays in the kernel, which has a limit."""

    async def talk(house: House) -> None:
        async with house.connection() as (_, writer):
            writer.write(get("/flags/br/br.gif") + b"hello\r\n\r\n")
            await asyncio.sleep(0.01)
            writer.write(bytes(30_000_000))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(writer.drain(), 0.3)
            writer.transport.abort()

    visit(Profile("p", Fixed(0.5)), talk)


def test_a_client_that_closes_its_own_side_is_answered() -> None:
    """``nc -N`` asks, says that this is all, and waits."""

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(get("/flags/br/br.gif") * 2)
            writer.write_eof()
            received.append(await reader.read())

    received: list[bytes] = []
    log = visit(SLOW, talk)
    assert [reply.body for reply in replies(received[0])] == [BR, BR]
    assert [each.status for each in log] == [200, 200]


def test_a_client_that_closes_without_a_request_is_let_go() -> None:
    """Half a request is none."""

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(get("/flags/br/br.gif")[:20])
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 1) == b""

    assert visit(SLOW, talk) == []


def test_a_client_that_turns_out_to_be_gone_left_when_it_closed() -> None:
    """It looks like one that closed its own side until it is written to."""

    async def talk(house: House) -> None:
        async with house.connection() as (_, writer):
            writer.write(get("/flags/br/br.gif") * 2)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.08)

    log = visit(SLOW, talk)
    assert [each.status for each in log] == [UNANSWERED, UNANSWERED]
    assert all(each.arrival_s <= each.start_s <= each.end_s < each.arrival_s + 0.05 for each in log)


def test_an_answer_that_meets_a_reset_is_not_one_that_was_sent() -> None:
    """Both are there when the server comes to look: the answer is due, and its client is gone."""

    async def talk(house: House) -> None:
        with socket.create_connection(("127.0.0.1", house.port)) as connection:
            connection.sendall(get("/flags/br/br.gif") * 2)
            await asyncio.sleep(0.02)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.05)  # noqa: ASYNC251  the server is in this loop, and is to be late
        await asyncio.sleep(0.02)

    assert [each.status for each in visit(SLOW, talk)] == [UNANSWERED] * 2


def test_a_trial_that_closes_accounts_for_every_request_once() -> None:
    """Those of a client that was reset while nothing more was read from it, too."""

    async def talk(house: House) -> None:
        house.site.trials.open(Opening("t", Profile("p", Fixed(0.05)), 0))
        async with house.connection() as (_, writer):
            writer.write(get("/-/t.0/flags/br/br.gif") * 100)
            await asyncio.sleep(0.02)
            reset(writer)
        await asyncio.sleep(0.01)
        log = house.site.close_trial("t")[0].log
        assert [each.status for each in log] == [UNANSWERED] * 100
        await asyncio.sleep(0.08)
        assert len(log) == 100

    visit(LOCAL, talk)


def test_a_trial_that_closes_leaves_other_connections_alone() -> None:
    """Who waits for something else goes on waiting."""

    async def talk(house: House) -> None:
        house.site.trials.open(Opening("t", SLOW, 0))
        async with house.connection() as (reader, writer):
            writer.write(last("/flags/br/br.gif"))
            await asyncio.sleep(0.01)
            house.site.close_trial("t")
            assert only(await reader.read()).body == BR

    visit(SLOW, talk)


def test_every_pipelined_request_is_in_the_log() -> None:
    """A thousand at once, over one connection, in the order of their arrival."""

    async def talk(house: House) -> None:
        house.site.trials.open(Opening("t", LOCAL, 0))
        await house.ask(get("/-/t.0/flags/va/va.gif") * 999, last("/-/t.0/flags/va/va.gif"))
        records = list(house.site.close_trial("t")[0].log)
        assert [each.attempt for each in records] == list(range(1_000))
        assert {(each.connection, each.status) for each in records} == {(1, 200)}

    visit(LOCAL, talk)


def test_small_answers_are_not_held_back_by_the_kernel() -> None:
    """TCP_NODELAY is set on what the server accepts; without it a sequential client waits 40 ms a request."""

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(get("/", method="HEAD"))
            await reader.readuntil(b"\r\n\r\n")
            (served,) = (each for each in gc.get_objects() if type(each) is protocol.FlagProtocol)
            accepted = served._transport.get_extra_info("socket")  # noqa: SLF001  no client can see it
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    visit(LOCAL, talk)


def test_a_client_that_leaves_is_logged_and_leaves_nothing_behind() -> None:
    """No timer fires for it, and no object waits for the garbage collector."""
    left: list[weakref.ref[protocol.FlagProtocol]] = []

    async def talk(house: House) -> None:
        async with house.connection() as (_, writer):
            writer.write(get("/flags/br/br.gif") * 3)
            await asyncio.sleep(0.02)
            left.extend(weakref.ref(each) for each in gc.get_objects() if type(each) is protocol.FlagProtocol)
            assert [ref() is not None for ref in left] == [True]
            reset(writer)
        await asyncio.sleep(0.02)
        assert [ref() for ref in left] == [None]

    gc.disable()
    try:
        log = visit(Profile("p", Fixed(5)), talk)
    finally:
        gc.enable()
    assert [each.status for each in log] == [UNANSWERED] * 3


def test_the_end_of_an_answer_is_when_the_kernel_has_all_of_it() -> None:
    """A client that does not read makes an answer last."""

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(last("/flags/br/br.gif"))
            await asyncio.sleep(0.1)
            assert house.log == []
            await reader.read()

    (record,) = visit(LOCAL, talk, {"BR": bytes(20_000_000)})
    assert record.status == 200
    assert record.end_s - record.start_s >= 0.09


def test_the_server_ends_its_connections_with_itself() -> None:
    """Idle clients do not keep it alive."""

    async def talk(house: House) -> None:
        async with house.connection() as (reader, writer):
            writer.write(get("/", method="HEAD"))
            await reader.readuntil(b"\r\n\r\n")
            house.site.clear()
            assert await asyncio.wait_for(reader.read(), 1) == b""

    visit(LOCAL, talk)
