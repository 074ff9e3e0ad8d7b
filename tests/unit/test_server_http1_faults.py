"""Test the faults over HTTP/1.1: the bytes on the wire, the close, and the log."""

import asyncio
import socket
import struct
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urljoin

import pytest

from bench.model.cases import Fault, Fixed, Profile
from bench.model.faults import KINDS
from bench.model.flags import all_flags
from bench.model.planned_delays import plan_delay
from bench.model.served_trials import Opening
from bench.server.fault_responses import DEFAULT_PACING, UNPACKED_BYTES, FaultPacing, gzip_bomb
from bench.server.request_log import UNANSWERED, Record
from bench.server.responses import write_head
from tests.in_process_server import InProcessServer, get, last, run_server

End: TypeAlias = Literal["open", "FIN", "RST"]

FLAG: Final = b"GIF89a, or something as small"
HALF: Final = FLAG[:14]
FLAGS: Final = {"BR": FLAG}
BR: Final = "/flags/br/br.gif"
TIME_OUT_S: Final = 0.05
FAST: Final = FaultPacing(byte_s=0.0)
"""Sends at once the bytes that come one at a time."""
BRISK: Final = FaultPacing(byte_s=0.005)
"""Soon sends the byte that is refused by a client that has left, and the next one, which fails."""


def head(connection: str, *headers: str, status: str = "200 OK", kind: str = "image/gif") -> bytes:
    """Write the head of a response; without other headers it has the length of the flag."""
    lengths = headers or (f"Content-Length: {len(FLAG)}",)
    lines = [f"HTTP/1.1 {status}", "Server: flagbench", f"Content-Type: {kind}", *lengths]
    return "\r\n".join([*lines, f"Connection: {connection}", "", ""]).encode()


def status_only(connection: str, status: str, *headers: str) -> bytes:
    """Write a response whose body repeats its status."""
    body = f"{status}\n"
    lengths = (f"Content-Length: {len(body)}", *headers)
    kind = "text/plain; charset=utf-8"
    return head(connection, *lengths, status=status, kind=kind) + body.encode()


def with_fault(kind: str, rate: float = 1.0, delay_s: float = 0.0) -> Profile:
    """Build a profile with one fault."""
    return Profile("p", Fixed(delay_s), faults=(Fault(kind, rate),))


class Wire(NamedTuple):
    """A connection as the client saw it: the bytes, and its end."""

    received: bytes
    end: End


async def dial(server: InProcessServer, *requests: bytes) -> socket.socket:
    """Connect and send requests in one piece; the caller closes the connection."""
    connection = socket.socket()
    connection.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", server.port))
    await loop.sock_sendall(connection, b"".join(requests))
    return connection


async def read_to_end(connection: socket.socket, time_out_s: float = TIME_OUT_S) -> Wire:
    """Read until the connection ends, or no byte has come for a while."""
    received = b""
    loop = asyncio.get_running_loop()
    while True:
        try:
            part = await asyncio.wait_for(loop.sock_recv(connection, 65_536), time_out_s)
        except TimeoutError:
            return Wire(received, "open")
        except ConnectionResetError:
            return Wire(received, "RST")
        if not part:
            return Wire(received, "FIN")
        received += part


def observe(
    profile: Profile, *requests: bytes, time_out_s: float = TIME_OUT_S, pacing: FaultPacing = DEFAULT_PACING
) -> tuple[Wire, list[Record]]:
    """Send requests in one piece; return the connection as the client saw it, and the log after it left."""
    wires = []

    async def talk(server: InProcessServer) -> None:
        connection = await dial(server, *requests)
        with connection:
            wires.append(await read_to_end(connection, time_out_s))
        await asyncio.sleep(0.01)

    log = run_server(profile, talk, FLAGS, pacing=pacing)
    return wires[0], log


