"""HTTP/2 as the server speaks it, over real sockets, to a client that believes nothing the RFC forbids."""

import gc
import random
import socket
import ssl
import struct
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter

import pytest
from h2.errors import ErrorCodes
from h2.events import PingAckReceived
from h2.settings import SettingCodes

from bench.model.cases import Fixed, Profile, Uniform
from bench.model.flags import all_flags
from bench.model.planned_delays import plan_delay
from bench.server import slow_requests
from bench.server.http2.frame_splitter import FrameCutter
from bench.server.http2.protocol import Http2Protocol
from bench.server.request_log import UNANSWERED
from tests.encrypted_server import PATIENCE_S, house
from tests.http2_client import Answered, Client, client_of, flag_path

FLAGS = all_flags()
BR = FLAGS["BR"]
AT_ONCE = Profile("local", tls=True, http2=True)
NEVER = Profile("never", Fixed(60.0), tls=True, http2=True)
ASKING = ((":method", "GET"), (":scheme", "https"), (":authority", "flags"))
GREEDY = (1 << 31) - 1


def slow(seconds: float) -> Profile:
    """Return a profile whose answers all begin so late."""
    return Profile("slow", Fixed(seconds), tls=True, http2=True)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until the server has seen to something."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def unread(server_socket: ssl.SSLSocket) -> bytes:
    """Return what still comes until the server closes the connection, in whatever way."""
    received = b""
    with suppress(OSError):
        while part := server_socket.recv(65536):
            received += part
    return received


def ping(client: Client) -> None:
    """Have the server answer a ping, and so all that was sent before it be taken in."""
    client.events.clear()
    client.h2.ping(b"12345678")
    client.flush()
    client.until(lambda: any(isinstance(event, PingAckReceived) for event in client.events))


def test_a_flag_is_served_with_its_headers() -> None:
    """They are those of HTTP/1.1, but for what only that has a use for."""
    with house(AT_ONCE) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
    assert answered.body == BR
    assert answered.headers == {
        ":status": "200",
        "server": "flagbench",
        "content-type": "image/gif",
        "content-length": str(len(BR)),
    }


def test_the_log_says_what_became_of_each_request() -> None:
    """One record each, of one connection, with attempts and times as over HTTP/1.1."""
    with house(slow(0.02)) as server, client_of(server) as client:
        for country in ("BR", "ZZ", "BR"):
            client.get(flag_path(country))
    assert [(each.connection, each.status, each.country, each.attempt) for each in server.log] == [
        (1, 200, "BR", 0),
        (1, 404, "ZZ", 0),
        (1, 200, "BR", 1),
    ]
    for each in server.log:
        assert each.accepted_s < each.arrival_s
        assert 0.02 == each.delay_s <= each.start_s - each.arrival_s < 0.5
        assert each.start_s <= each.end_s


def test_streams_are_answered_as_each_is_due_and_never_early() -> None:
    """None waits for another, whatever the order in which they were asked."""
    profile = Profile("fair", Uniform(0.01, 0.15), tls=True, http2=True)
    countries = [*FLAGS][:40]
    with house(profile, seed=3) as server, client_of(server, GREEDY) as client:
        asked = {country: client.ask(flag_path(country)) for country in countries}
        client.until(lambda: all(each.is_over for each in client.answers.values()))
        for country, stream in asked.items():
            assert client.answers[stream].body == FLAGS[country]
    delays = {record.country: record.delay_s for record in server.log}
    assert delays == {country: plan_delay(profile, 3, 0, country, 0).delay_s for country in countries}
    assert all(record.start_s >= record.arrival_s + record.delay_s for record in server.log)
    starts = sorted(server.log, key=lambda record: record.start_s)
    due = sorted(server.log, key=lambda record: record.arrival_s + record.delay_s)
    assert starts == due
    assert {record.connection for record in server.log} == {1}


