"""Test HTTP/2 over real sockets, with a client that checks every frame."""

import gc
import random
import socket
import ssl
import struct
import threading
import time
import weakref
from contextlib import suppress
from time import perf_counter
from types import SimpleNamespace

import pytest
from h2.errors import ErrorCodes
from h2.events import PingAckReceived
from h2.settings import SettingCodes

from bench.model.cases import Fixed, Profile, Uniform
from bench.model.flags import all_flags
from bench.model.planned_delays import plan_delay
from bench.server.connection_limits import ConnectionLimits
from bench.server.http2.frame_splitter import FrameSplitter
from bench.server.http2.protocol import Http2Protocol
from bench.server.http2.response_writer import respond
from bench.server.http2.send_queue import SendQueue
from bench.server.request_log import UNANSWERED, ConnectionInfo
from bench.server.routes import Routes
from bench.server.served_round import ServedRound
from tests.http2_client import Answered, Client, client_of, flag_path
from tests.threaded_server import threaded_server, wait_for

FLAGS = all_flags()
BR = FLAGS["BR"]
AT_ONCE = Profile("local", tls=True, http2=True)
NEVER = Profile("never", Fixed(60.0), tls=True, http2=True)
ASKING = ((":method", "GET"), (":scheme", "https"), (":authority", "flags"))
GREEDY = (1 << 31) - 1


def slow(seconds: float) -> Profile:
    """Return a profile with this delay."""
    return Profile("slow", Fixed(seconds), tls=True, http2=True)


def unread(server_socket: ssl.SSLSocket) -> bytes:
    """Read until the server closes or resets the connection."""
    received = b""
    with suppress(OSError):
        while part := server_socket.recv(65536):
            received += part
    return received


def ping(client: Client) -> None:
    """Send a ping and wait for its answer, so that all earlier frames have been read."""
    client.events.clear()
    client.h2.ping(b"12345678")
    client.flush()
    client.until(lambda: any(isinstance(event, PingAckReceived) for event in client.events))


def test_flag_is_served_with_its_headers() -> None:
    with threaded_server(AT_ONCE) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
    assert answered.body == BR
    assert answered.headers == {
        ":status": "200",
        "server": "flagbench",
        "content-type": "image/gif",
        "content-length": str(len(BR)),
    }


def test_each_request_is_logged_with_attempt_and_times() -> None:
    with threaded_server(slow(0.02)) as server, client_of(server) as client:
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


def test_streams_are_answered_when_due_and_never_early() -> None:
    profile = Profile("fair", Uniform(0.01, 0.15), tls=True, http2=True)
    countries = [*FLAGS][:40]
    with threaded_server(profile, seed=3) as server, client_of(server, GREEDY) as client:
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


def test_thousand_streams_may_be_open_at_once() -> None:
    with threaded_server(NEVER) as server:
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
def test_paths_and_methods_have_the_same_status_as_over_http1(path: str, method: str, status: int) -> None:
    with threaded_server(AT_ONCE) as server, client_of(server) as client:
        answered = client.get(path, method)
        assert (answered.status, client.is_closed) == (status, False)
        assert len(answered.body) == (0 if method == "HEAD" else int(answered.headers["content-length"]))
    assert [record.status for record in server.log] == [status]


def test_large_headers_are_refused_and_the_connection_stays_open() -> None:
    with threaded_server(AT_ONCE) as server, client_of(server) as client:
        assert client.get(flag_path("BR"), filling="x" * 20_000).status == 431
        assert client.get(flag_path("BR")).status == 200
    assert [record.status for record in server.log] == [431, 200]


def test_huge_headers_close_the_connection() -> None:
    with threaded_server(AT_ONCE) as server, client_of(server) as client:
        with suppress(OSError):
            client.get(flag_path("BR"), filling="x" * 100_000)
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert server.log == []


def test_request_body_is_dropped_and_a_large_one_refused() -> None:
    """The refusal comes while the client is still sending."""
    with threaded_server(AT_ONCE) as server, client_of(server) as client:
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
    with threaded_server(NEVER) as server, client_of(server) as client:
        client.ask(flag_path("BR"))
        ping(client)
        assert not client.is_closed


def test_small_window_is_never_exceeded() -> None:
    """h2 would close the connection otherwise."""
    with threaded_server(AT_ONCE) as server, client_of(server, initial_window=1_000) as client:
        answered = client.get(flag_path("BR"))
        assert answered.body == BR
        assert max(size for _, size in answered.pieces) <= 1_000
    assert [record.status for record in server.log] == [200]