REPLACEMENTS: Final[Mapping[str, tuple[int, bytes, bytes]]] = {
    "not_found": (404, status_only("keep-alive", "404 Not Found"), status_only("close", "404 Not Found")),
    "server_error": (
        500,
        status_only("keep-alive", "500 Internal Server Error"),
        status_only("close", "500 Internal Server Error"),
    ),
    "unavailable": (
        503,
        status_only("keep-alive", "503 Service Unavailable", "Retry-After: 1"),
        status_only("close", "503 Service Unavailable", "Retry-After: 1"),
    ),
    "rate_limited": (
        429,
        status_only("keep-alive", "429 Too Many Requests", "Retry-After: 1"),
        status_only("close", "429 Too Many Requests", "Retry-After: 1"),
    ),
    "no_content": (
        204,
        b"HTTP/1.1 204 No Content\r\nServer: flagbench\r\nConnection: keep-alive\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nServer: flagbench\r\nConnection: close\r\n\r\n",
    ),
    "empty_body": (200, head("keep-alive", "Content-Length: 0"), head("close", "Content-Length: 0")),
    "wrong_content": (
        200,
        head("keep-alive") + bytes(255 - byte for byte in FLAG),
        head("close") + bytes(255 - byte for byte in FLAG),
    ),
    "redirect_loop": (
        302,
        status_only("keep-alive", "302 Found", "Location: br.gif"),
        status_only("close", "302 Found", "Location: br.gif"),
    ),
    "redirect_off_host": (
        302,
        status_only("keep-alive", "302 Found", "Location: http://192.0.2.1/br.gif"),
        status_only("close", "302 Found", "Location: http://192.0.2.1/br.gif"),
    ),
    "gzip_bomb": (
        200,
        head("keep-alive", f"Content-Length: {len(gzip_bomb())}", "Content-Encoding: gzip") + gzip_bomb(),
        head("close", f"Content-Length: {len(gzip_bomb())}", "Content-Encoding: gzip") + gzip_bomb(),
    ),
    "slicer": (200, head("keep-alive") + FLAG, head("close") + FLAG),
}
"""Faults that keep the connection open: the status, and the response if it is kept or closed."""

CLOSING: Final = head("close")
DUPLICATE: Final = head("close", f"Content-Length: {len(FLAG)}", f"Content-Length: {len(FLAG) + 1}")
HUGE: Final = head("close", "X-Huge: " + "." * 262_144, f"Content-Length: {len(FLAG)}")
CHUNKED: Final = head("close", "Transfer-Encoding: chunked")

CLOSES: Final[Mapping[str, tuple[int, bytes, End]]] = {
    "slow_close": (200, CLOSING + FLAG, "FIN"),
    "reset_before_headers": (UNANSWERED, b"", "RST"),
    "reset_mid_body": (UNANSWERED, CLOSING + HALF, "RST"),
    "close_before_headers": (UNANSWERED, b"", "FIN"),
    "short_body": (UNANSWERED, CLOSING + HALF, "FIN"),
    "cut_chunk": (UNANSWERED, CHUNKED + b"1d\r\n" + HALF, "FIN"),
    "stall": (UNANSWERED, CLOSING + HALF, "open"),
    "drip": (UNANSWERED, CLOSING + FLAG[:-1], "open"),
    "slow_headers": (UNANSWERED, CLOSING[:-2] + b"X-Slow: " + b"." * 8_000, "open"),
    "garbage_status_line": (
        UNANSWERED,
        b"This is no status line\r\n" + CLOSING.partition(b"\r\n")[2] + FLAG,
        "FIN",
    ),
    "bad_length": (200, head("close", "Content-Length: -1") + FLAG, "FIN"),
    "duplicate_length": (200, DUPLICATE + FLAG, "FIN"),
    "huge_header": (200, HUGE + FLAG, "FIN"),
    "surplus_bytes": (200, CLOSING + FLAG + b"and this is more than was promised\r\n", "FIN"),
}
"""Faults that close any connection: the status, the bytes and the end."""

TESTED_ELSEWHERE: Final = {"status", "oversized", "refused", "goaway"} | {
    kind for kind in KINDS if kind.startswith("tls_")
}
"""Kinds with their own tests, of the listener, or unknown to HTTP/1.1."""

ENDLESS: Final = ["stall", "drip", "slow_headers"]
"""Kinds whose response never ends."""

NEED_BODY: Final = [
    "reset_mid_body",
    "short_body",
    "cut_chunk",
    "stall",
    "drip",
    "surplus_bytes",
    "oversized",
]


def test_every_kind_of_fault_is_tested_here() -> None:
    assert TESTED_ELSEWHERE | REPLACEMENTS.keys() | CLOSES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", REPLACEMENTS)
