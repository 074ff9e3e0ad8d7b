"""What the server does to answers over HTTP/1.1, as the bytes on the wire, and what its log says of it."""

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
from bench.server.fault_responses import UNPACKED_BYTES, gzip_bomb
from bench.server.http1 import transport_faults
from bench.server.open_trials import Opening
from bench.server.request_log import UNANSWERED, Record
from bench.server.responses import written_head
from tests.house import House, get, last, visit

End: TypeAlias = Literal["open", "FIN", "RST"]

FLAG: Final = b"GIF89a, or something as small"
HALF: Final = FLAG[:14]
FLAGS: Final = {"BR": FLAG}
BR: Final = "/flags/br/br.gif"
PATIENCE_S: Final = 0.05


def head(connection: str, *headers: str, status: str = "200 OK", kind: str = "image/gif") -> bytes:
    """Write the head of an answer; without headers of its own it has the length of the flag."""
    lengths = headers or (f"Content-Length: {len(FLAG)}",)
    lines = [f"HTTP/1.1 {status}", "Server: flagbench", f"Content-Type: {kind}", *lengths]
    return "\r\n".join([*lines, f"Connection: {connection}", "", ""]).encode()


def told(connection: str, status: str, *headers: str) -> bytes:
    """Write an answer that says no more than its status."""
    body = f"{status}\n"
    lengths = (f"Content-Length: {len(body)}", *headers)
    kind = "text/plain; charset=utf-8"
    return head(connection, *lengths, status=status, kind=kind) + body.encode()


def with_fault(kind: str, rate: float = 1.0, delay_s: float = 0.0) -> Profile:
    """Build a profile with one fault."""
    return Profile("p", Fixed(delay_s), faults=(Fault(kind, rate),))


class Wire(NamedTuple):
    """What a client saw of a connection: the bytes, and how it ended."""

    received: bytes
    end: End


async def dial(house: House, *requests: bytes) -> socket.socket:
    """Connect, send requests in one piece, and leave it to the caller to close the connection."""
    connection = socket.socket()
    connection.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", house.port))
    await loop.sock_sendall(connection, b"".join(requests))
    return connection


async def listen(connection: socket.socket, patience_s: float = PATIENCE_S) -> Wire:
    """Read until the connection ends, or nothing has come for a while."""
    received = b""
    loop = asyncio.get_running_loop()
    while True:
        try:
            part = await asyncio.wait_for(loop.sock_recv(connection, 65_536), patience_s)
        except TimeoutError:
            return Wire(received, "open")
        except ConnectionResetError:
            return Wire(received, "RST")
        if not part:
            return Wire(received, "FIN")
        received += part


def observe(profile: Profile, *requests: bytes, patience_s: float = PATIENCE_S) -> tuple[Wire, list[Record]]:
    """Send requests in one piece, and return what came and what was logged once the client has left."""
    wires = []

    async def talk(house: House) -> None:
        connection = await dial(house, *requests)
        with connection:
            wires.append(await listen(connection, patience_s))
        await asyncio.sleep(0.01)

    log = visit(profile, talk, FLAGS)
    return wires[0], log


ANSWERS: Final[Mapping[str, tuple[int, bytes, bytes]]] = {
    "not_found": (404, told("keep-alive", "404 Not Found"), told("close", "404 Not Found")),
    "server_error": (
        500,
        told("keep-alive", "500 Internal Server Error"),
        told("close", "500 Internal Server Error"),
    ),
    "unavailable": (
        503,
        told("keep-alive", "503 Service Unavailable", "Retry-After: 1"),
        told("close", "503 Service Unavailable", "Retry-After: 1"),
    ),
    "rate_limited": (
        429,
        told("keep-alive", "429 Too Many Requests", "Retry-After: 1"),
        told("close", "429 Too Many Requests", "Retry-After: 1"),
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
        told("keep-alive", "302 Found", "Location: br.gif"),
        told("close", "302 Found", "Location: br.gif"),
    ),
    "redirect_off_host": (
        302,
        told("keep-alive", "302 Found", "Location: http://192.0.2.1/br.gif"),
        told("close", "302 Found", "Location: http://192.0.2.1/br.gif"),
    ),
    "gzip_bomb": (
        200,
        head("keep-alive", f"Content-Length: {len(gzip_bomb())}", "Content-Encoding: gzip") + gzip_bomb(),
        head("close", f"Content-Length: {len(gzip_bomb())}", "Content-Encoding: gzip") + gzip_bomb(),
    ),
    "slicer": (200, head("keep-alive") + FLAG, head("close") + FLAG),
}
"""Faults that leave the connection sound: the status, and the answer on a connection that is kept or not."""