def test_stream_without_window_does_not_delay_another() -> None:
    with threaded_server(AT_ONCE) as server, client_of(server, initial_window=1_000) as client:
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


def test_window_may_become_negative() -> None:
    """A smaller initial window leaves a stream with less than nothing, and the server waits."""
    with threaded_server(slow(0.05)) as server, client_of(server, initial_window=2_000) as client:
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


def test_each_stream_has_the_full_bandwidth() -> None:
    pace = len(BR) / 0.2
    with (
        threaded_server(Profile("paced", bandwidth=pace, tls=True, http2=True)) as server,
        client_of(server) as client,
    ):
        for _ in range(3):
            client.ask(flag_path("BR"))
        client.until(lambda: all(each.is_over for each in client.answers.values()))
        assert all(len(each.pieces) > 5 for each in client.answers.values())
    for record in server.log:
        assert 0.2 <= record.end_s - record.start_s < 0.5


def test_reset_stream_is_logged_as_unanswered() -> None:
    with threaded_server(slow(0.2)) as server, client_of(server) as client:
        given_up, kept = client.ask(flag_path("BR")), client.ask("/flags/cn/cn.gif")
        client.h2.reset_stream(given_up, ErrorCodes.CANCEL)
        client.flush()
        client.until(lambda: client.answers[kept].is_over)
        assert client.answers[kept].body == FLAGS["CN"]
    assert [(each.country, each.status) for each in server.log] == [("BR", UNANSWERED), ("CN", 200)]
    assert server.log[0].end_s < server.log[1].start_s


def test_rapid_resets_leave_no_scheduled_streams() -> None:
    """They are cheap for a client, and must be for the server (CVE-2023-44487)."""
    with threaded_server(NEVER) as server, client_of(server) as client:
        for _ in range(1_000):
            client.h2.reset_stream(client.ask("/flags/va/va.gif"), ErrorCodes.CANCEL)
        client.flush()
        wait_for(lambda: len(server.log) == 1_000)
        (connection,) = server.state.connections.values()
        assert len(connection._queue._schedule) < 100  # type: ignore[attr-defined]  # noqa: SLF001
    assert {record.status for record in server.log} == {UNANSWERED}


def test_closed_connection_logs_all_its_streams_as_unanswered() -> None:
    with threaded_server(NEVER) as server:
        with client_of(server) as client:
            for country in ("BR", "CN", "IN"):
                client.ask(flag_path(country))
            ping(client)
        left_s = perf_counter()
        wait_for(lambda: len(server.log) == 3)
    assert {record.status for record in server.log} == {UNANSWERED}
    assert all(abs(record.end_s - left_s) < 0.5 for record in server.log)


def test_response_to_a_reset_connection_is_unanswered() -> None:
    """Both wait when the server comes back: the response is due, and its client has left."""
    with threaded_server(slow(0.1)) as server:
        with client_of(server) as client:
            client.ask(flag_path("BR"))
            ping(client)
            server.loop.call_soon_threadsafe(time.sleep, 0.2)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_for(lambda: len(server.log) == 1)
    assert [record.status for record in server.log] == [UNANSWERED]


def test_client_that_sends_goaway_still_gets_its_responses() -> None:
    """It opens no more streams (RFC 9113, 6.8); then the server closes the connection."""
    with threaded_server(slow(0.1)) as server, client_of(server) as client:
        stream = client.ask(flag_path("BR"))
        client.socket.sendall(b"\0\0\x08\x07\0\0\0\0\0" + bytes(8))
        client.until(lambda: client.answers[stream].is_over)
        assert client.answers[stream].body == BR
        assert not client.receive()
    assert [record.status for record in server.log] == [200]


@pytest.mark.parametrize(
    "rubbish", [b"\xff" * 100, b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]
)
def test_garbage_gets_a_goaway(rubbish: bytes) -> None:
    with threaded_server(AT_ONCE) as server, server.connect("h2") as connection:
        connection.sendall(rubbish)
        assert b"\x07\0\0\0\0\0" in unread(connection)
    assert server.log == []


def test_http1_client_gets_505_in_http1() -> None:
    with threaded_server(AT_ONCE) as server, server.connect("http/1.1") as connection:
        assert connection.selected_alpn_protocol() is None
        connection.sendall(b"GET /flags/br/br.gif HTTP/1.1\r\nHost: x\r\n\r\n")
        assert unread(connection).startswith(b"HTTP/1.1 505 ")
    assert [record.status for record in server.log] == [505]