def test_fault_of_the_response_keeps_the_connection_open(kind: str) -> None:
    status, kept, closing = REPLACEMENTS[kind]
    wire, log = observe(with_fault(kind), get(BR), last(BR), time_out_s=1.0)
    assert wire == (kept + closing, "FIN")
    assert [(each.status, each.fault, each.attempt) for each in log] == [(status, kind, 0), (status, kind, 1)]


@pytest.mark.parametrize("kind", CLOSES)
@pytest.mark.parametrize("ask", [get, last])
def test_fault_of_the_transport_closes_the_connection_in_its_way(
    kind: str, ask: Callable[[str], bytes]
) -> None:
    """Byte for byte; requests pipelined after it are never answered."""
    status, received, ending = CLOSES[kind]
    wire, log = observe(
        with_fault(kind), ask(BR), get(BR), time_out_s=TIME_OUT_S if ending == "open" else 1.0, pacing=FAST
    )
    assert wire == (received, ending)
    assert [(each.status, each.fault, each.attempt) for each in log] == [(status, kind, 0)]
    assert all(each.arrival_s <= each.start_s <= each.end_s for each in log)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in CLOSES or kind in NEED_BODY])
def test_head_meets_only_faults_that_need_no_body(kind: str) -> None:
    time_out_s = TIME_OUT_S if kind in ENDLESS else 1.0
    wire, log = observe(with_fault(kind), last(BR, method="HEAD"), time_out_s=time_out_s, pacing=FAST)
    if kind in NEED_BODY:
        assert wire == (CLOSING, "FIN")
        assert [(each.status, each.fault) for each in log] == [(200, "")]
    else:
        status, received, ending = CLOSES[kind]
        assert wire == (received.removesuffix(FLAG), ending)
        assert [(each.status, each.fault) for each in log] == [(status, kind)]


@pytest.mark.parametrize("kind", REPLACEMENTS)
def test_head_gets_the_head_of_the_replacement(kind: str) -> None:
    status, kept, closing = REPLACEMENTS[kind]
    wire, log = observe(with_fault(kind), get(BR, method="HEAD"), last(BR, method="HEAD"), time_out_s=1.0)
    heads = [answer.partition(b"\r\n\r\n")[0] for answer in (kept, closing)]
    assert wire == (b"".join(each + b"\r\n\r\n" for each in heads), "FIN")
    assert [(each.status, each.fault) for each in log] == [(status, kind)] * 2


def test_slicer_sends_at_most_twenty_pieces_with_pauses() -> None:
    sizes: list[int] = []

    async def talk(server: InProcessServer) -> None:
        with await dial(server, last(BR)) as connection:
            while part := await asyncio.get_running_loop().sock_recv(connection, 65_536):
                sizes.append(len(part))

    (record,) = run_server(with_fault("slicer"), talk, FLAGS, pacing=FaultPacing(slice_s=0.005))
    assert sum(sizes) == len(CLOSING + FLAG)
    assert 3 <= len(sizes) <= 20
    assert record.end_s - record.start_s >= 0.005 * 18


def test_slow_close_delays_the_close_and_not_the_logged_end() -> None:
    waits = []

    async def talk(server: InProcessServer) -> None:
        loop = asyncio.get_running_loop()
        with await dial(server, get(BR)) as connection:
            assert (await loop.sock_recv(connection, 65_536)).endswith(FLAG)
            began_s = loop.time()
            assert await loop.sock_recv(connection, 1) == b""
            waits.append(loop.time() - began_s)

    (record,) = run_server(with_fault("slow_close"), talk, FLAGS)
    assert 0.08 <= waits[0] < 1.0
    assert record.end_s - record.start_s < 0.08


@pytest.mark.parametrize("kind", ["drip", "slow_headers"])
def test_dripping_bytes_come_one_at_a_time(kind: str) -> None:
    sizes: list[int] = []

    async def talk(server: InProcessServer) -> None:
        loop = asyncio.get_running_loop()
        with await dial(server, get(BR)) as connection:
            began_s = loop.time()
            while len(sizes) < 8:
                sizes.append(len(await loop.sock_recv(connection, 65_536)))
            assert loop.time() - began_s >= 0.06

    run_server(with_fault(kind), talk, FLAGS, pacing=FaultPacing(byte_s=0.01))
    assert sizes[1:].count(1) >= 3


