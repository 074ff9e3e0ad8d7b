"""Test encrypted connections over real sockets: certificates, handshakes, and closes."""

import asyncio
import json
import socket
import ssl
import struct
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import cast
from urllib.request import urlopen

import pytest

from bench.errors import SetupError
from bench.model.cases import Fault, Fixed, Profile
from bench.model.flags import all_flags
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.server.certificates import new_certificate_authority
from bench.server.control_messages import to_line
from bench.server.event_loop import new_event_loop
from bench.server.listeners import Listeners
from bench.server.resource_needs import ListenerSpec, listener_spec
from bench.server.state import new_state
from bench.server.tls import Handshakes, TlsProtocol
from bench.system.optional_dependencies import Extra, install_command
from tests.server_process import running_server, server_environment
from tests.threaded_server import TIME_OUT_S, ThreadedServer, threaded_server, wait_for

BR = all_flags()["BR"]
PLAIN = Profile("local")
ENCRYPTED = Profile("tls", tls=True)
HTTP2 = Profile("http2", tls=True, http2=True)
CLOSING_GET = b"GET /flags/br/br.gif HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def faulty(kind: str, *, tls: bool = False, http2: bool = False) -> Profile:
    """Return a profile whose fetches all meet a fault."""
    return Profile(kind, faults=(Fault(kind, 1.0),), tls=tls, http2=http2)


def read_all(connection: ssl.SSLSocket) -> bytes:
    """Read until the server's close_notify; without one ``SSLEOFError`` would be raised."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def failures(server: ThreadedServer) -> int:
    """Return how many handshakes failed."""
    assert server.listener.handshakes is not None
    return server.listener.handshakes.failed


def test_client_that_trusts_the_authority_gets_a_flag() -> None:
    with threaded_server(ENCRYPTED) as server:
        url = f"{server.listener.url}/flags/br/br.gif"
        with urlopen(url, context=server.client_context(), timeout=TIME_OUT_S) as response:  # noqa: S310  our own
            assert response.read() == BR
        assert failures(server) == 0
    assert [(each.status, each.country) for each in server.log] == [(200, "BR")]


def test_connection_counts_from_its_acceptance() -> None:
    """The handshake is part of setting up the connection, and of no response's lateness."""
    with threaded_server(ENCRYPTED) as server, socket.create_connection(server.address, TIME_OUT_S) as plain:
        time.sleep(0.05)
        with server.client_context().wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            connection.sendall(CLOSING_GET)
            assert read_all(connection).endswith(BR)
    (record,) = server.log
    assert record.arrival_s - record.accepted_s >= 0.05
    assert record.start_s - record.arrival_s < 0.05