def test_invalid_frame_closes_the_connection_and_logs_its_requests() -> None:
    with threaded_server(NEVER) as server, client_of(server) as client:
        client.ask(flag_path("BR"))
        ping(client)
        client.socket.sendall(b"\0\0\x01\x06\0\0\0\0\0x")  # a PING of one byte
        client.until(lambda: False)
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.FRAME_SIZE_ERROR
    assert [record.status for record in server.log] == [UNANSWERED]


def begin(client: Client) -> int:
    """Send the headers of a request without its end, and return its stream."""
    stream = client.h2.get_next_available_stream_id()
    client.answers[stream] = Answered()
    client.h2.send_headers(stream, [*ASKING, (":path", flag_path("BR"))])
    client.flush()
    return stream


def test_dripping_request_times_out_on_its_stream_only() -> None:
    limits = ConnectionLimits(request_s=0.2)
    with threaded_server(AT_ONCE, limits=limits) as server, client_of(server) as client:
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


def test_oldest_slow_request_of_an_address_is_refused_above_the_limit() -> None:
    limits = ConnectionLimits(slow_requests_per_address=3)
    with threaded_server(AT_ONCE, limits=limits) as server:
        with client_of(server) as client:
            streams = [begin(client) for _ in range(5)]
            client.until(lambda: all(client.answers[each].is_over for each in streams[:2]))
            assert [client.answers[each].status for each in streams] == [408, 408, 0, 0, 0]
            client.h2.reset_stream(streams[2], ErrorCodes.CANCEL)
            client.h2.end_stream(streams[3])
            client.flush()
            client.until(lambda: client.answers[streams[3]].is_over)
            assert client.answers[streams[3]].status == 200
        wait_for(lambda: len(server.state.slow_requests) == 0)
    assert [record.status for record in server.log] == [408, 408, 200]


def test_completed_frame_is_not_counted_as_slow() -> None:
    """Its half frame was the oldest of everything incomplete when a new request came."""
    limits = ConnectionLimits(slow_requests_per_address=1)
    with threaded_server(AT_ONCE, limits=limits) as server, client_of(server) as client:
        ping(client)
        stream = client.h2.get_next_available_stream_id()
        client.answers[stream] = Answered()
        client.h2.send_headers(stream, [*ASKING, (":path", flag_path("BR"))])
        sent = client.h2.data_to_send()
        client.socket.sendall(sent[:5])
        wait_for(lambda: len(server.state.slow_requests) == 1)
        client.socket.sendall(sent[5:])
        ping(client)
        client.h2.end_stream(stream)
        client.flush()
        client.until(lambda: client.answers[stream].is_over)
        assert client.answers[stream].body == BR
    assert [record.status for record in server.log] == [200]


def test_closed_connection_is_freed_without_the_garbage_collector() -> None:
    """The server runs without it while it serves a trial."""
    gc.disable()
    try:
        with threaded_server(NEVER) as server:
            with client_of(server) as client:
                client.ask(flag_path("BR"))
                ping(client)
                (left,) = [weakref.ref(each) for each in gc.get_objects() if type(each) is Http2Protocol]
                assert left() is not None
            wait_for(lambda: left() is None)
    finally:
        gc.enable()


def test_refused_request_that_is_reset_is_logged_with_ordered_times() -> None:
    with threaded_server(AT_ONCE) as server, client_of(server) as client:
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
def test_frame_that_never_ends_closes_its_connection_only(part: bytes) -> None:
    limits = ConnectionLimits(request_s=0.1)
    with (
        threaded_server(AT_ONCE, limits=limits) as server,
        client_of(server) as idle,
        client_of(server) as client,
    ):
        ping(client)
        ping(idle)
        began_s = perf_counter()
        client.socket.sendall(part)
        client.until(lambda: False)
        assert 0.1 <= perf_counter() - began_s < 2
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert idle.get(flag_path("BR")).body == BR


def test_each_frame_has_its_own_time_out() -> None:
    """A client whose pieces hold the end of one frame and the start of the next is not slow."""
    limits = ConnectionLimits(request_s=0.2)
    frame = b"\0\0\x08\6\0\0\0\0\x0012345678"
    with threaded_server(AT_ONCE, limits=limits) as server, client_of(server) as client:
        client.socket.sendall(frame[:5])
        for _ in range(8):
            time.sleep(0.05)
            client.socket.sendall(frame[5:] + frame[:5])
        client.socket.sendall(frame[5:])
        assert client.get(flag_path("BR")).body == BR


