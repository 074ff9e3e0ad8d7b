"""The flag server in the foreground, for curl, a browser and the chapter's own scripts."""

import asyncio
import json
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from bench.errors import SetupError
from bench.server.event_loop import new_event_loop
from bench.server.listeners import Endpoints, endpoint_of
from bench.server.request_log import Record, Writer
from bench.server.settings import ServerSettings, checked_host
from bench.server.state import ServerState, new_state
from bench.system.limits import raise_limit


def serve(
    settings: ServerSettings,
    announce: Callable[[str], None],
    *,
    log_file: Path | None = None,
    authority_file: Path | None = None,
    allow_remote: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then return.

    Args:
        settings: what to serve, and where.
        announce: called with the server's address once it answers.
        log_file: gets a line of JSON for each request, after what it holds already.
        authority_file: gets the certificate of the authority that clients must trust, as PEM, where
            connections are encrypted.
        allow_remote: whether the address may be one that other machines can reach.

    Raises:
        UsageError: the address is not allowed.
        EnvironmentFault: the port, the flags or one of the files cannot be used, or a library is missing.
    """
    host = checked_host(settings.host, allow_remote=allow_remote)
    raise_limit()
    with ExitStack() as stack:
        write = None if log_file is None else _writer(stack.enter_context(_opened(log_file)))
        site = new_state(settings, write)
        runner = stack.enter_context(asyncio.Runner(loop_factory=new_event_loop))

        def open_up(url: str, authority: str) -> None:
            if authority_file is not None:
                _save(authority, authority_file)
            announce(url)

        runner.run(_until_signalled(site, replace(settings, host=host), open_up))


async def _until_signalled(
    site: ServerState, settings: ServerSettings, open_up: Callable[[str, str], None]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    async with AsyncExitStack() as stack:
        endpoints = Endpoints(site, settings.host, stack)
        door = await endpoints.find(endpoint_of(settings.profile), settings.port)
        open_up(door.url, endpoints.authority)
        await stop.wait()


def _opened(log_file: Path) -> TextIO:
    try:
        return log_file.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise SetupError(f"{log_file}: the log cannot be written: {error.strerror}") from error


def _save(authority: str, file: Path) -> None:
    try:
        file.write_text(authority, encoding="ascii")
    except OSError as error:
        raise SetupError(f"{file}: the authority cannot be written: {error.strerror}") from error


def _writer(log: TextIO) -> Writer:
    def write(*fields: Any) -> None:
        log.write(json.dumps(Record(*fields)._asdict()) + "\n")

    return write
