"""Test that new connections are delayed, over plain HTTP, TLS and HTTP/2, and end as others do."""

import asyncio
import gc
import socket
import ssl
import weakref
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from unittest.mock import Mock

import pytest

from bench.model.cases import Fault, Fixed, Profile
from bench.model.flags import all_flags
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.server import tls
from bench.server.connect_latency import HeldConnection, hold_connections
from bench.server.connection_limits import ConnectionLimits
from bench.server.http1.protocol import FlagProtocol
from bench.server.request_log import UNANSWERED, Record
from bench.server.resource_needs import ListenerSpec, count_listeners, listener_spec
from tests.http2_client import client_of
from tests.in_process_server import InProcessServer, get, last, run_server
from tests.server_process import running_server
from tests.threaded_server import TIME_OUT_S, ThreadedServer, threaded_server, wait_for
from tests.unit.test_server_hostile_clients import open_connections, until
from tests.unit.test_server_http1 import reset

LATENCY_S = 0.1
DISTANT = Profile("distant", connect_latency_s=LATENCY_S)
LONG = Profile("long", connect_latency_s=60.0)
"""Its connections are held until the end of any test."""
ENCRYPTED = Profile("tls", tls=True, connect_latency_s=LATENCY_S)
HTTP2 = Profile("http2", tls=True, http2=True, connect_latency_s=LATENCY_S)
BR = all_flags()["BR"]


def connecting_s(record: Record) -> float:
    """Return the time from accepting a connection to a request on it."""
    return record.arrival_s - record.accepted_s


