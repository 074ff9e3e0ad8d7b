"""Delay new connections, as the way to a distant server does.

The kernel has accepted a connection before the server sees it, so the server cannot delay its handshake. It
delays what the client sends on it instead, which reaches the protocol no earlier than over a slow network.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import cast


class HeldConnection(asyncio.Protocol):
    """Keeps what a client sends on a new connection until its latency is over, then steps aside."""

    _transport: asyncio.Transport
    _timer: asyncio.TimerHandle

    def __init__(self, protocol: asyncio.Protocol, latency_s: float) -> None:
        """``protocol`` serves the connection, and knows it from its acceptance on."""
        self._protocol = protocol
        self._latency_s = latency_s
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait; the latency counts from the acceptance that the protocol has noted."""
        self._transport = cast("asyncio.Transport", transport)
        self._protocol.connection_made(transport)
        self._due_s = perf_counter() + self._latency_s
        self._wait(self._latency_s)

    def data_received(self, data: bytes) -> None:
        """Keep the first input, and leave the rest in the kernel."""
        self._received = data
        self._transport.pause_reading()

    def eof_received(self) -> bool | None:
        """Pass on that the client has left without having sent anything."""
        return self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that the connection has ended."""
        self._timer.cancel()
        self._protocol.connection_lost(exc)

    def _wait(self, for_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(for_s, self._release)

    def _release(self) -> None:
        """Hand the connection over, but never early: timers may be, by the resolution of their clock."""
        early_s = self._due_s - perf_counter()
        if early_s > 0:
            self._wait(early_s)
            return
        if self._transport.is_closing():  # its end is to follow
            return
        del self._timer  # it holds a method of this object: a cycle that would wait for the garbage collector
        self._transport.set_protocol(self._protocol)
        if self._received:
            self._transport.resume_reading()
            self._protocol.data_received(self._received)


def hold_connections(
    make_protocol: Callable[[], asyncio.Protocol], latency_s: float
) -> Callable[[], asyncio.Protocol]:
    """Have each connection delayed; without a latency nothing comes between it and its protocol."""
    if not latency_s:
        return make_protocol
    return lambda: HeldConnection(make_protocol(), latency_s)