def test_client_that_sends_goaway_may_complete_its_request() -> None:
    with threaded_server(AT_ONCE) as server, client_of(server) as client:
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
def test_damaged_input_does_not_disturb_the_server(seed: int) -> None:
    draw = random.Random(seed)
    with threaded_server(AT_ONCE) as server:
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


def test_aborted_connection_logs_its_waiting_request() -> None:
    with threaded_server(NEVER) as server, client_of(server) as client:
        client.ask(flag_path("BR"))
        state = server.state
        wait_for(lambda: any(each.has_pending([state.public]) for each in state.connections.values()))
        server.loop.call_soon_threadsafe(state.abort_connections)
        with suppress(ConnectionResetError, ssl.SSLEOFError):
            client.until(lambda: False)
    assert [record.status for record in server.log] == [UNANSWERED]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 24, 25, 33, 1_000])
def test_input_is_split_at_the_ends_of_frames(step: int) -> None:
    """No part holds bytes of two frames, and none is lost."""
    frames = [
        b"p" * 24,
        b"\0\0\x03\1\2\3\3\3\3abc",
        b"\0\0\0\4\0\0\0\0\0",
        b"\0\1\0\0\0\0\0\0\1" + b"x" * 256,
    ]
    sent = b"".join(frames)
    ends = {24, 36, 45, 310}
    splitter, at = FrameSplitter(), 0
    for start in range(0, len(sent), step):
        for part in splitter.split(sent[start : start + step]):
            assert part == sent[at : at + len(part)]
            assert not ends & set(range(at + 1, at + len(part)))
            at += len(part)
    assert at == len(sent)


def test_large_bodies_of_one_connection_leave_others_their_turn() -> None:
    """A client with a wide window takes megabytes at once; another's flag must not wait for all of them."""
    flags = {"BR": bytes(12 << 20), "US": b"GIF89a"}
    with (
        threaded_server(AT_ONCE, flags=flags) as server,
        client_of(server, GREEDY) as large,
        client_of(server) as small,
    ):
        large.h2.increment_flow_control_window(GREEDY - 65_535)
        answered = large.answers[large.ask(flag_path("BR"))]
        reading = threading.Thread(target=large.until, args=(lambda: answered.is_over,))
        reading.start()
        while reading.is_alive():
            small.get(flag_path("US"))
    assert answered.body == flags["BR"]
    first_end_s = min(record.end_s for record in server.log if record.country == "BR")
    assert sum(record.country == "US" and record.end_s < first_end_s for record in server.log) >= 3


class WideOpen:
    """An HTTP/2 connection and a transport that take everything at once."""

    max_outbound_frame_size = 16_384

    def __init__(self) -> None:
        self.sent_bytes = 0

    def local_flow_control_window(self, _stream: int) -> int:
        """Return the largest window."""
        return GREEDY

    def send_headers(self, *_fields: object, end_stream: bool) -> None:
        """Take headers."""

    def send_data(self, _stream: int, data: bytes, *, end_stream: bool) -> None:
        """Take data."""
        self.sent_bytes += len(data)
        self.is_ended = end_stream

    def data_to_send(self) -> bytes:
        """Return nothing: the frames are not looked at."""
        return b""

    def is_closing(self) -> bool:
        """Tell that the client is there."""
        return False


def test_connection_that_takes_everything_sends_one_turn_at_a_time() -> None:
    """Between two turns the event loop serves other connections."""
    taken: list[int] = []
    end = WideOpen()
    requests = SimpleNamespace(close=lambda _stream: None)
    queue = SendQueue(end, end, ConnectionInfo(1, 0.0), requests, lambda: None)  # type: ignore[arg-type]
    routes = Routes({"BR": bytes(12 << 20)})
    served = ServedRound(AT_ONCE, 1, 0, lambda *_fields: taken.append(end.sent_bytes))
    queue.add(respond(1, (served, routes.find(flag_path("BR").encode())), b"GET", perf_counter()))
    turns = 0
    while queue.send_due() == 0.0:
        turns += 1
        assert end.sent_bytes <= turns * (64 << 10)
    assert taken == [12 << 20]
