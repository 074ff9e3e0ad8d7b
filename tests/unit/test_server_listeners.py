"""Test the backlog of a listener."""

import asyncio
import gc
import socket
import struct
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.model.cases import Profile
from bench.model.server_settings import ServerSettings
from bench.server.listeners import Listeners
from bench.server.resource_needs import ListenerSpec
from bench.server.state import new_state

LEAST = 4096
"""With 100, a burst of 200 clients left 97 waiting for a second."""


def test_backlog_holds_a_burst_of_clients() -> None:
    """The kernel reports the length: the listening socket's ``tcp_info`` has it."""

    async def read_backlog() -> int:
        with ExitStack() as stack:
            state = new_state(ServerSettings(Profile("p")), None)
            url = Listeners(state, "127.0.0.1", stack).find_or_open(ListenerSpec()).url
            port = urlsplit(url).port
            sockets = [each for each in gc.get_objects() if isinstance(each, socket.socket)]
            (listener,) = (
                each for each in sockets if each.fileno() >= 0 and each.getsockname()[1:2] == (port,)
            )
            info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
            # tcpi_sacked, the seventh word: the length of the backlog of a listening socket
            return int(struct.unpack_from("=I", info, 28)[0])

    backlog = asyncio.run(read_backlog())
    cap = int(Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii"))
    if cap < LEAST:
        assert backlog == cap
        pytest.skip(f"net.core.somaxconn caps the backlog at {cap}; bursts of more clients will wait")
    assert backlog >= LEAST
