"""Encrypted connections over real sockets: certificates, handshakes, and how connections end."""

import asyncio
import json
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import cast
from urllib.request import urlopen

import pytest

from bench.errors import SetupError
from bench.model.cases import Fault, Fixed, Profile
from bench.model.flags import all_flags
from bench.server import listeners
from bench.server.certificates import new_certificate_authority
from bench.server.control_messages import to_line
from bench.server.event_loop import new_event_loop
from bench.server.listeners import Endpoint, endpoint_of
from bench.server.open_trials import Opening
from bench.server.settings import ServerSettings
from bench.server.tls import Handshakes, TlsProtocol
from bench.system.optional_dependencies import TLS, Extra, missing_extra
from tests.encrypted_server import PATIENCE_S, EncryptedHouse, house
from tests.server_process import running_server, server_environment

BR = all_flags()["BR"]
PLAIN = Profile("local")
ENCRYPTED = Profile("tls", tls=True)
HTTP2 = Profile("http2", tls=True, http2=True)
CLOSING_GET = b"GET /flags/br/br.gif HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def faulty(kind: str, *, tls: bool = False, http2: bool = False) -> Profile:
    """Return a profile all of whose fetches meet a fault."""
    return Profile(kind, faults=(Fault(kind, 1.0),), tls=tls, http2=http2)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until another thread has seen to something."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def read_all(connection: ssl.SSLSocket) -> bytes:
    """Read until the server says goodbye; one that does not would raise ``SSLEOFError``."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def failures(server: EncryptedHouse) -> int:
    """Return how many handshakes failed."""
    assert server.door.handshakes is not None
    return server.door.handshakes.failed


def test_a_flag_is_served_to_a_client_that_trusts_the_authority() -> None:
    """The standard library's own client is content with the certificate."""
    with house(ENCRYPTED) as server:
        url = f"{server.door.url}/flags/br/br.gif"
        with urlopen(url, context=server.context(), timeout=PATIENCE_S) as response:  # noqa: S310  our own
            assert response.read() == BR
        assert failures(server) == 0
    assert [(each.status, each.country) for each in server.log] == [(200, "BR")]


def test_setting_up_the_connection_counts_from_its_acceptance() -> None:
    """The handshake is part of what a client needs to connect, and of no answer's lateness."""
    with house(ENCRYPTED) as server, socket.create_connection(server.address, PATIENCE_S) as plain:
        time.sleep(0.05)
        with server.context().wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            connection.sendall(CLOSING_GET)
            assert read_all(connection).endswith(BR)
    (record,) = server.log
    assert record.arrival_s - record.accepted_s >= 0.05
    assert record.start_s - record.arrival_s < 0.05


@pytest.mark.parametrize(("profile", "spoken"), [(ENCRYPTED, "http/1.1"), (HTTP2, "h2")])
def test_a_port_offers_one_protocol_only(profile: Profile, spoken: str) -> None:
    """A client that offers both gets the one of the profile, and none falls back without a word."""
    with house(profile) as server, server.connect("h2", "http/1.1") as connection:
        assert connection.selected_alpn_protocol() == spoken


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_the_certificate_is_good_for_all_names_of_the_loopback(host: str) -> None:
    """Whichever of them a client was told."""
    with (
        house(ENCRYPTED) as server,
        socket.create_connection(server.address, PATIENCE_S) as plain,
        server.context().wrap_socket(plain, server_hostname=host) as connection,
    ):
        assert connection.version() == "TLSv1.3"


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("tls_expired", 10),  # X509_V_ERR_CERT_HAS_EXPIRED
        ("tls_wrong_host", 64),  # X509_V_ERR_IP_ADDRESS_MISMATCH
        ("tls_unknown_authority", 20),  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    ],
)
def test_each_bad_certificate_is_bad_in_its_own_way(kind: str, code: int, *, http2: bool) -> None:
    """And in no other: OpenSSL names what it found; each attempt is counted, and none is a request."""
    with house(faulty(kind, tls=True, http2=http2)) as server:
        for attempts in (1, 2):
            with pytest.raises(ssl.SSLCertVerificationError) as refused:
                server.connect("h2" if http2 else "http/1.1")
            assert refused.value.verify_code == code
            wait_for(lambda wanted=attempts: failures(server) == wanted)  # type: ignore[misc]
        assert server.door.handshakes is not None
        assert server.door.handshakes.begun == 2
    assert server.log == []


