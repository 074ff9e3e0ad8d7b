"""A flag server in a thread of this process, and what a blocking client needs to talk to it."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from bench.model.cases import Profile
from bench.model.flags import all_flags
from bench.server.event_loop import new_event_loop
from bench.server.listeners import Endpoints, Listener, endpoint_of
from bench.server.open_trials import ServedRound, Trials
from bench.server.request_log import Record
from bench.server.routes import Routes
from bench.server.state import ServerState

PATIENCE_S = 5.0


@dataclass
class EncryptedHouse:
    """A server, what it logged, and what went wrong inside it.

    Attributes:
        mishaps: what its event loop complained of, which nobody would see.
    """

    door: Listener = field(default_factory=lambda: Listener(""))
    authority: str = ""
    site: ServerState | None = None
    loop: asyncio.AbstractEventLoop | None = None
    log: list[Record] = field(default_factory=list)
    mishaps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect."""
        parts = urlsplit(self.door.url)
        return str(parts.hostname), int(parts.port or 0)

    def context(self, *protocols: Literal["h2", "http/1.1"]) -> ssl.SSLContext:
        """Return what a client needs that trusts the authority, and offers these protocols (ALPN)."""
        context = ssl.create_default_context(cadata=self.authority)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context

    def connect(self, *protocols: Literal["h2", "http/1.1"]) -> ssl.SSLSocket:
        """Connect and shake hands."""
        plain = socket.create_connection(self.address, timeout=PATIENCE_S)
        try:
            return self.context(*protocols).wrap_socket(
                plain, server_hostname=self.address[0], suppress_ragged_eofs=False
            )
        except BaseException:
            plain.close()
            raise


@contextmanager
def house(profile: Profile, seed: int = 1) -> Iterator[EncryptedHouse]:
    """Run a server whose public round has this weather; its log is complete once the context is left."""
    built = EncryptedHouse()
    opened, stop = threading.Event(), threading.Event()

    def write(*fields: Any) -> None:
        built.log.append(Record(*fields))

    async def stay() -> None:
        built.loop = loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: built.mishaps.append(context))
        async with AsyncExitStack() as stack:
            built.site = ServerState(Routes(all_flags()), Trials(seed), ServedRound(profile, seed, 0, write))
            endpoints = Endpoints(built.site, "127.0.0.1", stack)
            built.door = await endpoints.find(endpoint_of(profile))
            built.authority = endpoints.authority
            opened.set()
            await loop.run_in_executor(None, stop.wait)
        await asyncio.sleep(0)  # connections that were aborted get to know of it

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(stay())
        finally:
            opened.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert opened.wait(PATIENCE_S)
        yield built
    finally:
        stop.set()
        thread.join()
    assert built.mishaps == []