@pytest.mark.parametrize("kind", ["reset_mid_body", "short_body"])
def test_first_half_of_a_large_body_arrives_before_the_close(kind: str) -> None:
    wires = []

    async def talk(server: InProcessServer) -> None:
        with await dial(server, get(BR)) as connection:
            await asyncio.sleep(0.1)
            wires.append(await read_to_end(connection, 2.0))

    (record,) = run_server(with_fault(kind), talk, {"BR": bytes(20_000_000)})
    assert len(wires[0].received.partition(b"\r\n\r\n")[2]) == 10_000_000
    assert wires[0].end == ("RST" if kind == "reset_mid_body" else "FIN")
    assert (record.status, record.fault) == (UNANSWERED, kind)


@pytest.mark.parametrize("kind", [kind for kind, ending in CLOSES.items() if ending[2] == "FIN"])
def test_client_that_keeps_sending_sees_end_of_stream_and_no_reset(kind: str) -> None:
    wires = []

    async def talk(server: InProcessServer) -> None:
        with await dial(server, get(BR)) as connection:
            await asyncio.sleep(0.02)
            for _ in range(2):
                await asyncio.get_running_loop().sock_sendall(connection, get(BR))
                await asyncio.sleep(0.01)
            wires.append(await read_to_end(connection, 1.0))

    log = run_server(with_fault(kind), talk, FLAGS)
    status, received, ending = CLOSES[kind]
    assert wires == [(received, ending)]
    assert [(each.status, each.fault) for each in log] == [(status, kind)]


@pytest.mark.parametrize("kind", [*ENDLESS, "oversized"])
def test_endless_response_lasts_until_its_client_leaves(kind: str) -> None:
    log = log_after_leaving(with_fault(kind), 0.1)
    assert [(each.status, each.fault) for each in log] == [(UNANSWERED, kind)]
    assert 0.05 < log[0].end_s - log[0].start_s < 2.0


@pytest.mark.parametrize("kind", sorted({*REPLACEMENTS, *CLOSES, "oversized"}))
def test_fault_is_logged_once_if_the_client_leaves_at_once(kind: str) -> None:
    log = log_after_leaving(with_fault(kind), 0.005)
    assert [each.fault for each in log] == [kind]


@pytest.mark.parametrize("kind", sorted({*REPLACEMENTS, *CLOSES, "oversized"}))
def test_fault_is_not_logged_if_the_client_left_before_it_began(kind: str) -> None:
    log = log_after_leaving(with_fault(kind, delay_s=5.0), 0.005, linger=struct.pack("ii", 1, 0))
    assert [(each.status, each.fault, each.start_s == each.end_s) for each in log] == [(UNANSWERED, "", True)]


@pytest.mark.parametrize("kind", ["stall", "drip", "oversized", "short_body"])
def test_fault_is_not_logged_if_its_client_had_closed_before(kind: str) -> None:
    """The server notices only when it writes."""
    log = log_after_leaving(with_fault(kind, delay_s=0.03), 0.005)
    assert [(each.status, each.fault, each.start_s == each.end_s) for each in log] == [(UNANSWERED, "", True)]


def log_after_leaving(profile: Profile, stay_s: float, *, linger: bytes = b"") -> list[Record]:
    """Send a request, stay for a while, leave, and return the log once it has a record."""
    log: list[Record] = []

    async def talk(server: InProcessServer) -> None:
        with await dial(server, get(BR)) as connection:
            await asyncio.sleep(stay_s)
            with suppress(BlockingIOError, ConnectionResetError):
                connection.recv(65_536)
            if linger:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        for _ in range(2_000):
            if server.log:
                break
            await asyncio.sleep(0.001)
        log.extend(server.log)

    assert run_server(profile, talk, FLAGS, pacing=BRISK) == log
    return log


