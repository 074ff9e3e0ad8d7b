"""The client that calls a function of the user's for each URL, ``get(url) -> bytes``.

An environment variable leads to the function, so that the processes of a pool find it, too. Only the worker
sets it.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from typing import Any, Final

from bench.api.client import Answer, AsyncGet, ClientSettings, Get
from bench.api.own_strategy import make_importable, module_name

OWN_CLIENT: Final = "FLAGBENCH_CLIENT"
"""Environment variable with the function: ``/folder/file.py:get`` or ``package.module:get``."""

_OK: Final = 200


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:  # noqa: ARG001  the function has its own
    """Yield ``get(url)``, which calls the user's function."""
    name, function = load_function()

    def get(url: str) -> Answer:
        try:
            return to_answer(function(url), name)
        except Exception as error:  # noqa: BLE001  raised again unless it tells a status
            return _answer_of_error(error)

    yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:  # noqa: ARG001  as above
    """Yield an awaitable ``get(url)``, which awaits the user's coroutine."""
    name, function = load_function()

    async def get(url: str) -> Answer:
        try:
            returned: Awaitable[object] = function(url)
            return to_answer(await returned, name)
        except Exception as error:  # noqa: BLE001  raised again unless it tells a status
            return _answer_of_error(error)

    yield get


def load_function() -> tuple[str, Callable[[str], Any]]:
    """Import the user's function; return the words that name it in messages, and the function.

    Raises:
        BaseException: raised by the user's file.
    """
    place, _, function = os.environ[OWN_CLIENT].rpartition(":")
    if place.endswith(".py"):
        make_importable(place)
    module = import_module(module_name(place) if place.endswith(".py") else place)
    found: Callable[[str], Any] = getattr(module, function)
    return f"{os.path.basename(place)}:{function}", found  # noqa: PTH119  pathlib is heavy


def to_answer(returned: object, name: str) -> Answer:
    """Return the answer of what a function returned: the body, or a response of a library.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(returned, bytes | bytearray | memoryview):
        return Answer(_OK, bytes(returned))
    status, body = getattr(returned, "status_code", None), getattr(returned, "content", None)
    if isinstance(status, int) and isinstance(body, bytes):
        return Answer(status, body, getattr(returned, "headers", {}))
    raise TypeError(
        f"{name} returned {type(returned).__name__}; return the body as bytes, or a response with "
        "`content` and `status_code`"
    )


def _answer_of_error(error: Exception) -> Answer:
    """Return the answer of an exception that tells a status, as ``raise_for_status`` raises it.

    Raises:
        Exception: the error itself, if it tells none.
    """
    response = getattr(error, "response", None)
    for owner, name in ((response, "status_code"), (error, "status"), (error, "code")):
        status = getattr(owner, name, None)
        if isinstance(status, int) and 400 <= status < 600:  # noqa: PLR2004  the errors of HTTP
            return Answer(status, b"")
    raise error
