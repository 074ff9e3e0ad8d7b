"""``view``: show the results folder in a browser."""

import asyncio
import signal
import socket
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bench.app.output import print_note
from bench.commands import options
from bench.errors import SetupError, UsageError
from bench.system.optional_dependencies import VIEW, missing_extra

if TYPE_CHECKING:
    from starlette.applications import Starlette

_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 128


@click.command()
@click.argument("results", type=options.PATH, default="results")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0 takes a free one."
)
def view(*, results: Path, port: int) -> None:
    """Show the runs and the history of RESULTS [results] in a browser, until Ctrl-C.

    The pages are served to this machine only, and nothing is written.
    """
    missing = missing_extra(VIEW)
    if missing is not None:
        raise SetupError(f"view {missing.what}", hint=missing.hint)
    if not results.is_dir():
        raise UsageError(f"{results} is no folder", hint="name the folder that has `runs` in it")
    # an optional dependency
    from bench.app.results_site import results_site

    with _listening(port) as listener:
        print_note(f"open http://{_HOST}:{listener.getsockname()[1]}/ in a browser; Ctrl-C ends it")
        asyncio.run(_serve(results_site(results), listener))


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port), backlog=_BACKLOG)
    except OSError as error:
        raise SetupError(
            f"port {port} cannot be used: {error.strerror}", hint="choose another with --port"
        ) from error


async def _serve(site: "Starlette", listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    # an optional dependency
    import uvicorn

    class Server(uvicorn.Server):
        """A server that leaves signals to us; its own way sends them again at the end."""

        def capture_signals(self) -> nullcontext[None]:  # type: ignore[override]
            """Capture none."""
            return nullcontext()

    server = Server(uvicorn.Config(site, log_level="warning", access_log=False, lifespan="off"))

    def stop() -> None:
        server.force_exit = server.should_exit  # the second signal waits for no answer
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve(sockets=[listener])