@pytest.mark.parametrize("kind", ENDLESS)
def test_closing_a_trial_logs_endless_responses_once(kind: str) -> None:
    wires = []

    async def talk(server: InProcessServer) -> None:
        server.state.trials.open(Opening("t", with_fault(kind), 0))
        connections = [await dial(server, get(f"/-/t.{number}{BR}") * 2) for number in (0, 1, 1)]
        await asyncio.sleep(0.02)
        rounds = server.state.close_trial("t")
        logs = {number: list(taken.log) for number, taken in rounds.items()}
        await asyncio.sleep(0.05)
        assert [len(taken.log) for taken in rounds.values()] == [1, 2]
        assert {(each.status, each.fault) for log in logs.values() for each in log} == {(UNANSWERED, kind)}
        for connection in connections:
            with connection:
                wires.append(await read_to_end(connection))

    assert run_server(Profile("p"), talk, FLAGS) == []
    assert [wire.end for wire in wires] == ["FIN"] * 3


@pytest.mark.parametrize("kind", ENDLESS)
def test_client_that_closes_its_side_is_disconnected_from_an_endless_response(kind: str) -> None:
    """It cannot be told from one that has left."""
    wires = []

    async def talk(server: InProcessServer) -> None:
        with await dial(server, get(BR)) as connection:
            connection.shutdown(socket.SHUT_WR)
            wires.append(await read_to_end(connection, 0.2))

    log = run_server(with_fault(kind), talk, FLAGS, pacing=FAST)
    assert wires == [(CLOSES[kind][1], "FIN")]
    assert [(each.status, each.fault) for each in log] == [(UNANSWERED, kind)]


def test_pipelined_requests_are_answered_until_a_fault_resets_the_connection() -> None:
    profile = with_fault("reset_mid_body", rate=0.1)
    answered = next(attempt for attempt in range(100) if plan_delay(profile, 1, 0, "BR", attempt).fault)
    assert answered > 2
    wire, log = observe(profile, get(BR) * (answered + 5), time_out_s=1.0)
    assert wire == ((head("keep-alive") + FLAG) * answered + CLOSING + HALF, "RST")
    assert [each.fault for each in log] == [""] * answered + ["reset_mid_body"]


def test_oversized_response_delays_no_other_client_and_takes_little_memory() -> None:
    taken = 0

    async def take(connection: socket.socket) -> None:
        nonlocal taken
        while True:
            taken += len(await asyncio.get_running_loop().sock_recv(connection, 1024 * 1024))

    async def talk(server: InProcessServer) -> None:
        with await dial(server, get(BR)) as connection:
            taking = asyncio.create_task(take(connection))
            for _ in range(5):
                before = taken
                await asyncio.sleep(0.02)
                assert (await asyncio.wait_for(server.send(last("/")), 1)).startswith(b"HTTP/1.1 200")
                assert taken > before
            taking.cancel()
        await asyncio.sleep(0.02)

    tracemalloc.start()
    try:
        (*_, record) = run_server(with_fault("oversized"), talk, FLAGS)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (record.status, record.fault) == (UNANSWERED, "oversized")
    assert taken > 10_000_000
    assert peak_bytes < 16_000_000


def test_oversized_response_is_as_long_as_its_content_length() -> None:
    size = 4 * 1024 * 1024
    wire, log = observe(
        with_fault("oversized"), get(BR), time_out_s=1.0, pacing=FaultPacing(oversized_bytes=size)
    )
    assert wire == (head("close", f"Content-Length: {size}") + bytes(size), "FIN")
    assert [(each.status, each.fault) for each in log] == [(200, "oversized")]