CLOSING: Final = head("close")
DUPLICATE: Final = head("close", f"Content-Length: {len(FLAG)}", f"Content-Length: {len(FLAG) + 1}")
HUGE: Final = head("close", "X-Huge: " + "." * 262_144, f"Content-Length: {len(FLAG)}")
CHUNKED: Final = head("close", "Transfer-Encoding: chunked")

ENDINGS: Final[Mapping[str, tuple[int, bytes, End]]] = {
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
"""Faults that end the connection, whatever was asked: the status, the bytes and the end."""

ELSEWHERE: Final = {"status", "oversized", "refused", "goaway"} | {
    kind for kind in KINDS if kind.startswith("tls_")
}
"""Kinds that have a test of their own, that are the listener's, or that no HTTP/1.1 knows."""

HELD: Final = ["stall", "drip", "slow_headers"]
"""Kinds of which a client never sees the end."""

OF_BODIES: Final = [
    "reset_mid_body",
    "short_body",
    "cut_chunk",
    "stall",
    "drip",
    "surplus_bytes",
    "oversized",
]


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the byte come soon that finds out that nobody is there, and the next, which is told so."""
    monkeypatch.setattr(transport_faults, "_BYTE_S", 0.005)


@pytest.fixture
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bytes that come one at a time come at once."""
    monkeypatch.setattr(transport_faults, "_BYTE_S", 0.0)


def test_no_kind_is_forgotten() -> None:
    """Every fault of the table is looked at on the wire."""
    assert ELSEWHERE | ANSWERS.keys() | ENDINGS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_that_leave_the_connection_sound_keep_it(kind: str) -> None:
    """Two requests on one connection, and the second closes it."""
    status, kept, closing = ANSWERS[kind]
    wire, log = observe(with_fault(kind), get(BR), last(BR), patience_s=1.0)
    assert wire == (kept + closing, "FIN")
    assert [(each.status, each.fault, each.attempt) for each in log] == [(status, kind, 0), (status, kind, 1)]


@pytest.mark.parametrize("kind", ENDINGS)
@pytest.mark.parametrize("ask", [get, last])
@pytest.mark.usefixtures("swift")
def test_faults_that_spoil_the_connection_end_it_as_they_should(
    kind: str, ask: Callable[[str], bytes]
) -> None:
    """Byte for byte, with FIN or RST or no end at all; what is behind them in the pipe is never answered."""
    status, received, ending = ENDINGS[kind]
    wire, log = observe(
        with_fault(kind), ask(BR), get(BR), patience_s=PATIENCE_S if ending == "open" else 1.0
    )
    assert wire == (received, ending)
    assert [(each.status, each.fault, each.attempt) for each in log] == [(status, kind, 0)]
    assert all(each.arrival_s <= each.start_s <= each.end_s for each in log)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in ENDINGS or kind in OF_BODIES])
