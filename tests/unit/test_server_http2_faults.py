"""Each fault over HTTP/2: what a strict client is told, and what the log says was done to it."""

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
from bench.server.http2.transport_faults import OF_BODIES, OF_HEADS
from bench.server.request_log import UNANSWERED
from tests.encrypted_server import house
from tests.http2_client import Answered, Client, client_of, flag_path

BR = all_flags()["BR"]
GREEDY = (1 << 31) - 1
MIB = 1024 * 1024


def meeting(kind: str, status: int = 0) -> Profile:
    """Return a profile all of whose fetches meet a fault."""
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
def test_other_answers_have_their_status(kind: str, asked: int, status: int) -> None:
    """They are whole, and the connection goes on."""
    with house(meeting(kind, asked)) as server, client_of(server) as client:
        for _ in range(2):
            answered = client.get(flag_path("BR"))
            assert (answered.status, answered.is_ended) == (status, True)
            assert len(answered.body) == int(answered.headers.get("content-length", 0))
    assert [(each.status, each.fault, each.connection) for each in server.log] == [(status, kind, 1)] * 2


@pytest.mark.parametrize("kind", ["unavailable", "rate_limited"])
def test_a_client_is_told_when_to_come_back(kind: str) -> None:
    """Whether it does is its own matter."""
    with house(meeting(kind)) as server, client_of(server) as client:
        assert client.get(flag_path("BR")).headers["retry-after"].isdigit()


def test_redirects_lead_round_or_away() -> None:
    """To the same address, or to one that is nobody's (RFC 5737)."""
    with house(meeting("redirect_loop")) as server, client_of(server) as client:
        location = client.get(flag_path("BR")).headers["location"]
        assert urljoin(flag_path("BR"), location) == flag_path("BR")
    with house(meeting("redirect_off_host")) as server, client_of(server) as client:
        assert client.get(flag_path("BR")).headers["location"].startswith("http://192.0.2.1/")


def test_wrong_content_is_as_long_as_the_right_one() -> None:
    """Only a look at the bytes tells."""
    with house(meeting("wrong_content")) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
        assert (answered.status, len(answered.body), answered.body == BR) == (200, len(BR), False)


def test_an_empty_body_says_that_it_is_empty() -> None:
    """200, and nothing else to complain of."""
    with house(meeting("empty_body")) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
        assert (answered.status, answered.headers["content-length"]) == (200, "0")
        assert not answered.body


def test_a_sliced_answer_is_whole() -> None:
    """It comes in pieces, and soon."""
    with house(meeting("slicer")) as server, client_of(server) as client:
        answered = client.get(flag_path("BR"))
        assert answered.body == BR
        assert len(answered.pieces) > 3
    (record,) = server.log
    assert (record.status, record.fault) == (200, "slicer")
    assert 0.01 < record.end_s - record.start_s < 1.0


def test_a_gzip_bomb_holds_a_thousand_times_its_size() -> None:
    """It is a proper gzip as far as anyone dares to unpack it."""
    with house(meeting("gzip_bomb")) as server, client_of(server, GREEDY) as client:
        answered = client.get(flag_path("BR"))
        assert answered.headers["content-encoding"] == "gzip"
        assert len(answered.body) < 2 * MIB
        unpacker = zlib.decompressobj(31)
        assert unpacker.decompress(bytes(answered.body), 64 * MIB) == bytes(64 * MIB)
        unpacker.decompress(unpacker.unconsumed_tail, 1)
        assert not unpacker.eof


@pytest.mark.slow
def test_a_gzip_bomb_is_sound_to_its_end() -> None:
    """Its checksum and length are those of 1 GiB of zeros."""
    with house(meeting("gzip_bomb")) as server, client_of(server, GREEDY) as client:
        packed, size = bytes(client.get(flag_path("BR")).body), 0
    unpacker = zlib.decompressobj(31)
    while not unpacker.eof:
        size += len(unpacker.decompress(packed, 16 * MIB))
        packed = unpacker.unconsumed_tail
    assert size == 1024 * MIB


@pytest.mark.parametrize(("kind", "share"), [("reset_before_headers", 0.0), ("reset_mid_body", 0.5)])
def test_a_reset_ends_one_stream(kind: str, share: float) -> None:
    """With a code that is no leave to retry; the connection goes on."""
    with house(meeting(kind)) as server, client_of(server) as client:
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
def test_what_never_ends_is_the_clients_to_give_up(kind: str, is_so: Callable[[Answered], bool]) -> None:
    """Other streams go on meanwhile; the log has the request once the client has left it."""
    with house(meeting(kind)) as server, client_of(server) as client:
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


def test_goaway_leaves_no_stream_to_be_tried_again() -> None:
    """Its last stream is the last that was opened, so that nobody may resend any of them (RFC 9113, 6.8)."""
    with house(meeting("goaway")) as server, client_of(server) as client:
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


def told(client: Client) -> str:
    """Ask for a flag, and return what the client's state machine holds against the answer."""
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
def test_what_no_proper_server_sends_is_what_is_sent(kind: str, complaint: str, status: int) -> None:
    """A strict client says which rule was broken, and it is the one that is meant."""
    with house(meeting(kind)) as server, client_of(server, GREEDY) as client:
        client.h2.increment_flow_control_window(MIB)
        client.flush()
        said = told(client)
    assert complaint in said
    assert [(each.status, each.fault) for each in server.log] == [(status, kind)]


@pytest.mark.parametrize("kind", ["stall", "reset_mid_body", "slicer"])
def test_what_has_no_body_cannot_have_it_spoilt(kind: str) -> None:
    """HEAD is answered as ever, and the log claims no fault."""
    with house(meeting(kind)) as server, client_of(server) as client:
        assert client.get(flag_path("BR"), "HEAD").headers["content-length"] == str(len(BR))
    assert [(each.status, each.fault) for each in server.log] == [(200, "")]


def test_a_fault_that_was_not_carried_out_is_not_claimed() -> None:
    """Its client left before the answer was due."""
    late = Profile("late", Fixed(60.0), faults=(Fault("stall", 1.0),), tls=True, http2=True)
    with house(late) as server, client_of(server) as client:
        client.h2.reset_stream(client.ask(flag_path("BR")), ErrorCodes.CANCEL)
        client.flush()
        assert client.get("/").status == 200
    assert [(each.status, each.fault) for each in server.log] == [(UNANSWERED, ""), (200, "")]


def test_no_bandwidth_holds_up_a_fault() -> None:
    """It ends in its own class, not in a time-out."""
    paced = Profile("p", bandwidth=100.0, faults=(Fault("reset_mid_body", 1.0),), tls=True, http2=True)
    with house(paced) as server, client_of(server) as client:
        assert client.get(flag_path("BR")).reset == ErrorCodes.INTERNAL_ERROR
    assert server.log[0].end_s - server.log[0].start_s < 1.0


def test_every_kind_that_http2_can_have_is_made() -> None:
    """Those that are other answers have been seen above; the rest come before there is a request."""
    answers = {"status", "not_found", "server_error", "unavailable", "rate_limited", "no_content"}
    answers |= {"redirect_loop", "redirect_off_host", "wrong_content", "empty_body", "gzip_bomb"}
    had = {kind for kind, each in KINDS.items() if each.http2 != "none" and not each.is_total}
    assert OF_HEADS.keys() | OF_BODIES.keys() == had - answers
