"""Run a flag server in a thread of this process, for blocking and for encrypted clients."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from bench.model.cases import Profile
from bench.model.flags import all_flags
from bench.server.connection_limits import DEFAULT_LIMITS, ConnectionLimits
from bench.server.event_loop import new_event_loop
from bench.server.listeners import Listener, Listeners
from bench.server.open_trials import OpenTrials
from bench.server.request_log import Record
from bench.server.resource_needs import listener_spec
from bench.server.routes import RoutesOfProfiles
from bench.server.served_round import ServedRound
from bench.server.state import ServerState

TIME_OUT_S = 5.0


@dataclass
class ThreadedServer:
    """A server in a thread.

    Attributes:
        log: the requests outside trials.
        loop_errors: errors reported to its event loop, which would otherwise only be printed.
    """

    state: ServerState
    loop: asyncio.AbstractEventLoop
    listener: Listener = field(default_factory=lambda: Listener(""))
    authority: str = ""
    log: list[Record] = field(default_factory=list)
    loop_errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """The address to connect to."""
        parts = urlsplit(self.listener.url)
        return str(parts.hostname), int(parts.port or 0)

    def client_context(self, *protocols: Literal["h2", "http/1.1"]) -> ssl.SSLContext:
        """Return the context of a client that trusts the authority and offers these protocols (ALPN)."""
        context = ssl.create_default_context(cadata=self.authority)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context

    def connect(self, *protocols: Literal["h2", "http/1.1"]) -> ssl.SSLSocket:
        """Connect with encryption."""
        plain = socket.create_connection(self.address, timeout=TIME_OUT_S)
        try:
            return self.client_context(*protocols).wrap_socket(
                plain, server_hostname=self.address[0], suppress_ragged_eofs=False
            )
        except BaseException:
            plain.close()
            raise


@contextmanager
def threaded_server(
    profile: Profile,
    seed: int = 1,
    limits: ConnectionLimits = DEFAULT_LIMITS,
    flags: Mapping[str, bytes] | None = None,
) -> Iterator[ThreadedServer]:
    """Run a server with this profile outside trials; its log is complete after the context."""
    log: list[Record] = []
    loop = new_event_loop()
    public = ServedRound(profile, seed, 0, lambda *fields: log.append(Record(*fields)))
    state = ServerState(RoutesOfProfiles(flags or all_flags(), seed), OpenTrials(seed), public, limits)
    server = ThreadedServer(state, loop, log=log)
    loop.set_exception_handler(lambda _, context: server.loop_errors.append(context))
    opened, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        with ExitStack() as stack:
            listeners = Listeners(state, "127.0.0.1", stack)
            server.listener = listeners.find_or_open(listener_spec(profile))
            server.authority = listeners.authority
            opened.set()
            await loop.run_in_executor(None, stop.wait)
        await asyncio.sleep(0)  # aborted connections are told

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(serve())
        finally:
            opened.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert opened.wait(TIME_OUT_S)
        yield server
    finally:
        stop.set()
        thread.join()
    assert server.loop_errors == []


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until a condition that depends on the server holds."""
    deadline_s = time.monotonic() + TIME_OUT_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)
