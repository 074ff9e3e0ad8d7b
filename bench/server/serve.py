"""Serve flags in the foreground, for ``flagbench serve``: curl, a browser and the user's own scripts."""

import asyncio
import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from bench.errors import SetupError
from bench.model.server_settings import ServerSettings, check_host
from bench.server.event_loop import new_event_loop
from bench.server.listeners import Listeners
from bench.server.request_log import Record, WriteRecord
from bench.server.resource_needs import listener_spec
from bench.server.state import new_state
from bench.system.limits import raise_limit


def serve(
    settings: ServerSettings,
    announce: Callable[[str], None],
    *,
    log_file: Path | None = None,
    authority_file: Path | None = None,
    allow_remote: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: the settings of the server.
        announce: called with the server's address once it answers.
        log_file: the file to which a line of JSON is appended for each request.
        authority_file: the file for the certificate authority that clients must trust, as PEM; used with
            encryption only.
        allow_remote: whether the address may be one that other machines can reach.

    Raises:
        UsageError: the address is not allowed.
        SetupError: the port, the flags or a file cannot be used, or a library is missing.
    """
    host = check_host(settings.host, allow_remote=allow_remote)
    raise_limit()
    with ExitStack() as stack:
        write = None if log_file is None else _log_writer(stack.enter_context(_open_log(log_file)))
        state = new_state(settings, write)
        runner = stack.enter_context(asyncio.Runner(loop_factory=new_event_loop))

        async def serve_until_signal() -> None:
            stop = asyncio.Event()
            for signal_number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
            with ExitStack() as open_listeners:
                listeners = Listeners(state, host, open_listeners)
                listener = listeners.find_or_open(listener_spec(settings.profile), settings.port)
                if authority_file is not None:
                    _save_authority(listeners.authority, authority_file)
                announce(listener.url)
                await stop.wait()

        runner.run(serve_until_signal())


def _open_log(log_file: Path) -> TextIO:
    try:
        return log_file.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise SetupError(f"{log_file}: the log cannot be written: {error.strerror}") from error


def _log_writer(log: TextIO) -> WriteRecord:
    def write(*fields: Any) -> None:
        log.write(json.dumps(Record(*fields)._asdict()) + "\n")

    return write


def _save_authority(authority: str, file: Path) -> None:
    try:
        file.write_text(authority, encoding="ascii")
    except OSError as error:
        raise SetupError(f"{file}: the authority cannot be written: {error.strerror}") from error
