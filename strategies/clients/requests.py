"""One requests ``Session`` for each thread."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from bench.api import Answer, ClientSettings, Get, collect

# http.client reads a body to its length, and drops what else it has taken from the connection.
DEVIATIONS = {"surplus_bytes": "ok"}


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)``; the sessions of all threads that called it are closed in the end.

    A session of its own for each thread, because requests does not say that one may be shared.
    """
    mine = threading.local()
    timeout_s = settings.request_timeout_s
    with ExitStack() as sessions:

        def get(url: str) -> Answer:
            if not hasattr(mine, "session"):
                mine.session = sessions.enter_context(_new_session(settings))
            try:
                with mine.session.get(url, timeout=timeout_s, allow_redirects=False, stream=True) as response:
                    # iter_content would decode, without a limit, what nobody asked to be encoded
                    body = collect(response.raw.stream(decode_content=False), settings)
                    return Answer(response.status_code, body, response.headers)
            finally:
                if not settings.keep_alive:
                    mine.session.close()  # closes its connections; the session itself stays of use

        yield get


class _Adapter(HTTPAdapter):
    """Connections that trust what the settings say."""

    def __init__(self, settings: ClientSettings) -> None:
        self.context = settings.tls_context()
        super().__init__()

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Make the pool of connections, as requests says that one may."""
        super().init_poolmanager(*args, ssl_context=self.context, **named)

    def cert_verify(self, conn: Any, *_: object, **__: object) -> None:
        """Ask for a certificate, but trust nobody beside: requests would add all that certifi knows."""
        conn.cert_reqs = "CERT_REQUIRED"


def _new_session(settings: ClientSettings) -> requests.Session:
    session = requests.Session()  # its default is no retries
    session.trust_env = False
    session.mount("https://", _Adapter(settings))
    session.headers["Accept-Encoding"] = "identity"
    session.headers["Connection"] = "keep-alive" if settings.keep_alive else "close"
    return session