def fetch_encrypted(server: ThreadedServer, version: ssl.TLSVersion) -> None:
    """Fetch a flag on a connection of its own."""
    context = server.client_context()
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(server.address, TIME_OUT_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(last("/flags/br/br.gif"))
        received = b""
        while part := connection.recv(65536):
            received += part
        assert received.endswith(BR)


def test_request_that_comes_at_once_has_arrived_after_the_latency() -> None:

    async def talk(server: InProcessServer) -> None:
        began_s = perf_counter()
        assert (await server.send(last("/flags/br/br.gif"))).endswith(BR)
        assert perf_counter() - began_s >= LATENCY_S

    (record,) = run_server(DISTANT, talk)
    assert connecting_s(record) >= LATENCY_S
    assert record.start_s >= record.arrival_s


def test_latency_of_the_response_counts_from_there() -> None:

    async def talk(server: InProcessServer) -> None:
        await server.send(last("/flags/br/br.gif"))

    (record,) = run_server(Profile("p", Fixed(0.05), connect_latency_s=LATENCY_S), talk)
    assert record.start_s - record.accepted_s >= LATENCY_S + 0.05


def test_connection_is_delayed_once() -> None:
    """Twenty more requests on it take less than half of twenty delays."""

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            for _ in range(21):
                writer.write(get("/flags/br/br.gif", method="HEAD"))
                await reader.readuntil(b"\r\n\r\n")

    first, *others = run_server(DISTANT, talk)
    assert connecting_s(first) >= LATENCY_S
    assert others[-1].end_s - first.end_s < 10 * LATENCY_S
    assert {each.connection for each in others} == {first.connection}


def test_request_that_comes_later_is_answered_as_soon_as_it_comes() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            await asyncio.sleep(LATENCY_S + 0.05)
            sent_s = perf_counter()
            writer.write(last("/flags/br/br.gif"))
            assert (await reader.read()).endswith(BR)
            assert server.log[0].arrival_s >= sent_s

    assert len(run_server(DISTANT, talk)) == 1


@pytest.mark.parametrize("pause_s", [0.0, 0.03])
def test_requests_in_pieces_while_held_are_answered_in_order(pause_s: float) -> None:
    asked = get("/flags/br/br.gif", method="HEAD") + get("/flags/zz/zz.gif") + last("/flags/br/br.gif")

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            for at in range(0, len(asked), 60):
                writer.write(asked[at : at + 60])
                await asyncio.sleep(pause_s)
            assert (await reader.read()).endswith(BR)

    log = run_server(DISTANT, talk)
    assert [each.status for each in log] == [200, 404, 200]
    assert min(connecting_s(each) for each in log) >= LATENCY_S


def test_client_that_closes_its_side_while_held_is_answered() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(get("/flags/br/br.gif"))
            writer.write_eof()
            assert (await reader.read()).endswith(BR)

    (record,) = run_server(DISTANT, talk)
    assert connecting_s(record) >= LATENCY_S


def test_connection_of_a_client_that_leaves_without_a_request_ends_at_once() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection():
            await until(lambda: open_connections(server) == 1)
        await until(lambda: open_connections(server) == 0)

    assert run_server(LONG, talk) == []


def test_client_that_leaves_while_held_is_logged_and_its_objects_are_freed() -> None:
    held: list[weakref.ref[object]] = []

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (_, writer):
            writer.write(get("/flags/br/br.gif") * 3)
            await asyncio.sleep(0.02)
            kinds = (HeldConnection, FlagProtocol)
            held.extend(weakref.ref(each) for each in gc.get_objects() if type(each) in kinds)
            assert len(held) == 2
            reset(writer)
        await until(lambda: open_connections(server) == 0)
        await asyncio.sleep(0.02)
        assert [ref() for ref in held] == [None, None]

    gc.disable()
    try:
        log = run_server(Profile("p", Fixed(5), connect_latency_s=0.3), talk)
    finally:
        gc.enable()
    assert [each.status for each in log] == [UNANSWERED] * 3
    assert min(connecting_s(each) for each in log) >= LATENCY_S


def test_held_connection_is_freed_once_it_is_served() -> None:

    async def talk(server: InProcessServer) -> None:
        async with server.connection() as (reader, writer):
            writer.write(get("/", method="HEAD"))
            await reader.readuntil(b"\r\n\r\n")
            assert [each for each in gc.get_objects() if type(each) is HeldConnection] == []

    gc.disable()
    try:
        run_server(DISTANT, talk)
    finally:
        gc.enable()


@pytest.mark.parametrize("encrypted", [False, True])
def test_server_that_stops_ends_the_connections_that_it_holds(*, encrypted: bool) -> None:
    profile = Profile("long", tls=encrypted, connect_latency_s=60.0)
    with threaded_server(profile) as server:
        plain = socket.create_connection(server.address, TIME_OUT_S)
        plain.sendall(get("/flags/br/br.gif"))
        handshakes = server.listener.handshakes
        wait_for(lambda: bool(handshakes.begun if handshakes else server.state.connections))
    with plain, suppress(ConnectionResetError):
        assert plain.recv(1) == b""
    assert server.log == []


def test_incomplete_request_is_timed_from_its_arrival() -> None:
    limits = ConnectionLimits(request_s=0.05)

    async def talk(server: InProcessServer) -> None:
        whole, half = server.send(last("/flags/br/br.gif")), server.send(b"GET / HTTP/1.1\r\n")
        answered, refused = await asyncio.gather(whole, half)
        assert answered.endswith(BR)
        assert refused.startswith(b"HTTP/1.1 408 ")

    answered, refused = sorted(run_server(DISTANT, talk, limits=limits), key=lambda each: each.status)
    assert connecting_s(answered) >= LATENCY_S
    assert connecting_s(refused) >= LATENCY_S + 0.05


def test_connections_beyond_the_descriptors_wait_for_those_that_are_held() -> None:
    with socket.socket() as lowest:
        limits = ConnectionLimits(highest_descriptor=lowest.fileno() + 14)

    async def talk(server: InProcessServer) -> None:
        replies = await asyncio.gather(*(server.send(last("/flags/br/br.gif")) for _ in range(30)))
        assert all(each.endswith(BR) for each in replies)
        assert server.state.waits > 0

    log = run_server(DISTANT, talk, limits=limits)
    assert len(log) == 30
    assert min(connecting_s(each) for each in log) >= LATENCY_S


@pytest.mark.parametrize(("version", "latencies"), [(ssl.TLSVersion.TLSv1_3, 2), (ssl.TLSVersion.TLSv1_2, 3)])
def test_handshake_takes_as_many_latencies_as_it_has_round_trips(
    version: ssl.TLSVersion, latencies: int
) -> None:
    """The connection itself is one; of a few tries, one is quick enough to show that it is no more."""
    with threaded_server(ENCRYPTED) as server:
        for _ in range(5):
            fetch_encrypted(server, version)
        assert server.listener.handshakes is not None
        assert (server.listener.handshakes.begun, server.listener.handshakes.failed) == (5, 0)
    waits_s = [connecting_s(each) for each in server.log]
    assert latencies * LATENCY_S <= min(waits_s) < (latencies + 1) * LATENCY_S


def test_requests_over_http2_arrive_after_the_handshake() -> None:
    with threaded_server(HTTP2) as server, client_of(server) as client:
        for _ in range(3):
            assert client.get("/flags/br/br.gif").body == BR
    assert len(server.log) == 3
    assert min(connecting_s(each) for each in server.log) >= 2 * LATENCY_S


def test_time_out_of_a_handshake_leaves_the_latencies_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_HANDSHAKE_S", 0.25)
    with threaded_server(replace(ENCRYPTED, connect_latency_s=0.3)) as server:
        fetch_encrypted(server, ssl.TLSVersion.TLSv1_2)
        assert server.listener.handshakes is not None
        assert server.listener.handshakes.failed == 0
        with socket.create_connection(server.address, TIME_OUT_S) as plain:
            plain.sendall(b"\x16\x03\x01")
            assert plain.recv(1) == b""
        assert server.listener.handshakes.failed == 1


def test_client_that_closes_its_side_within_the_handshake_is_answered_and_counted_as_failed() -> None:
    """The end of its input waits while the server holds the answer to its hello."""
    with threaded_server(ENCRYPTED) as server:
        outgoing = ssl.MemoryBIO()
        half = server.client_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="127.0.0.1")
        with suppress(ssl.SSLWantReadError):
            half.do_handshake()
        began_s, received = perf_counter(), b""
        with socket.create_connection(server.address, TIME_OUT_S) as plain:
            plain.sendall(outgoing.read())
            plain.shutdown(socket.SHUT_WR)
            while part := plain.recv(65536):
                received += part
        assert received.startswith(b"\x16\x03")  # a record of a handshake
        assert perf_counter() - began_s >= 2 * LATENCY_S
        wait_for(lambda: server.listener.handshakes is not None and server.listener.handshakes.failed == 1)
    assert server.log == []


