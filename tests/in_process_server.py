"""Run a flag server in the event loop of the test, whose log can be read afterwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from bench.model.cases import Profile
from bench.model.flags import all_flags
from bench.server.connection_limits import DEFAULT_LIMITS, ConnectionLimits
from bench.server.event_loop import new_event_loop
from bench.server.fault_responses import DEFAULT_PACING, FaultPacing
from bench.server.listeners import Listeners
from bench.server.open_trials import OpenTrials
from bench.server.request_log import Record
from bench.server.resource_needs import ListenerSpec
from bench.server.routes import RoutesOfProfiles
from bench.server.served_round import ServedRound
from bench.server.state import ServerState


@dataclass
class InProcessServer:
    """A server in this process, and its log."""

    state: ServerState
    port: int
    log: list[Record]

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Connect, and close the connection at the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def send(self, *requests: bytes) -> bytes:
        """Send requests in one piece, and return everything until the server closes the connection."""
        async with self.connection() as (reader, writer):
            writer.write(b"".join(requests))
            return await reader.read()


Talk: TypeAlias = Callable[[InProcessServer], Awaitable[None]]


def run_server(
    profile: Profile,
    talk: Talk,
    flags: Mapping[str, bytes] | None = None,
    limits: ConnectionLimits = DEFAULT_LIMITS,
    pacing: FaultPacing = DEFAULT_PACING,
) -> list[Record]:
    """Run a server while ``talk`` runs, and return the log of the requests outside trials."""
    log: list[Record] = []

    def write(*fields: Any) -> None:
        log.append(Record(*fields))

    async def serve() -> None:
        public = ServedRound(profile, 1, 0, write, pacing)
        state = ServerState(RoutesOfProfiles(flags or all_flags()), OpenTrials(1), public, limits)
        spec = ListenerSpec(connect_latency_s=profile.connect_latency_s)
        with ExitStack() as stack:
            url = Listeners(state, "127.0.0.1", stack).find_or_open(spec).url
            await talk(InProcessServer(state, urlsplit(url).port or 0, log))

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve())
    return log


def get(path: str, *headers: str, method: str = "GET") -> bytes:
    """Write a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode()


def last(path: str, *headers: str, method: str = "GET") -> bytes:
    """Write a request after which the connection is closed."""
    return get(path, "Connection: close", *headers, method=method)