@pytest.mark.parametrize("sent", [b"", CLOSING_GET, b"\x16\x03\x01", b"\0" * 100])
def test_what_is_no_handshake_is_counted_and_hung_up_on(sent: bytes) -> None:
    """Plain HTTP, garbage, half a greeting, and a client that has second thoughts; others are served."""
    with house(ENCRYPTED) as server:
        with socket.create_connection(server.address, PATIENCE_S) as plain:
            plain.sendall(sent)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(1024):
                pass
        wait_for(lambda: failures(server) == 1)
        with server.connect() as connection:
            connection.sendall(CLOSING_GET)
            assert read_all(connection).endswith(BR)
    assert len(server.log) == 1


def test_a_handshake_under_way_does_not_keep_the_server() -> None:
    """It ends with its server, and the client learns of it."""
    with house(ENCRYPTED) as server:
        plain = socket.create_connection(server.address, PATIENCE_S)
        wait_for(lambda: server.door.handshakes is not None and server.door.handshakes.begun == 1)
    with plain:
        assert plain.recv(1) == b""
    assert failures(server) == 1


def test_the_end_is_a_goodbye_and_then_a_fin() -> None:
    """The server does not wait for the client's own goodbye before it closes."""
    with house(ENCRYPTED) as server, server.connect() as connection:
        connection.sendall(CLOSING_GET)
        assert read_all(connection).endswith(BR)  # suppress_ragged_eofs is off: a cut would raise
        descriptor = socket.socket(fileno=connection.detach())
        with descriptor:
            descriptor.settimeout(PATIENCE_S)
            assert descriptor.recv(1) == b""


def test_a_client_may_close_its_own_side_first() -> None:
    """Its goodbye after the request leaves the answer to be sent, as a FIN does without TLS."""
    slow = Profile("slow", Fixed(0.05), tls=True)
    with house(slow) as server, server.connect() as connection:
        connection.sendall(CLOSING_GET)
        connection.setblocking(False)  # noqa: FBT003  the socket's own way
        with pytest.raises(ssl.SSLWantReadError):
            connection.unwrap()
        connection.settimeout(PATIENCE_S)
        received = bytearray()
        with suppress(ssl.SSLZeroReturnError):  # how OpenSSL calls the server's goodbye after one's own
            while part := connection.recv(65536):
                received += part
        assert received.endswith(BR)
    assert [each.status for each in server.log] == [200]


def test_a_refusal_reaches_a_client_that_is_still_sending() -> None:
    """What comes after the server's goodbye is dropped, and not answered with a reset."""
    with house(ENCRYPTED) as server, server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: " + b"x" * 40_000)
        time.sleep(0.05)
        connection.sendall(b"x" * 40_000)
        assert read_all(connection).startswith(b"HTTP/1.1 431 ")
    assert [record.status for record in server.log] == [431]


def test_a_reset_reaches_the_client_as_a_reset() -> None:
    """Aborting a connection whose socket does not linger sends RST below the encryption."""

    class Resets(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            below: socket.socket = transport.get_extra_info("socket")
            below.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            cast("asyncio.Transport", transport).abort()

    async def serve_one() -> BaseException | None:
        authority = new_certificate_authority("127.0.0.1")
        context, handshakes = authority.context("good", "http/1.1"), Handshakes()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: TlsProtocol(context, lambda _: Resets(), handshakes), "127.0.0.1", 0
        )
        trusting = ssl.create_default_context(cadata=authority.pem)
        host, port = server.sockets[0].getsockname()
        try:
            reader, writer = await asyncio.open_connection(host, port, ssl=trusting)
        except OSError as error:
            return error
        try:
            await reader.read()
        except OSError as error:
            return error
        finally:
            writer.close()
            server.close()
        return None

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert isinstance(runner.run(serve_one()), ConnectionResetError)


@pytest.mark.parametrize("tls", [False, True])
def test_a_port_where_nobody_listens_refuses(*, tls: bool) -> None:
    """And nobody else can have it meanwhile."""
    with house(faulty("refused", tls=tls)) as server:
        assert server.door.url.startswith("https:" if tls else "http:")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(server.address, PATIENCE_S)
        with socket.socket() as another, pytest.raises(OSError, match="in use"):
            another.bind(server.address)