@pytest.mark.usefixtures("swift")
def test_an_answer_without_a_body_meets_what_does_not_need_one(kind: str) -> None:
    """HEAD gets the head that GET would, spoilt or not; where nothing can be, the log claims nothing."""
    patience_s = PATIENCE_S if kind in HELD else 1.0
    wire, log = observe(with_fault(kind), last(BR, method="HEAD"), patience_s=patience_s)
    if kind in OF_BODIES:
        assert wire == (CLOSING, "FIN")
        assert [(each.status, each.fault) for each in log] == [(200, "")]
    else:
        status, received, ending = ENDINGS[kind]
        assert wire == (received.removesuffix(FLAG), ending)
        assert [(each.status, each.fault) for each in log] == [(status, kind)]


@pytest.mark.parametrize("kind", ANSWERS)
def test_head_gets_the_head_of_another_answer(kind: str) -> None:
    """As it would of the flag."""
    status, kept, closing = ANSWERS[kind]
    wire, log = observe(with_fault(kind), get(BR, method="HEAD"), last(BR, method="HEAD"), patience_s=1.0)
    heads = [answer.partition(b"\r\n\r\n")[0] for answer in (kept, closing)]
    assert wire == (b"".join(each + b"\r\n\r\n" for each in heads), "FIN")
    assert [(each.status, each.fault) for each in log] == [(status, kind)] * 2


def test_pieces_of_an_answer_come_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty at most, and none before its time."""
    monkeypatch.setattr(transport_faults, "_PIECE_S", 0.005)
    sizes: list[int] = []

    async def talk(house: House) -> None:
        with await dial(house, last(BR)) as connection:
            while part := await asyncio.get_running_loop().sock_recv(connection, 65_536):
                sizes.append(len(part))

    (record,) = visit(with_fault("slicer"), talk, FLAGS)
    assert sum(sizes) == len(CLOSING + FLAG)
    assert 3 <= len(sizes) <= 20
    assert record.end_s - record.start_s >= 0.005 * 18


def test_a_slow_close_comes_after_the_answer_has_ended() -> None:
    """A client that waits for the end of the stream waits for a tenth of a second; the log does not."""
    waits = []

    async def talk(house: House) -> None:
        loop = asyncio.get_running_loop()
        with await dial(house, get(BR)) as connection:
            assert (await loop.sock_recv(connection, 65_536)).endswith(FLAG)
            began_s = loop.time()
            assert await loop.sock_recv(connection, 1) == b""
            waits.append(loop.time() - began_s)

    (record,) = visit(with_fault("slow_close"), talk, FLAGS)
    assert 0.08 <= waits[0] < 1.0
    assert record.end_s - record.start_s < 0.08


@pytest.mark.parametrize("kind", ["drip", "slow_headers"])
def test_bytes_drip_one_at_a_time(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each as long after the one before as it should be."""
    monkeypatch.setattr(transport_faults, "_BYTE_S", 0.01)
    sizes: list[int] = []

    async def talk(house: House) -> None:
        loop = asyncio.get_running_loop()
        with await dial(house, get(BR)) as connection:
            began_s = loop.time()
            while len(sizes) < 8:
                sizes.append(len(await loop.sock_recv(connection, 65_536)))
            assert loop.time() - began_s >= 0.06

    visit(with_fault(kind), talk, FLAGS)
    assert sizes[1:].count(1) >= 3


@pytest.mark.parametrize("kind", ["reset_mid_body", "short_body"])
def test_what_a_fault_lets_through_arrives_before_the_end(kind: str) -> None:
    """Half of a body that fits into no buffer, at a client that takes its time."""
    wires = []

    async def talk(house: House) -> None:
        with await dial(house, get(BR)) as connection:
            await asyncio.sleep(0.1)
            wires.append(await listen(connection, 2.0))

    (record,) = visit(with_fault(kind), talk, {"BR": bytes(20_000_000)})
    assert len(wires[0].received.partition(b"\r\n\r\n")[2]) == 10_000_000
    assert wires[0].end == ("RST" if kind == "reset_mid_body" else "FIN")
    assert (record.status, record.fault) == (UNANSWERED, kind)


