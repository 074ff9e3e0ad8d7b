"""One ``http.client`` connection of the standard library for each thread.

It is what requests and urllib3 are built on, without their pools, retries and redirects.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPSConnection
from select import POLLIN, poll
from urllib.parse import urlsplit

from bench.api import Answer, ClientSettings, Get, JoinedHeaders, PerThread, collect

# http.client reads a body to its length, and drops further bytes of the connection.
DEVIATIONS = {"surplus_bytes": "ok"}


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)``, which opens a connection for each thread and server."""
    context, timeout_s = settings.tls_context(), settings.request_timeout_s
    kept = "keep-alive" if settings.keep_alive else "close"

    def find_or_open(server: str) -> HTTPConnection:
        known = threads.get()
        if server not in known and context is None:
            known[server] = HTTPConnection(server, timeout=timeout_s)
        elif server not in known:
            known[server] = HTTPSConnection(server, timeout=timeout_s, context=context)
        if has_unasked(known[server]):
            known[server].close()  # the next request connects again
        return known[server]

    def get(url: str) -> Answer:
        connection, is_reusable = find_or_open(urlsplit(url).netloc), False
        try:
            connection.request("GET", urlsplit(url).path, headers={"Connection": kept})
            with connection.getresponse() as response:
                body = collect(iter(partial(response.read, 65_536), b""), settings)
                answer = Answer(response.status, body, JoinedHeaders(response.headers.get_all))
                length = answer.headers.get("Content-Length") or str(len(body))
                # after a body of another length than promised, nothing on the connection can be trusted
                is_reusable = settings.keep_alive and length == str(len(body))
                return answer
        finally:
            if not is_reusable:
                connection.close()

    with PerThread(lambda: closing(Connections())) as threads:
        yield get


class Connections(dict[str, HTTPConnection]):
    """The connections of one thread, by server."""

    def close(self) -> None:
        """Close all of them."""
        for connection in self.values():
            connection.close()


def has_unasked(connection: HTTPConnection) -> bool:
    """Tell whether the server has closed an idle connection, or sent more than it was asked for."""
    unasked = poll()
    if connection.sock is not None:
        unasked.register(connection.sock, POLLIN)
    return bool(unasked.poll(0))
