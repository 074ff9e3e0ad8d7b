"""The open port of a server, and what becomes of its connections when it is closed."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from bench.errors import EnvironmentFault
from bench.server.door import Door
from bench.server.http1.protocol import FlagProtocol
from bench.server.site import Site

_BACKLOG: Final = 8192
"""Connections that may wait to be accepted: with 100, a burst of 200 left 97 waiting for a second."""
_SILENCE_S: Final = 60
"""After so long without a word, a client is asked whether it is still there."""
_ASK_AGAIN_S: Final = 15
_MOST_ASKED: Final = 4
_UNHEARD_S: Final = 120
"""A client that confirms nothing of what is sent for so long, or takes nothing, is given up."""


@asynccontextmanager
async def listening(
    site: Site, host: str, port: int, make_protocol: Callable[[], asyncio.Protocol] | None = None
) -> AsyncIterator[int]:
    """Serve a site on an address, yield the port, and end every connection at the end.

    Args:
        site: what is served.
        host: the address.
        port: 0 for any that is free.
        make_protocol: makes what a connection speaks; HTTP/1.1 if left out.

    Raises:
        EnvironmentFault: the port is in use or may not be used.
    """
    try:
        listener = _listener(host, port)
    except OSError as error:
        raise bind_fault(error, host, port) from error
    door = Door(listener, make_protocol or (lambda: FlagProtocol(site)), site.keep_waiting)
    door.open()
    try:
        yield listener.getsockname()[1]
    finally:
        door.close()
        site.clear()


def bind_fault(error: OSError, host: str, port: int) -> EnvironmentFault:
    """Say why an address cannot be had, and what to do."""
    return EnvironmentFault(_why(error, host, port), hint="choose another port, or 0 for any")


def _listener(host: str, port: int) -> socket.socket:
    """Open a port whose connections end when the other side is gone without a word (tcp(7))."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.settimeout(0)
    # Connections inherit all of it, so it costs them nothing. asyncio would not see that this is TCP.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _SILENCE_S)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _ASK_AGAIN_S)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _MOST_ASKED)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD_S * 1000)
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use"
    return f"port {port} of {host} cannot be used: {os.strerror(error.errno or 0)}"