@pytest.mark.parametrize("kind", [kind for kind, ending in ENDINGS.items() if ending[2] == "FIN"])
def test_a_client_that_goes_on_asking_sees_the_end_of_the_stream_and_no_reset(kind: str) -> None:
    """Its connection was alive as far as it knew."""
    wires = []

    async def talk(house: House) -> None:
        with await dial(house, get(BR)) as connection:
            await asyncio.sleep(0.02)
            for _ in range(2):
                await asyncio.get_running_loop().sock_sendall(connection, get(BR))
                await asyncio.sleep(0.01)
            wires.append(await listen(connection, 1.0))

    log = visit(with_fault(kind), talk, FLAGS)
    status, received, ending = ENDINGS[kind]
    assert wires == [(received, ending)]
    assert [(each.status, each.fault) for each in log] == [(status, kind)]


@pytest.mark.parametrize("kind", [*HELD, "oversized"])
@pytest.mark.usefixtures("brisk")
def test_an_answer_without_an_end_lasts_until_its_client_leaves(kind: str) -> None:
    """The server learns of it without having anything to write."""
    log = left_after(with_fault(kind), 0.1)
    assert [(each.status, each.fault) for each in log] == [(UNANSWERED, kind)]
    assert 0.05 < log[0].end_s - log[0].start_s < 2.0


@pytest.mark.parametrize("kind", sorted({*ANSWERS, *ENDINGS, "oversized"}))
@pytest.mark.usefixtures("brisk")
def test_a_client_that_leaves_at_once_is_logged_once(kind: str) -> None:
    """Whether or not the answer was already with the kernel, the fault was carried out."""
    log = left_after(with_fault(kind), 0.005)
    assert [each.fault for each in log] == [kind]


@pytest.mark.parametrize("kind", sorted({*ANSWERS, *ENDINGS, "oversized"}))
@pytest.mark.usefixtures("brisk")
def test_a_fault_that_had_not_begun_when_the_client_left_was_not_carried_out(kind: str) -> None:
    """The log says what was done, and not what would have been."""
    log = left_after(with_fault(kind, delay_s=5.0), 0.005, linger=struct.pack("ii", 1, 0))
    assert [(each.status, each.fault, each.start_s == each.end_s) for each in log] == [(UNANSWERED, "", True)]


@pytest.mark.parametrize("kind", ["stall", "drip", "oversized", "short_body"])
@pytest.mark.usefixtures("brisk")
def test_a_fault_was_not_carried_out_on_a_client_that_turns_out_to_be_gone(kind: str) -> None:
    """Which it does when it is written to, and by then it had closed."""
    log = left_after(with_fault(kind, delay_s=0.03), 0.005)
    assert [(each.status, each.fault, each.start_s == each.end_s) for each in log] == [(UNANSWERED, "", True)]


def left_after(profile: Profile, stay_s: float, *, linger: bytes = b"") -> list[Record]:
    """Ask, take what comes in the meantime, leave, and return what the server logs by itself."""
    log: list[Record] = []

    async def talk(house: House) -> None:
        with await dial(house, get(BR)) as connection:
            await asyncio.sleep(stay_s)
            with suppress(BlockingIOError, ConnectionResetError):
                connection.recv(65_536)
            if linger:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        for _ in range(2_000):
            if house.log:
                break
            await asyncio.sleep(0.001)
        log.extend(house.log)

    assert visit(profile, talk, FLAGS) == log
    return log


