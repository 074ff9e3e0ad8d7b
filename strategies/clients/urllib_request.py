"""``urllib.request`` of the standard library: a connection for each request."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from bench.api import Answer, ClientSettings, Get, JoinedHeaders, collect

KEEP_ALIVE = False  # it asks for each connection to be closed
# http.client reads a body to its length, and drops further bytes of the connection.
DEVIATIONS = {"surplus_bytes": "ok"}


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads, without ``urlopen``'s handlers for proxies, redirects and errors."""
    context, opener = settings.tls_context(), OpenerDirector()
    opener.add_handler(HTTPHandler() if context is None else HTTPSHandler(context=context))

    def get(url: str) -> Answer:
        request = Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310  of the flag server
        with opener.open(request, timeout=settings.request_timeout_s) as response:
            body = collect(iter(partial(response.read, 65_536), b""), settings)
            return Answer(response.status, body, JoinedHeaders(response.headers.get_all))

    yield get