def test_a_thousand_streams_may_be_open_at_once() -> None:
    """The server says so before, and holds to it."""
    with house(NEVER) as server:
        with client_of(server) as client:
            client.until(lambda: SettingCodes.MAX_CONCURRENT_STREAMS in client.h2.remote_settings)
            assert client.h2.remote_settings.max_concurrent_streams >= 1_000
            for _ in range(1_000):
                client.ask("/flags/va/va.gif")
            ping(client)
            assert not any(each.is_over for each in client.answers.values())
        wait_for(lambda: len(server.log) == 1_000)
    assert {(record.connection, record.status) for record in server.log} == {(1, UNANSWERED)}
    assert max(record.arrival_s for record in server.log) < min(record.end_s for record in server.log)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/flags/br/metadata.json", "GET", 200),
        ("/flags/zz/zz.gif", "GET", 404),
        ("/nothing", "GET", 404),
        ("/-/t.0/flags/br/br.gif", "GET", 404),
        (flag_path("BR"), "POST", 405),
        (flag_path("BR"), "HEAD", 200),
    ],
)
def test_addresses_and_methods_mean_what_they_do_over_http1(path: str, method: str, status: int) -> None:
    """One site, whatever is spoken."""
    with house(AT_ONCE) as server, client_of(server) as client:
        answered = client.get(path, method)
        assert (answered.status, client.is_closed) == (status, False)
        assert len(answered.body) == (0 if method == "HEAD" else int(answered.headers["content-length"]))
    assert [record.status for record in server.log] == [status]


def test_large_headers_cost_their_request_and_not_the_connection() -> None:
    """Above 16 KiB they are refused by name."""
    with house(AT_ONCE) as server, client_of(server) as client:
        assert client.get(flag_path("BR"), filling="x" * 20_000).status == 431
        assert client.get(flag_path("BR")).status == 200
    assert [record.status for record in server.log] == [431, 200]


def test_huge_headers_end_the_connection() -> None:
    """Nobody is to fill the memory of the server."""
    with house(AT_ONCE) as server, client_of(server) as client:
        with suppress(OSError):
            client.get(flag_path("BR"), filling="x" * 100_000)
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert server.log == []


def test_a_body_is_dropped_and_a_large_one_refused() -> None:
    """The refusal comes while the client is still sending, and spares it the rest."""
    with house(AT_ONCE) as server, client_of(server) as client:
        for size, status in ((1_000, 200), (20_000, 413)):
            stream = client.ask(flag_path("BR"))  # ends its request; another is sent by hand
            client.until(lambda asked=stream: client.answers[asked].is_over)  # type: ignore[misc]
            stream = client.h2.get_next_available_stream_id()
            fields = [*ASKING, (":path", flag_path("BR"))]
            client.answers[stream] = type(client.answers[stream - 2])()
            client.h2.send_headers(stream, fields)
            for start in range(0, size, 10_000):
                client.h2.send_data(stream, bytes(min(10_000, size - start)))
            if status == 200:
                client.h2.end_stream(stream)
            client.flush()
            client.until(lambda asked=stream: client.answers[asked].is_ended)  # type: ignore[misc]
            assert client.answers[stream].status == status
    assert [record.status for record in server.log] == [200, 200, 200, 413]


def test_pings_are_answered() -> None:
    """A client may ask whether anyone is there."""
    with house(NEVER) as server, client_of(server) as client:
        client.ask(flag_path("BR"))
        ping(client)
        assert not client.is_closed


def test_a_small_window_is_never_overrun() -> None:
    """The body comes as the client makes room: h2 would end the connection otherwise."""
    with house(AT_ONCE) as server, client_of(server, initial_window=1_000) as client:
        answered = client.get(flag_path("BR"))
        assert answered.body == BR
        assert max(size for _, size in answered.pieces) <= 1_000
    assert [record.status for record in server.log] == [200]


def test_one_stream_without_room_does_not_hold_up_another() -> None:
    """Its window is its own; the log says when its answer really ended."""
    with house(AT_ONCE) as server, client_of(server, initial_window=1_000) as client:
        client.takes_data = False
        stuck = client.ask(flag_path("BR"))
        client.until(lambda: len(client.answers[stuck].body) == 1_000)
        client.takes_data = True
        assert client.get("/flags/cn/cn.gif").body == FLAGS["CN"]
        assert len(client.answers[stuck].body) == 1_000
        client.h2.increment_flow_control_window(100_000, stuck)
        client.flush()
        client.until(lambda: client.answers[stuck].is_over)
        assert client.answers[stuck].body == BR
    assert [record.country for record in server.log] == ["CN", "BR"]


def test_a_window_may_be_taken_back() -> None:
    """A smaller initial window leaves a stream with less than nothing, and the server waits."""
    with house(slow(0.05)) as server, client_of(server, initial_window=2_000) as client:
        client.takes_data = False
        stream = client.ask(flag_path("BR"))
        client.until(lambda: len(client.answers[stream].body) == 2_000)
        client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 500})
        client.h2.increment_flow_control_window(1_000, stream)
        client.flush()
        ping(client)
        assert len(client.answers[stream].body) == 2_000
        client.h2.increment_flow_control_window(100_000, stream)
        client.flush()
        client.until(lambda: client.answers[stream].is_over)
        assert client.answers[stream].body == BR
    assert [record.status for record in server.log] == [200]


