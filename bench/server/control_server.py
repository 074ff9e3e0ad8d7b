"""Answer the runner's control messages, one line in and one line out, until its pipe is closed.

Control has pipes of its own and never the data port, where a client under test could reach it.
"""

import asyncio
import gc
import os
import signal
import sys
from contextlib import ExitStack
from heapq import nsmallest
from operator import attrgetter
from typing import BinaryIO, Final

from bench.errors import BenchError, UsageError
from bench.model.json_codec import from_json_value
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings, check_host
from bench.server.control_messages import Message, error_to_json, from_line, to_line
from bench.server.event_loop import new_event_loop
from bench.server.listeners import Listener, Listeners
from bench.server.open_trials import trial_url
from bench.server.resource_needs import listener_spec
from bench.server.server_rounds import observe_rounds
from bench.server.state import new_state

_LONGEST_LINE: Final = 1024 * 1024


def main() -> None:
    """Serve the commands of standard input, and reply on standard output."""
    # Ctrl-C reaches every process of the terminal; the runner ends the server by closing its pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(sys.stdin.buffer, sys.stdout.buffer))


async def _serve(commands: BinaryIO, replies: BinaryIO) -> None:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), commands)
    with ExitStack() as stack:
        control = _Control(stack)
        async for line in reader:
            try:
                reply = control.execute(from_line(line))
            except BenchError as error:
                reply = error_to_json(error)
            replies.write(to_line(reply))
            replies.flush()


class _Control:
    """Executes control messages; the first of them must start the server."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._started: Listeners | None = None

    def execute(self, message: Message) -> Message:
        """Execute a message and return the reply."""
        match message:
            case {"start": settings}:
                return self._start(from_json_value(ServerSettings, settings, "start"))
            case {"open": opening}:
                return self._open(from_json_value(Opening, opening, "open"))
            case {"records": str(name), **limits}:
                return self._find_records(name, limits.get("round"), limits.get("most"))
            case {"handshakes": str(name)}:
                return self._count_handshakes(name)
            case {"count": "waits"}:
                return {"waits": self._listeners.state.waits}
            case {"close": str(name)}:
                return self._close(name)
        raise UsageError(f"no such control message: {message!r}")

    @property
    def _listeners(self) -> Listeners:
        if self._started is None:
            raise UsageError("the server has not been started")
        return self._started

    def _start(self, settings: ServerSettings) -> Message:
        if self._started is not None:
            raise UsageError("the server has been started already")
        host = check_host(settings.host, allow_remote=settings.allow_remote)
        listeners = Listeners(new_state(settings, write=None), host, self._stack)
        listener = listeners.find_or_open(listener_spec(settings.profile), settings.port)
        self._started = listeners
        # A collection in the middle of a round would make responses late; between trials it does no harm.
        gc.collect()
        gc.freeze()
        gc.disable()
        return {"ready": {"url": listener.url, "authority": listeners.authority, "pid": os.getpid()}}

    def _open(self, opening: Opening) -> Message:
        listener = self._find_listener(opening)
        self._listeners.state.open_trial(opening)
        authority = self._listeners.authority if opening.profile.tls else ""
        return {"opened": {"url": trial_url(listener.url, opening.trial), "authority": authority}}

    def _find_records(self, name: str, number: int | None, most: int | None) -> Message:
        """Return the records of an open trial by round, and the number of all.

        Args:
            name: of the trial.
            number: the only round to return; None for every round.
            most: records of a round, the first by arrival; None for all, in the order of their ends.
        """
        logs = self._listeners.state.trials.logs(name)
        counts = {each: len(log) for each, log in logs.items() if number in {None, each}}
        rounds = {
            each: list(
                logs[each] if most is None else nsmallest(most, logs[each], key=attrgetter("arrival_s"))
            )
            for each in counts
        }
        return {"records": name, "rounds": rounds, "counts": counts}

    def _count_handshakes(self, name: str) -> Message:
        """Count the handshakes at the listener of an open trial, with those of other trials there."""
        listener = self._find_listener(self._listeners.state.trials.opening(name))
        handshakes = listener.handshakes
        begun, failed = (handshakes.begun, handshakes.failed) if handshakes else (0, 0)
        return {"handshakes": name, "begun": begun, "failed": failed}

    def _find_listener(self, opening: Opening) -> Listener:
        return self._listeners.find_or_open(listener_spec(opening.profile))

    def _close(self, name: str) -> Message:
        state = self._listeners.state
        opening = state.trials.opening(name)
        rounds = observe_rounds(state.close_trial(name), opening, state.flag_sizes(opening.profile))
        gc.collect()
        return {"closed": name, "rounds": rounds}