def test_no_two_authorities_are_alike() -> None:
    """One run's certificates are worth nothing to another."""
    assert new_certificate_authority("127.0.0.1").pem != new_certificate_authority("127.0.0.1").pem


@pytest.mark.parametrize(
    ("profile", "endpoint"),
    [
        (Profile("p", Fixed(1)), Endpoint()),
        (faulty("stall"), Endpoint()),
        (ENCRYPTED, Endpoint("good")),
        (faulty("goaway", tls=True, http2=True), Endpoint("good", http2=True)),
        (faulty("tls_expired", tls=True), Endpoint("expired")),
        (faulty("tls_wrong_host", tls=True, http2=True), Endpoint("wrong_host", http2=True)),
        (faulty("refused"), Endpoint(is_listening=False)),
    ],
)
def test_a_profile_says_what_it_needs_of_a_listener(profile: Profile, endpoint: Endpoint) -> None:
    """Weather makes no difference, and the faults of answers make none."""
    assert endpoint_of(profile) == endpoint


def test_trials_of_a_kind_share_a_listener_and_others_do_not() -> None:
    """Each trial is told its own address, and the authority if it needs one."""
    with running_server(ServerSettings(Profile("local"))) as server:
        one = server.open_trial(Opening("a", ENCRYPTED, 0))
        same = server.open_trial(Opening("b", Profile("slow", Fixed(0.1), tls=True), 0))
        other = server.open_trial(Opening("c", HTTP2, 0))
        plain = server.open_trial(Opening("d", Profile("local"), 0))
        assert one.url.removesuffix("a") == same.url.removesuffix("b") != other.url.removesuffix("c")
        assert one.url.startswith("https://127.0.0.1:")
        assert plain.url == f"{server.base_url}/-/d"
        assert one.authority == other.authority != plain.authority == ""
        url = f"{one.url}.0/flags/br/br.gif"
        trusting = ssl.create_default_context(cadata=one.authority)
        with urlopen(url, context=trusting, timeout=PATIENCE_S) as response:  # noqa: S310  our own server
            assert response.read() == BR
        assert server.close_trial("a")[0].witness.requests == 1


def test_the_handshakes_at_a_trial_can_be_asked_for() -> None:
    """They prove how often a client tried where no request ever comes."""
    with running_server(ServerSettings(Profile("local"))) as server:
        opened = server.open_trial(Opening("t", faulty("tls_expired", tls=True), 0))
        trusting = ssl.create_default_context(cadata=opened.authority)
        with pytest.raises(OSError, match="certificate has expired"):
            urlopen(f"{opened.url}.0/flags/br/br.gif", context=trusting)  # noqa: S310  our own server
        wait_for(lambda: server.handshakes("t").failed == 1)
        assert server.handshakes("t").begun == 1
        assert server.close_trial("t") == {}


def test_plain_runs_import_nothing_of_it() -> None:
    """Neither the server nor its start pays for what a run does not use; asyncio itself imports ssl."""
    program = (
        "import sys, json\n"
        "from bench.server.control_server import main\n"
        "main()\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    started, opened = {"start": ServerSettings(PLAIN)}, {"open": Opening("t", PLAIN, 0)}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        input=(to_line(started) + to_line(opened)).decode(),
        env=server_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    *replies, modules = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [next(iter(reply)) for reply in replies] == ["ready", "opened"]
    roots = {name.partition(".")[0] for name in modules}
    assert not roots & {"trustme", "cryptography", "h2", "hpack", "hyperframe"}
    assert not {"bench.server.tls", "bench.server.certificates"} & set(modules)


def test_what_is_not_installed_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is served."""
    lack = missing_extra(Extra("tls", ("sys", "no_such_module")))
    assert str(lack) == "needs no_such_module, which is not installed: pip install 'flagbench[tls]'"
    assert str(missing_extra(Extra("x", ("no_such_a", "no_such_b")))).startswith(
        "needs no_such_a and no_such_b, wh"
    )
    assert missing_extra(TLS) is None
    monkeypatch.setattr(listeners, "TLS", Extra("tls", ("no_such_module",)))

    async def open_one() -> None:
        async with AsyncExitStack() as stack:
            await listeners.Endpoints(None, "127.0.0.1", stack).find(Endpoint("good"))  # type: ignore[arg-type]

    with pytest.raises(SetupError, match="TLS needs no_such_module") as fault:
        asyncio.run(open_one())
    assert fault.value.hint == "pip install 'flagbench[tls]'"
