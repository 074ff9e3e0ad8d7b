"""The server's side of the control channel: one line in, one line out, until the pipe is closed.

Control has pipes of its own and never the data port, where a client under test could reach it.
"""

import asyncio
import gc
import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import BinaryIO, Final

from bench.errors import BenchError, UsageError
from bench.model.json_codec import from_json_value
from bench.server.control_messages import Message, error_to_json, from_line, to_line
from bench.server.event_loop import new_event_loop
from bench.server.listeners import Endpoints, Listener, endpoint_of
from bench.server.open_trials import Opening
from bench.server.server_rounds import observed_rounds
from bench.server.settings import ServerSettings, checked_host
from bench.server.state import ServerState, new_state

_LONGEST_LINE: Final = 1024 * 1024


def main() -> None:
    """Serve as standard input says; replies go to standard output."""
    # Ctrl-C reaches every process of the terminal; the harness ends the server by closing its pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(sys.stdin.buffer, sys.stdout.buffer))


async def _serve(commands: BinaryIO, replies: BinaryIO) -> None:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), commands)
    async with AsyncExitStack() as stack:
        control = _Control(stack)
        async for line in reader:
            try:
                reply = await control.obey(from_line(line))
            except BenchError as error:
                reply = error_to_json(error)
            replies.write(to_line(reply))
            replies.flush()


class _Control:
    """Does what the harness asks, once it has asked for a server."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._running: ServerState | None = None
        self._endpoints: Endpoints | None = None

    async def obey(self, message: Message) -> Message:
        """Carry out one message and return the reply to it."""
        match message:
            case {"start": order}:
                return await self._start(from_json_value(ServerSettings, order, "start"))
            case {"open": order}:
                return await self._open(from_json_value(Opening, order, "open"))
            case {"records": str(name)}:
                logs = self._site.trials.logs(name)
                return {"records": name, "rounds": {number: list(log) for number, log in logs.items()}}
            case {"handshakes": str(name)}:
                return await self._handshakes(name)
            case {"count": "waits"}:
                return {"waits": self._site.waits}
            case {"close": str(name)}:
                return self._close(name)
        raise UsageError(f"no such control message: {message!r}")

    @property
    def _site(self) -> ServerState:
        if self._running is None:
            raise UsageError("the server has not been started")
        return self._running

    async def _start(self, settings: ServerSettings) -> Message:
        if self._running is not None:
            raise UsageError("the server has been started already")
        host = checked_host(settings.host, allow_remote=False)
        site = new_state(settings, write=None)
        self._endpoints = Endpoints(site, host, self._stack)
        listener = await self._endpoints.find(endpoint_of(settings.profile), settings.port)
        self._running = site
        # A collection in the middle of a round would make answers late; between trials it harms nobody.
        gc.collect()
        gc.freeze()
        gc.disable()
        ready = {"url": listener.url, "authority": self._endpoints.authority, "pid": os.getpid()}
        return {"ready": ready}

    async def _open(self, opening: Opening) -> Message:
        listener = await self._listener(opening)
        self._site.trials.open(opening)
        authority = self._endpoints.authority if self._endpoints and opening.profile.tls else ""
        return {"opened": {"url": listener.url, "authority": authority}}

    async def _handshakes(self, name: str) -> Message:
        """Count the handshakes at the listener of an open trial, which other trials share."""
        seen = (await self._listener(self._site.trials.opening(name))).handshakes
        counts = (seen.begun, seen.failed) if seen else (0, 0)
        return {"handshakes": name, "begun": counts[0], "failed": counts[1]}

    async def _listener(self, opening: Opening) -> Listener:
        if self._endpoints is None:
            raise UsageError("the server has not been started")
        return await self._endpoints.find(endpoint_of(opening.profile))

    def _close(self, name: str) -> Message:
        opening = self._site.trials.opening(name)
        rounds = observed_rounds(self._site.close_trial(name), opening)
        gc.collect()
        return {"closed": name, "rounds": rounds}