def test_bandwidth_is_each_answers_own() -> None:
    """The last byte comes when the pace allows, on each of the streams."""
    pace = len(BR) / 0.2
    with house(Profile("paced", bandwidth=pace, tls=True, http2=True)) as server, client_of(server) as client:
        for _ in range(3):
            client.ask(flag_path("BR"))
        client.until(lambda: all(each.is_over for each in client.answers.values()))
        assert all(len(each.pieces) > 5 for each in client.answers.values())
    for record in server.log:
        assert 0.2 <= record.end_s - record.start_s < 0.5


def test_a_client_that_resets_a_stream_has_left_it() -> None:
    """That request alone is unanswered, since then."""
    with house(slow(0.2)) as server, client_of(server) as client:
        given_up, kept = client.ask(flag_path("BR")), client.ask("/flags/cn/cn.gif")
        client.h2.reset_stream(given_up, ErrorCodes.CANCEL)
        client.flush()
        client.until(lambda: client.answers[kept].is_over)
        assert client.answers[kept].body == FLAGS["CN"]
    assert [(each.country, each.status) for each in server.log] == [("BR", UNANSWERED), ("CN", 200)]
    assert server.log[0].end_s < server.log[1].start_s


def test_streams_that_are_given_up_over_and_over_leave_nothing_behind() -> None:
    """Rapid resets are cheap for a client, and must be for the server (CVE-2023-44487)."""
    with house(NEVER) as server, client_of(server) as client:
        for _ in range(1_000):
            client.h2.reset_stream(client.ask("/flags/va/va.gif"), ErrorCodes.CANCEL)
        client.flush()
        wait_for(lambda: len(server.log) == 1_000)
        assert server.site is not None
        (connection,) = server.site._connections.values()  # noqa: SLF001  what is left has no other witness
        assert len(connection._due) < 100  # type: ignore[attr-defined]  # noqa: SLF001
    assert {record.status for record in server.log} == {UNANSWERED}


def test_a_client_that_closes_leaves_all_its_streams() -> None:
    """Each is logged, as unanswered since then."""
    with house(NEVER) as server:
        with client_of(server) as client:
            for country in ("BR", "CN", "IN"):
                client.ask(flag_path(country))
            ping(client)
        left_s = perf_counter()
        wait_for(lambda: len(server.log) == 3)
    assert {record.status for record in server.log} == {UNANSWERED}
    assert all(abs(record.end_s - left_s) < 0.5 for record in server.log)


def test_an_answer_that_meets_a_reset_is_not_one_that_was_sent() -> None:
    """Both are there when the server comes to look: the answer is due, and its client is gone."""
    with house(slow(0.1)) as server:
        with client_of(server) as client:
            client.ask(flag_path("BR"))
            ping(client)
            assert server.loop is not None
            server.loop.call_soon_threadsafe(time.sleep, 0.2)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_for(lambda: len(server.log) == 1)
    assert [record.status for record in server.log] == [UNANSWERED]


def test_a_client_that_says_goaway_still_gets_its_answers() -> None:
    """It opens no more streams, which is all that it said (RFC 9113, 6.8); then the server hangs up."""
    with house(slow(0.1)) as server, client_of(server) as client:
        stream = client.ask(flag_path("BR"))
        client.socket.sendall(b"\0\0\x08\x07\0\0\0\0\0" + bytes(8))
        client.until(lambda: client.answers[stream].is_over)
        assert client.answers[stream].body == BR
        assert not client.receive()
    assert [record.status for record in server.log] == [200]


