"""The open port of a server, and what becomes of its connections when it is closed."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from bench.errors import EnvironmentFault
from bench.server.http1.protocol import FlagProtocol
from bench.server.site import Site

_BACKLOG: Final = 8192
"""Connections that may wait to be accepted: with 100, a burst of 200 left 97 waiting for a second."""


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
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            make_protocol or (lambda: FlagProtocol(site)), host, port, backlog=_BACKLOG
        )
    except OSError as error:
        raise bind_fault(error, host, port) from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        site.clear()


def bind_fault(error: OSError, host: str, port: int) -> EnvironmentFault:
    """Say why an address cannot be had, and what to do."""
    return EnvironmentFault(_why(error, host, port), hint="choose another port, or 0 for any")


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use"
    return f"port {port} of {host} cannot be used: {error.strerror}"