def test_gzip_bomb_has_a_valid_checksum_and_size() -> None:
    """One member, of a block that unpacks to zeros however often it is repeated."""
    bomb = gzip_bomb()
    assert len(bomb) < 1.2 * 1024 * 1024
    unpacked = zlib.decompressobj(wbits=31).decompress(bomb, 1024 * 1024)
    assert unpacked == bytes(1024 * 1024)
    checksum = 0
    for _ in range(UNPACKED_BYTES // len(unpacked)):
        checksum = zlib.crc32(unpacked, checksum)
    assert bomb[-8:] == checksum.to_bytes(4, "little") + UNPACKED_BYTES.to_bytes(4, "little")


@pytest.mark.slow
def test_gzip_bomb_unpacks_to_its_end() -> None:
    unpacking = zlib.decompressobj(wbits=31)
    size, rest = 0, gzip_bomb()
    while rest and not unpacking.eof:
        size += len(unpacking.decompress(rest, 16 * 1024 * 1024))
        rest = unpacking.unconsumed_tail
    assert (size, unpacking.eof, unpacking.unused_data) == (UNPACKED_BYTES, True, b"")


@pytest.mark.parametrize("path", [BR, "/flags/br/metadata.json", f"/-/t.0{BR}"])
def test_redirect_loop_leads_back_to_the_same_url(path: str) -> None:
    places = []

    async def talk(server: InProcessServer) -> None:
        server.state.trials.open(Opening("t", with_fault("redirect_loop"), 0))
        answer = await server.send(last(path))
        places.append(answer.partition(b"Location: ")[2].partition(b"\r\n")[0].decode())

    run_server(with_fault("redirect_loop"), talk, FLAGS)
    assert urljoin(f"http://127.0.0.1:8000{path}", places[0]) == f"http://127.0.0.1:8000{path}"


@pytest.mark.parametrize("kind", ["wrong_content", "slicer", "short_body", "not_found"])
def test_low_bandwidth_does_not_turn_a_fault_into_a_time_out(kind: str) -> None:
    profile = Profile("p", bandwidth=1.0, faults=(Fault(kind, 1.0),))
    _, log = observe(profile, last(BR), time_out_s=1.0)
    assert [each.fault for each in log] == [kind]
    assert log[0].end_s - log[0].start_s < 5.0


def test_missing_resource_meets_no_fault() -> None:
    wire, log = observe(with_fault("reset_before_headers"), get("/flags/zz/zz.gif"), get("/nothing"))
    assert wire == (status_only("keep-alive", "404 Not Found") * 2, "open")
    assert [(each.status, each.fault) for each in log] == [(404, "")] * 2


MIXED: Final = Profile(
    "mixed",
    faults=(
        Fault("not_found", 0.1),
        Fault("wrong_content", 0.1),
        Fault("short_body", 0.1),
        Fault("reset_before_headers", 0.1),
        Fault("slow_close", 0.1),
    ),
)


def faults_met(countries: Sequence[str], rounds: int) -> list[dict[str, str]]:
    """Request flags, each on its own connection; return the logged fault of each by round."""
    met: list[dict[str, str]] = []

    async def talk(server: InProcessServer) -> None:
        server.state.trials.open(Opening("t", MIXED, 3))
        for number in range(rounds):
            for country in countries:
                path = f"/-/t.{number}/flags/{country.lower()}/{country.lower()}.gif"
                with await dial(server, get(path)) as connection:
                    try:
                        await asyncio.get_running_loop().sock_recv(connection, 65_536)
                    except ConnectionResetError:
                        continue
        logs = server.state.close_trial("t")
        met.extend({each.country: each.fault for each in taken.log} for taken in logs.values())

    run_server(Profile("p"), talk)
    return met


def test_all_rounds_of_a_block_meet_the_planned_faults_in_any_order() -> None:
    countries = sorted(all_flags())[:60]
    planned = {country: plan_delay(MIXED, 1, 3, country, 0).fault for country in countries}
    kinds = {country: "" if fault is None else fault.kind for country, fault in planned.items()}
    assert set(kinds.values()) == {"", *(fault.kind for fault in MIXED.faults)}
    assert faults_met(countries, 2) == [kinds, kinds]
    assert faults_met(countries[::-1], 1) == [kinds]


@pytest.mark.parametrize("seed", range(5))
def test_each_fault_has_its_rate(seed: int) -> None:
    """Within five standard deviations of a tenth of 9,700 fetches; their sum, too."""
    met = Counter(
        fault.kind
        for block in range(50)
        for country in all_flags()
        if (fault := plan_delay(MIXED, seed, block, country, 0).fault) is not None
    )
    fetches = 50 * len(all_flags())
    for fault in MIXED.faults:
        assert abs(met[fault.kind] - 0.1 * fetches) < 5 * (0.09 * fetches) ** 0.5
    assert abs(met.total() - 0.5 * fetches) < 5 * (0.25 * fetches) ** 0.5


def test_head_adds_only_the_connection_header() -> None:
    headers = (("Server", "flagbench"), ("Content-Type", "image/gif"), ("Content-Length", str(len(FLAG))))
    assert write_head(200, headers, "close") == CLOSING
