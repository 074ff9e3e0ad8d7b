"""Test the faults over HTTP/2: a strict client's view, and the log."""

import zlib
from collections.abc import Callable
from time import perf_counter, sleep
from urllib.parse import urljoin

import pytest
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from bench.model.cases import Fault, Fixed, Profile
from bench.model.faults import KINDS
from bench.model.flags import all_flags
from bench.server.http2.transport_faults import OF_ANY, OF_BODIES
from bench.server.request_log import UNANSWERED
from tests.http2_client import Answered, Client, client_of, flag_path
from tests.threaded_server import threaded_server

BR = all_flags()["BR"]
GREEDY = (1 << 31) - 1
MIB = 1024 * 1024


def meeting(kind: str, status: int = 0) -> Profile:
    """Return a profile whose fetches all meet a fault."""
    return Profile(kind, faults=(Fault(kind, 1.0, status),), tls=True, http2=True)


@pytest.mark.parametrize(
    ("kind", "asked", "status"),
    [
        ("status", 451, 451),
        ("not_found", 0, 404),
        ("server_error", 0, 500),
        ("unavailable", 0, 503),
        ("rate_limited", 0, 429),
        ("no_content", 0, 204),
        ("redirect_loop", 0, 302),
        ("redirect_off_host", 0, 302),
    ],
)
def test_replacement_has_its_status_and_keeps_the_connection_open(kind: str, asked: int, status: int) -> None:
    with threaded_server(meeting(kind, asked)) as server, client_of(server) as client:
        for _ in range(2):
            answered = client.get(flag_path("BR"))
            assert (answered.status, answered.is_ended) == (status, True)
            assert len(answered.body) == int(answered.headers.get("content-length", 0))
    assert [(each.status, each.fault, each.connection) for each in server.log] == [(status, kind, 1)] * 2


@pytest.mark.parametrize("kind", ["unavailable", "rate_limited"])
def test_retry_after_is_sent(kind: str) -> None:
    with threaded_server(meeting(kind)) as server, client_of(server) as client:
        assert client.get(flag_path("BR")).headers["retry-after"].isdigit()


def test_redirects_lead_back_or_to_another_host() -> None:
    with threaded_server(meeting("redirect_loop")) as server, client_of(server) as client:
        location = client.get(flag_path("BR")).headers["location"]
        assert urljoin(flag_path("BR"), location) == flag_path("BR")
    with threaded_server(meeting("redirect_off_host")) as server, client_of(server) as client:
        assert client.get(flag_path("BR")).headers["location"].startswith("http://192.0.2.1/")


def test_wrong_content_has_the_right_length() -> None:
    with threaded_server(meeting("wrong_content")) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
        assert (answered.status, len(answered.body), answered.body == BR) == (200, len(BR), False)


def test_empty_body_has_content_length_zero() -> None:
    with threaded_server(meeting("empty_body")) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
        assert (answered.status, answered.headers["content-length"]) == (200, "0")
        assert not answered.body


def test_sliced_response_is_complete() -> None:
    with threaded_server(meeting("slicer")) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
        assert answered.body == BR
        assert len(answered.pieces) > 3
    (record,) = server.log
    assert (record.status, record.fault) == (200, "slicer")
    assert 0.01 < record.end_s - record.start_s < 1.0


def test_gzip_bomb_unpacks_to_much_more_than_its_size() -> None:
    with threaded_server(meeting("gzip_bomb")) as server, client_of(server, GREEDY) as client:
        answered = client.get(flag_path("BR"))
        assert answered.headers["content-encoding"] == "gzip"
        assert len(answered.body) < 2 * MIB
        unpacker = zlib.decompressobj(31)
        assert unpacker.decompress(bytes(answered.body), 64 * MIB) == bytes(64 * MIB)
        unpacker.decompress(unpacker.unconsumed_tail, 1)
        assert not unpacker.eof


@pytest.mark.slow
def test_gzip_bomb_unpacks_to_its_end() -> None:
    with threaded_server(meeting("gzip_bomb")) as server, client_of(server, GREEDY) as client:
        packed, size = bytes(client.get(flag_path("BR")).body), 0
    unpacker = zlib.decompressobj(31)
    while not unpacker.eof:
        size += len(unpacker.decompress(packed, 16 * MIB))
        packed = unpacker.unconsumed_tail
    assert size == 1024 * MIB


@pytest.mark.parametrize(("kind", "share"), [("reset_before_headers", 0.0), ("reset_mid_body", 0.5)])
def test_reset_ends_one_stream_with_a_code_that_forbids_a_retry(kind: str, share: float) -> None:
    with threaded_server(meeting(kind)) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
        assert answered.reset == ErrorCodes.INTERNAL_ERROR
        assert answered.reset != ErrorCodes.REFUSED_STREAM
        assert len(answered.body) == int(len(BR) * share)
        assert bool(answered.headers) == bool(share)
        assert client.get("/").status == 200
    assert [(each.status, each.fault) for each in server.log] == [(UNANSWERED, kind), (200, "")]


