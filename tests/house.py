"""A flag server within the tests' own process, whose log can be read when it is over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from bench.model.cases import Profile
from bench.model.flags import all_flags
from bench.server.event_loop import new_event_loop
from bench.server.listeners import listening
from bench.server.open_trials import ServedRound, Trials
from bench.server.request_log import Record
from bench.server.routes import Routes
from bench.server.state import ServerState


@dataclass
class House:
    """A server in this process, and what it logged."""

    site: ServerState
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

    async def ask(self, *requests: bytes) -> bytes:
        """Send requests in one piece, and return everything until the server hangs up."""
        async with self.connection() as (reader, writer):
            writer.write(b"".join(requests))
            return await reader.read()


Talk: TypeAlias = Callable[[House], Awaitable[None]]


def visit(profile: Profile, talk: Talk, flags: Mapping[str, bytes] | None = None) -> list[Record]:
    """Run a server for as long as ``talk`` takes, and return its log."""
    log: list[Record] = []

    def write(*fields: Any) -> None:
        log.append(Record(*fields))

    async def stay() -> None:
        site = ServerState(Routes(flags or all_flags()), Trials(1), ServedRound(profile, 1, 0, write))
        async with listening(site, "127.0.0.1", 0) as port:
            await talk(House(site, port, log))

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(stay())
    return log


def get(path: str, *headers: str, method: str = "GET") -> bytes:
    """Write a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode()


def last(path: str, *headers: str, method: str = "GET") -> bytes:
    """Write a request after which the connection is closed."""
    return get(path, "Connection: close", *headers, method=method)