@pytest.mark.parametrize(
    "rubbish", [b"\xff" * 100, b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_http2_gets_a_goaway(rubbish: bytes) -> None:
    """A client that negotiated it and then speaks something else."""
    with house(AT_ONCE) as server, server.connect("h2") as connection:
        connection.sendall(rubbish)
        assert b"\x07\0\0\0\0\0" in unread(connection)
    assert server.log == []


def test_http1_on_this_port_is_told_so_in_its_own_words() -> None:
    """A client that did not negotiate HTTP/2 can read why it is sent away, and the log has it."""
    with house(AT_ONCE) as server, server.connect("http/1.1") as connection:
        assert connection.selected_alpn_protocol() is None
        connection.sendall(b"GET /flags/br/br.gif HTTP/1.1\r\nHost: x\r\n\r\n")
        assert unread(connection).startswith(b"HTTP/1.1 505 ")
    assert [record.status for record in server.log] == [505]


def test_garbage_after_the_greeting_ends_the_connection_and_what_it_owes() -> None:
    """The requests before it are accounted for."""
    with house(NEVER) as server, client_of(server) as client:
        client.ask(flag_path("BR"))
        ping(client)
        client.socket.sendall(b"\0\0\x01\x06\0\0\0\0\0x")  # a PING of one byte
        client.until(lambda: False)
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.FRAME_SIZE_ERROR
    assert [record.status for record in server.log] == [UNANSWERED]


def begin(client: Client) -> int:
    """Send the headers of a request whose body is to follow, and return its stream."""
    stream = client.h2.get_next_available_stream_id()
    client.answers[stream] = Answered()
    client.h2.send_headers(stream, [*ASKING, (":path", flag_path("BR"))])
    client.flush()
    return stream


def test_a_request_that_never_ends_is_refused_on_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """However steadily its body drips; the connection goes on, and what is in time is answered."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.2)
    with house(AT_ONCE) as server, client_of(server) as client:
        began_s = perf_counter()
        slow, quick = begin(client), begin(client)
        while perf_counter() < began_s + 0.1:
            client.h2.send_data(slow, b"x")
            ping(client)
        client.h2.end_stream(quick)
        client.flush()
        client.until(lambda: client.answers[slow].is_over)
        assert 0.2 <= perf_counter() - began_s < 2
        assert [client.answers[each].status for each in (quick, slow)] == [200, 408]
        assert client.get(flag_path("BR")).body == BR
    assert [record.status for record in server.log] == [200, 408, 200]


def test_one_address_may_leave_so_many_requests_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest gives way, on one connection as on many; nothing is left of them."""
    monkeypatch.setattr(slow_requests, "_MOST_PER_ADDRESS", 3)
    with house(AT_ONCE) as server:
        with client_of(server) as client:
            streams = [begin(client) for _ in range(5)]
            client.until(lambda: all(client.answers[each].is_over for each in streams[:2]))
            assert [client.answers[each].status for each in streams] == [408, 408, 0, 0, 0]
            client.h2.reset_stream(streams[2], ErrorCodes.CANCEL)
            client.h2.end_stream(streams[3])
            client.flush()
            client.until(lambda: client.answers[streams[3]].is_over)
            assert client.answers[streams[3]].status == 200
        assert server.site is not None
        waiting = server.site.laggards._begun  # noqa: SLF001  what is left has no other witness
        wait_for(lambda: waiting == {})
    assert [record.status for record in server.log] == [408, 408, 200]


def test_who_has_just_ended_its_frame_gives_way_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its half frame was the oldest of all that is unfinished, when requests of its own came."""
    monkeypatch.setattr(slow_requests, "_MOST_PER_ADDRESS", 1)
    with house(AT_ONCE) as server, client_of(server) as client:
        ping(client)
        stream = client.h2.get_next_available_stream_id()
        client.answers[stream] = Answered()
        client.h2.send_headers(stream, [*ASKING, (":path", flag_path("BR"))])
        sent = client.h2.data_to_send()
        client.socket.sendall(sent[:5])
        assert server.site is not None
        waiting = server.site.laggards._begun  # noqa: SLF001  no client can see it
        wait_for(lambda: len(waiting) == 1)
        client.socket.sendall(sent[5:])
        ping(client)
        client.h2.end_stream(stream)
        client.flush()
        client.until(lambda: client.answers[stream].is_over)
        assert client.answers[stream].body == BR
    assert [record.status for record in server.log] == [200]


def test_no_connection_waits_for_the_garbage_collector() -> None:
    """The server runs without it while it serves a trial."""
    gc.disable()
    try:
        with house(NEVER) as server:
            with client_of(server) as client:
                client.ask(flag_path("BR"))
                ping(client)
                (left,) = [weakref.ref(each) for each in gc.get_objects() if type(each) is Http2Protocol]
                assert left() is not None
            wait_for(lambda: left() is None)
    finally:
        gc.enable()


def test_headers_too_large_for_a_client_that_takes_them_back_are_logged_in_order() -> None:
    """They came before it left, whatever was made of them."""
    with house(AT_ONCE) as server, client_of(server) as client:
        stream = client.h2.get_next_available_stream_id()
        fields = [*ASKING, (":path", flag_path("BR")), ("filling", "x" * 20_000)]
        client.h2.send_headers(stream, fields, end_stream=True)
        client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        client.flush()
        ping(client)
    (record,) = server.log
    assert (record.status, record.arrival_s <= record.start_s <= record.end_s) == (UNANSWERED, True)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"\0\0\x08\6\0\0\0", id="header of a frame"),
        pytest.param(b"\0\0\x08\6\0\0\0\0\0abc", id="frame"),
        pytest.param(b"\0\0\x01\1\1\0\0\0\1\x82", id="headers without their end"),
    ],
)
def test_a_frame_that_never_ends_ends_its_connection(part: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GOAWAY that says why; a client that asks nothing is left alone."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.1)
    with house(AT_ONCE) as server, client_of(server) as idle, client_of(server) as client:
        ping(client)
        ping(idle)
        began_s = perf_counter()
        client.socket.sendall(part)
        client.until(lambda: False)
        assert 0.1 <= perf_counter() - began_s < 2
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert idle.get(flag_path("BR")).body == BR


def test_each_frame_has_a_deadline_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose pieces hold the end of one frame and the start of the next is not behind."""
    monkeypatch.setattr(slow_requests, "_PATIENCE_S", 0.2)
    frame = b"\0\0\x08\6\0\0\0\0\x0012345678"
    with house(AT_ONCE) as server, client_of(server) as client:
        client.socket.sendall(frame[:5])
        for _ in range(8):
            time.sleep(0.05)
            client.socket.sendall(frame[5:] + frame[:5])
        client.socket.sendall(frame[5:])
        assert client.get(flag_path("BR")).body == BR


def test_a_client_that_says_goaway_may_end_what_it_has_begun() -> None:
    """A request is one that it waits for, even if its end is still to come."""
    with house(AT_ONCE) as server, client_of(server) as client:
        stream = begin(client)
        client.socket.sendall(b"\0\0\x08\x07\0\0\0\0\0" + bytes(8))
        ping(client)
        client.h2.end_stream(stream)
        client.flush()
        client.until(lambda: client.answers[stream].is_over)
        assert client.answers[stream].body == BR
        assert not client.receive()
    assert [record.status for record in server.log] == [200]


@pytest.mark.parametrize("seed", range(8))
def test_no_bytes_disturb_the_server(seed: int) -> None:
    """Damaged conversations end, nothing goes wrong inside, and the next client is served."""
    draw = random.Random(seed)
    with house(AT_ONCE) as server:
        with client_of(server) as client:
            client.receive()
            stream = client.h2.get_next_available_stream_id()
            fields = [*ASKING, (":path", flag_path("BR"))]
            client.h2.send_headers(stream, fields, end_stream=True)
            client.h2.ping(b"12345678")
            client.h2.increment_flow_control_window(1_000)
            sent = bytearray(client.h2.data_to_send())
            for _ in range(draw.randint(1, 5)):
                sent[draw.randrange(len(sent))] = draw.randrange(256)
            client.socket.sendall(sent)
            client.socket.settimeout(0.05)
            unread(client.socket)
        with client_of(server) as client:
            assert client.get(flag_path("BR")).body == BR


def test_a_connection_that_owes_is_dropped_with_its_trial() -> None:
    """What waits is unanswered, and the client learns of it."""
    with house(NEVER) as server, client_of(server) as client:
        client.ask(flag_path("BR"))
        site = server.site
        assert site is not None
        assert server.loop is not None
        wait_for(lambda: any(each.owes([site.public]) for each in site._connections.values()))  # noqa: SLF001
        server.loop.call_soon_threadsafe(site.clear)
        with suppress(ConnectionResetError, ssl.SSLEOFError):
            client.until(lambda: False)
    assert [record.status for record in server.log] == [UNANSWERED]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 24, 25, 33, 1_000])
def test_frames_are_told_apart_however_they_arrive(step: int) -> None:
    """No part holds bytes of two frames, and none is lost."""
    frames = [
        b"p" * 24,
        b"\0\0\x03\1\2\3\3\3\3abc",
        b"\0\0\0\4\0\0\0\0\0",
        b"\0\1\0\0\0\0\0\0\1" + b"x" * 256,
    ]
    sent = b"".join(frames)
    ends = {24, 36, 45, 310}
    cutter, at = FrameCutter(), 0
    for start in range(0, len(sent), step):
        for part in cutter.cut(sent[start : start + step]):
            assert part == sent[at : at + len(part)]
            assert not ends & set(range(at + 1, at + len(part)))
            at += len(part)
    assert at == len(sent)