@pytest.mark.parametrize(
    ("kind", "is_so"),
    [
        ("stall", lambda answered: len(answered.body) == len(BR) // 2),
        ("drip", lambda answered: len(answered.body) == 3),
        ("slow_headers", lambda answered: not answered.headers),
    ],
)
def test_endless_response_lasts_until_the_client_resets_it(
    kind: str, is_so: Callable[[Answered], bool]
) -> None:
    """Other streams are served meanwhile."""
    with threaded_server(meeting(kind)) as server, client_of(server) as client:
        stream = client.ask(flag_path("BR"))
        client.until(lambda: is_so(client.answers[stream]))
        assert client.get("/").status == 200
        assert not client.answers[stream].is_over
        asked_s = perf_counter()
        sleep(0.05)
        client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        client.flush()
        assert client.get("/").status == 200
    record = server.log[1]
    assert (record.status, record.fault) == (UNANSWERED, kind)
    assert record.end_s - asked_s >= 0.05


def test_goaway_allows_no_stream_to_be_retried() -> None:
    """Its last stream is the last that was opened, so that none may be resent (RFC 9113, 6.8)."""
    with threaded_server(meeting("goaway")) as server, client_of(server) as client:
        client.receive()
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", "x"), (":path", flag_path("BR"))]
        for stream in (1, 3, 5):
            client.answers[stream] = Answered()
            client.h2.send_headers(stream, fields, end_stream=True)
        client.flush()
        client.until(lambda: False)
        assert client.goaway is not None
        assert (client.goaway.error_code, client.goaway.last_stream_id) == (ErrorCodes.NO_ERROR, 5)
        assert not any(answered.headers for answered in client.answers.values())
    assert [(each.status, each.fault) for each in server.log] == [
        (UNANSWERED, "goaway"),
        (UNANSWERED, ""),
        (UNANSWERED, ""),
    ]


def complaint_about(client: Client) -> str:
    """Request a flag, and return the protocol error that the client raises."""
    with pytest.raises(ProtocolError) as refused:
        client.get(flag_path("BR"))
    return f"{type(refused.value).__name__}: {refused.value}"


@pytest.mark.parametrize(
    ("kind", "complaint", "status"),
    [
        ("short_body", f"Expected {len(BR)} bytes, received {len(BR) // 2}", UNANSWERED),
        ("surplus_bytes", f"Expected {len(BR)} bytes, received {len(BR) + 34}", 200),
        ("bad_length", "Invalid content-length header", 200),
        ("duplicate_length", "Conflicting content-length headers", 200),
        ("huge_header", "DenialOfServiceError", 200),
    ],
)
def test_strict_client_names_the_rule_that_is_broken(kind: str, complaint: str, status: int) -> None:
    with threaded_server(meeting(kind)) as server, client_of(server, GREEDY) as client:
        client.h2.increment_flow_control_window(MIB)
        client.flush()
        said = complaint_about(client)
    assert complaint in said
    assert [(each.status, each.fault) for each in server.log] == [(status, kind)]


@pytest.mark.parametrize("kind", ["stall", "reset_mid_body", "slicer"])
def test_head_meets_no_fault_that_needs_a_body(kind: str) -> None:
    with threaded_server(meeting(kind)) as server, client_of(server) as client:
        assert client.get(flag_path("BR"), "HEAD").headers["content-length"] == str(len(BR))
    assert [(each.status, each.fault) for each in server.log] == [(200, "")]


def test_fault_is_not_logged_if_the_client_left_before_it_began() -> None:
    late = Profile("late", Fixed(60.0), faults=(Fault("stall", 1.0),), tls=True, http2=True)
    with threaded_server(late) as server, client_of(server) as client:
        client.h2.reset_stream(client.ask(flag_path("BR")), ErrorCodes.CANCEL)
        client.flush()
        assert client.get("/").status == 200
    assert [(each.status, each.fault) for each in server.log] == [(UNANSWERED, ""), (200, "")]


def test_low_bandwidth_does_not_delay_a_fault() -> None:
    paced = Profile("p", bandwidth=100.0, faults=(Fault("reset_mid_body", 1.0),), tls=True, http2=True)
    with threaded_server(paced) as server, client_of(server) as client:
        assert client.get(flag_path("BR")).reset == ErrorCodes.INTERNAL_ERROR
    assert server.log[0].end_s - server.log[0].start_s < 1.0


def test_every_kind_of_fault_over_http2_is_implemented() -> None:
    answers = {"status", "not_found", "server_error", "unavailable", "rate_limited", "no_content"}
    answers |= {"redirect_loop", "redirect_off_host", "wrong_content", "empty_body", "gzip_bomb"}
    had = {kind for kind, each in KINDS.items() if each.http2 != "none" and not each.is_total}
    assert OF_ANY.keys() | OF_BODIES.keys() == had - answers