def test_bad_certificate_is_shown_after_the_latencies() -> None:
    profile = Profile("p", faults=(Fault("tls_expired", 1.0),), tls=True, connect_latency_s=LATENCY_S)
    with threaded_server(profile) as server:
        began_s = perf_counter()
        with pytest.raises(ssl.SSLCertVerificationError):
            server.connect()
        assert perf_counter() - began_s >= 2 * LATENCY_S
        wait_for(lambda: server.listener.handshakes is not None and server.listener.handshakes.failed == 1)


def test_connection_that_is_being_closed_is_not_served() -> None:
    transport, protocol = Mock(asyncio.Transport), Mock(asyncio.Protocol)

    async def hold() -> None:
        held = HeldConnection(protocol, 0.01)
        held.connection_made(transport)
        held.data_received(last("/"))
        transport.is_closing.return_value = True
        await asyncio.sleep(0.03)
        protocol.data_received.assert_not_called()
        held.connection_lost(None)
        protocol.connection_lost.assert_called_once_with(None)

    asyncio.run(hold())


def test_connections_of_other_profiles_are_not_delayed() -> None:
    assert hold_connections(asyncio.Protocol, 0.0) is asyncio.Protocol


def test_each_latency_has_a_listener_of_its_own() -> None:
    near, far = Profile("near", connect_latency_s=0.02), Profile("far", connect_latency_s=0.04)
    refused = Profile("p", faults=(Fault("refused", 1.0),), connect_latency_s=0.02)
    assert listener_spec(near) == ListenerSpec(connect_latency_s=0.02)
    assert listener_spec(Profile("p", tls=True, connect_latency_s=0.02)) == ListenerSpec(
        "good", connect_latency_s=0.02
    )
    assert listener_spec(refused) == ListenerSpec(is_listening=False)
    assert count_listeners([near, far, Profile("slow", Fixed(1), connect_latency_s=0.02), Profile("p")]) == 3
    with running_server(ServerSettings(Profile("local"))) as server:
        urls = {
            name: server.open_trial(Opening(name, profile, 0)).url.removesuffix(name)
            for name, profile in (("a", near), ("b", far), ("c", near), ("d", Profile("local")))
        }
    assert urls["a"] == urls["c"] != urls["b"]
    assert len(set(urls.values())) == 3