@pytest.mark.parametrize("kind", HELD)
def test_a_trial_that_closes_accounts_for_the_answers_it_holds(kind: str) -> None:
    """Each once, and their connections end."""
    wires = []

    async def talk(house: House) -> None:
        house.site.trials.open(Opening("t", with_fault(kind), 0))
        connections = [await dial(house, get(f"/-/t.{number}{BR}") * 2) for number in (0, 1, 1)]
        await asyncio.sleep(0.02)
        rounds = house.site.close_trial("t")
        logs = {number: list(taken.log) for number, taken in rounds.items()}
        await asyncio.sleep(0.05)
        assert [len(taken.log) for taken in rounds.values()] == [1, 2]
        assert {(each.status, each.fault) for log in logs.values() for each in log} == {(UNANSWERED, kind)}
        for connection in connections:
            with connection:
                wires.append(await listen(connection))

    assert visit(Profile("p"), talk, FLAGS) == []
    assert [wire.end for wire in wires] == ["FIN"] * 3


@pytest.mark.parametrize("kind", HELD)
@pytest.mark.usefixtures("swift")
def test_a_client_that_closes_its_own_side_need_not_wait_for_what_never_comes(kind: str) -> None:
    """It cannot be told from one that has left."""
    wires = []

    async def talk(house: House) -> None:
        with await dial(house, get(BR)) as connection:
            connection.shutdown(socket.SHUT_WR)
            wires.append(await listen(connection, 0.2))

    log = visit(with_fault(kind), talk, FLAGS)
    assert wires == [(ENDINGS[kind][1], "FIN")]
    assert [(each.status, each.fault) for each in log] == [(UNANSWERED, kind)]


def test_requests_are_answered_until_a_fault_ends_their_connection() -> None:
    """Those before it in full, those behind it not at all."""
    profile = with_fault("reset_mid_body", rate=0.1)
    sound = next(attempt for attempt in range(100) if plan_delay(profile, 1, 0, "BR", attempt).fault)
    assert sound > 2
    wire, log = observe(profile, get(BR) * (sound + 5), patience_s=1.0)
    assert wire == ((head("keep-alive") + FLAG) * sound + CLOSING + HALF, "RST")
    assert [each.fault for each in log] == [""] * sound + ["reset_mid_body"]


def test_what_is_too_large_holds_up_nobody() -> None:
    """While a client takes all it can get of it, others are answered, and the server keeps little of it."""
    taken = 0

    async def take(connection: socket.socket) -> None:
        nonlocal taken
        while True:
            taken += len(await asyncio.get_running_loop().sock_recv(connection, 1024 * 1024))

    async def talk(house: House) -> None:
        with await dial(house, get(BR)) as connection:
            taking = asyncio.create_task(take(connection))
            for _ in range(5):
                before = taken
                await asyncio.sleep(0.02)
                assert (await asyncio.wait_for(house.ask(last("/")), 1)).startswith(b"HTTP/1.1 200")
                assert taken > before
            taking.cancel()
        await asyncio.sleep(0.02)

    tracemalloc.start()
    try:
        (*_, record) = visit(with_fault("oversized"), talk, FLAGS)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (record.status, record.fault) == (UNANSWERED, "oversized")
    assert taken > 10_000_000
    assert peak_bytes < 16_000_000


