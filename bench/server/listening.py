"""The open port of a server, and what becomes of its connections when it is closed."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bench.errors import EnvironmentFault
from bench.server.http1.protocol import FlagProtocol
from bench.server.site import Site

_BACKLOG: Final = 8192
"""Connections that may wait to be accepted: with 100, a burst of 200 left 97 waiting for a second."""


@asynccontextmanager
async def listening(site: Site, host: str, port: int) -> AsyncIterator[int]:
    """Serve a site on an address, yield the port, and end every connection at the end.

    Raises:
        EnvironmentFault: the port is in use or may not be used.
    """
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: FlagProtocol(site), host, port, backlog=_BACKLOG)
    except OSError as error:
        raise EnvironmentFault(_why(error, host, port), hint="choose another port, or 0 for any") from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        site.clear()


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use"
    return f"port {port} of {host} cannot be used: {error.strerror}"