@pytest.mark.parametrize(("profile", "spoken"), [(ENCRYPTED, "http/1.1"), (HTTP2, "h2")])
def test_listener_negotiates_one_protocol_only(profile: Profile, spoken: str) -> None:
    with threaded_server(profile) as server, server.connect("h2", "http/1.1") as connection:
        assert connection.selected_alpn_protocol() == spoken


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_certificate_is_valid_for_all_names_of_the_loopback(host: str) -> None:
    with (
        threaded_server(ENCRYPTED) as server,
        socket.create_connection(server.address, TIME_OUT_S) as plain,
        server.client_context().wrap_socket(plain, server_hostname=host) as connection,
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
def test_bad_certificate_is_rejected_for_its_reason_and_counted(kind: str, code: int, *, http2: bool) -> None:
    with threaded_server(faulty(kind, tls=True, http2=http2)) as server:
        for attempts in (1, 2):
            with pytest.raises(ssl.SSLCertVerificationError) as refused:
                server.connect("h2" if http2 else "http/1.1")
            assert refused.value.verify_code == code
            wait_for(lambda wanted=attempts: failures(server) == wanted)  # type: ignore[misc]
        assert server.listener.handshakes is not None
        assert server.listener.handshakes.begun == 2
    assert server.log == []


@pytest.mark.parametrize("latency_s", [0.0, 0.05])
@pytest.mark.parametrize("sent", [b"", CLOSING_GET, b"\x16\x03\x01", b"\0" * 100])
def test_failed_handshake_is_counted_and_closed(sent: bytes, latency_s: float) -> None:
    """Plain HTTP, garbage, half a hello, and a client that leaves, perhaps while held; others are served."""
    with threaded_server(replace(ENCRYPTED, connect_latency_s=latency_s)) as server:
        with socket.create_connection(server.address, TIME_OUT_S) as plain:
            plain.sendall(sent)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(1024):
                pass
        wait_for(lambda: failures(server) == 1)
        with server.connect() as connection:
            connection.sendall(CLOSING_GET)
            assert read_all(connection).endswith(BR)
    assert len(server.log) == 1


def test_unfinished_handshake_does_not_keep_the_server_running() -> None:
    with threaded_server(ENCRYPTED) as server:
        plain = socket.create_connection(server.address, TIME_OUT_S)
        wait_for(lambda: server.listener.handshakes is not None and server.listener.handshakes.begun == 1)
    with plain:
        assert plain.recv(1) == b""
    assert failures(server) == 1


def test_connection_ends_with_close_notify_and_fin() -> None:
    """The server does not wait for the client's own close_notify."""
    with threaded_server(ENCRYPTED) as server, server.connect() as connection:
        connection.sendall(CLOSING_GET)
        assert read_all(connection).endswith(BR)  # suppress_ragged_eofs is off: a cut would raise
        descriptor = socket.socket(fileno=connection.detach())
        with descriptor:
            descriptor.settimeout(TIME_OUT_S)
            assert descriptor.recv(1) == b""


def test_client_that_sends_close_notify_is_still_answered() -> None:
    slow = Profile("slow", Fixed(0.05), tls=True)
    with threaded_server(slow) as server, server.connect() as connection:
        connection.sendall(CLOSING_GET)
        connection.setblocking(False)  # noqa: FBT003  the socket's own way
        with pytest.raises(ssl.SSLWantReadError):
            connection.unwrap()
        connection.settimeout(TIME_OUT_S)
        received = bytearray()
        with suppress(ssl.SSLZeroReturnError):  # the server's close_notify after the client's own
            while part := connection.recv(65536):
                received += part
        assert received.endswith(BR)
    assert [each.status for each in server.log] == [200]


def test_refusal_reaches_a_client_that_keeps_sending() -> None:
    with threaded_server(ENCRYPTED) as server, server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: " + b"x" * 40_000)
        time.sleep(0.05)
        connection.sendall(b"x" * 40_000)
        assert read_all(connection).startswith(b"HTTP/1.1 431 ")
    assert [record.status for record in server.log] == [431]


def test_reset_reaches_the_client_as_a_reset() -> None:
    """Aborting a connection whose socket does not linger sends RST below the encryption."""

    class Resets(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            below: socket.socket = transport.get_extra_info("socket")
            below.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            cast("asyncio.Transport", transport).abort()

    async def serve_one() -> BaseException | None:
        authority = new_certificate_authority("127.0.0.1")
        context, handshakes = authority.server_context("good", "http/1.1"), Handshakes()
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
def test_reserved_port_refuses_connections_and_cannot_be_taken(*, tls: bool) -> None:
    with threaded_server(faulty("refused", tls=tls)) as server:
        assert server.listener.url.startswith("https:" if tls else "http:")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(server.address, TIME_OUT_S)
        with socket.socket() as another, pytest.raises(OSError, match="in use"):
            another.bind(server.address)


def test_every_authority_is_different() -> None:
    assert new_certificate_authority("127.0.0.1").pem != new_certificate_authority("127.0.0.1").pem


@pytest.mark.parametrize(
    ("profile", "endpoint"),
    [
        (Profile("p", Fixed(1)), ListenerSpec()),
        (faulty("stall"), ListenerSpec()),
        (ENCRYPTED, ListenerSpec("good")),
        (faulty("goaway", tls=True, http2=True), ListenerSpec("good", http2=True)),
        (faulty("tls_expired", tls=True), ListenerSpec("expired")),
        (faulty("tls_wrong_host", tls=True, http2=True), ListenerSpec("wrong_host", http2=True)),
        (faulty("refused"), ListenerSpec(is_listening=False)),
    ],
)
def test_listener_spec_follows_from_the_profile(profile: Profile, endpoint: ListenerSpec) -> None:
    assert listener_spec(profile) == endpoint


def test_trials_of_one_kind_share_a_listener() -> None:
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
        with urlopen(url, context=trusting, timeout=TIME_OUT_S) as response:  # noqa: S310  our own server
            assert response.read() == BR
        assert server.close_trial("a")[0].server_round.requests == 1


def test_handshakes_of_a_trial_are_counted() -> None:
    """They show how often a client tried when no request ever comes."""
    with running_server(ServerSettings(Profile("local"))) as server:
        opened = server.open_trial(Opening("t", faulty("tls_expired", tls=True), 0))
        trusting = ssl.create_default_context(cadata=opened.authority)
        with pytest.raises(OSError, match="certificate has expired"):
            urlopen(f"{opened.url}.0/flags/br/br.gif", context=trusting)  # noqa: S310  our own server
        wait_for(lambda: server.handshakes("t").failed == 1)
        assert server.handshakes("t").begun == 1
        assert server.close_trial("t") == {}


def test_server_without_encryption_imports_no_optional_library() -> None:
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


def test_missing_library_is_named_when_a_listener_needs_it() -> None:
    state = new_state(ServerSettings(ENCRYPTED), None)

    async def open_one() -> None:
        with ExitStack() as stack:
            listeners = Listeners(state, "127.0.0.1", stack, Extra("tls", ("no_such_module",)))
            listeners.find_or_open(ListenerSpec("good"))

    with pytest.raises(SetupError, match="TLS needs no_such_module") as fault:
        asyncio.run(open_one())
    assert fault.value.hint == install_command("tls")