def test_what_is_too_large_promises_a_gibibyte_and_keeps_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a client that can take it; here a small one will do."""
    size = 4 * 1024 * 1024
    monkeypatch.setattr(transport_faults, "_OVERSIZE_BYTES", size)
    wire, log = observe(with_fault("oversized"), get(BR), patience_s=1.0)
    assert wire == (head("close", f"Content-Length: {size}") + bytes(size), "FIN")
    assert [(each.status, each.fault) for each in log] == [(200, "oversized")]


def test_a_bomb_is_a_gzip_file_of_its_size() -> None:
    """One member, of a block that unpacks to zeros however often it is there, and their checksum."""
    bomb = gzip_bomb()
    assert len(bomb) < 1.2 * 1024 * 1024
    unpacked = zlib.decompressobj(wbits=31).decompress(bomb, 1024 * 1024)
    assert unpacked == bytes(1024 * 1024)
    checksum = 0
    for _ in range(UNPACKED_BYTES // len(unpacked)):
        checksum = zlib.crc32(unpacked, checksum)
    assert bomb[-8:] == checksum.to_bytes(4, "little") + UNPACKED_BYTES.to_bytes(4, "little")


@pytest.mark.slow
def test_a_bomb_unpacks_to_the_end() -> None:
    """Zlib checks length and checksum by itself."""
    unpacking = zlib.decompressobj(wbits=31)
    size, rest = 0, gzip_bomb()
    while rest and not unpacking.eof:
        size += len(unpacking.decompress(rest, 16 * 1024 * 1024))
        rest = unpacking.unconsumed_tail
    assert (size, unpacking.eof, unpacking.unused_data) == (UNPACKED_BYTES, True, b"")


@pytest.mark.parametrize("path", [BR, "/flags/br/metadata.json", f"/-/t.0{BR}"])
def test_a_redirect_loop_leads_to_where_it_came_from(path: str) -> None:
    """Below the path of a round, too."""
    places = []

    async def talk(house: House) -> None:
        house.site.trials.open(Opening("t", with_fault("redirect_loop"), 0))
        answer = await house.ask(last(path))
        places.append(answer.partition(b"Location: ")[2].partition(b"\r\n")[0].decode())

    visit(with_fault("redirect_loop"), talk, FLAGS)
    assert urljoin(f"http://127.0.0.1:8000{path}", places[0]) == f"http://127.0.0.1:8000{path}"


@pytest.mark.parametrize("kind", ["wrong_content", "slicer", "short_body", "not_found"])
def test_a_thin_line_makes_no_time_out_of_a_fault(kind: str) -> None:
    """The class in which a fetch ends is that of its fault, whatever the bandwidth."""
    profile = Profile("p", bandwidth=1.0, faults=(Fault(kind, 1.0),))
    _, log = observe(profile, last(BR), patience_s=1.0)
    assert [each.fault for each in log] == [kind]
    assert log[0].end_s - log[0].start_s < 5.0


def test_what_is_not_there_meets_no_fault() -> None:
    """It stays not found, and the connection stays open."""
    wire, log = observe(with_fault("reset_before_headers"), get("/flags/zz/zz.gif"), get("/nothing"))
    assert wire == (told("keep-alive", "404 Not Found") * 2, "open")
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
    """Ask for flags, each on a connection of its own, and return what the log says each of them met."""
    met: list[dict[str, str]] = []

    async def talk(house: House) -> None:
        house.site.trials.open(Opening("t", MIXED, 3))
        for number in range(rounds):
            for country in countries:
                path = f"/-/t.{number}/flags/{country.lower()}/{country.lower()}.gif"
                with await dial(house, get(path)) as connection:
                    try:
                        await asyncio.get_running_loop().sock_recv(connection, 65_536)
                    except ConnectionResetError:
                        continue
        logs = house.site.close_trial("t")
        met.extend({each.country: each.fault for each in taken.log} for taken in logs.values())

    visit(Profile("p"), talk)
    return met


def test_all_rounds_of_a_block_meet_the_faults_that_were_forecast() -> None:
    """In whatever order they ask."""
    countries = sorted(all_flags())[:60]
    planned = {country: plan_delay(MIXED, 1, 3, country, 0).fault for country in countries}
    kinds = {country: "" if fault is None else fault.kind for country, fault in planned.items()}
    assert set(kinds.values()) == {"", *(fault.kind for fault in MIXED.faults)}
    assert faults_met(countries, 2) == [kinds, kinds]
    assert faults_met(countries[::-1], 1) == [kinds]


@pytest.mark.parametrize("seed", range(5))
def test_each_fault_has_its_share(seed: int) -> None:
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


def test_the_head_of_an_answer_says_what_any_protocol_would() -> None:
    """The connection is the only header that is HTTP/1.1's own."""
    headers = (("Server", "flagbench"), ("Content-Type", "image/gif"), ("Content-Length", str(len(FLAG))))
    assert written_head(200, headers, "close") == CLOSING
