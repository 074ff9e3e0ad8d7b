"""One requests ``Session`` for each thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from bench.api import Answer, ClientSettings, Get, PerThread, collect

# http.client reads a body to its length, and drops further bytes of the connection.
DEVIATIONS = {"surplus_bytes": "ok"}


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)``, which opens a session for each thread, and close all sessions in the end.

    requests does not document that threads may share a session.
    """
    timeout_s = settings.request_timeout_s
    with PerThread(lambda: _new_session(settings)) as sessions:

        def get(url: str) -> Answer:
            session = sessions.get()
            try:
                with session.get(url, timeout=timeout_s, allow_redirects=False, stream=True) as response:
                    # iter_content would decode without a limit
                    body = collect(response.raw.stream(decode_content=False), settings)
                    return Answer(response.status_code, body, response.headers)
            finally:
                if not settings.keep_alive:
                    session.close()  # closes its connections; the session can still be used

        yield get


class _Adapter(HTTPAdapter):
    """An adapter whose connections trust the authority of the settings only."""

    def __init__(self, settings: ClientSettings) -> None:
        self.context = settings.tls_context()
        super().__init__()

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Create the connection pool with our TLS context."""
        super().init_poolmanager(*args, ssl_context=self.context, **named)

    def cert_verify(self, conn: Any, *_: object, **__: object) -> None:
        """Require a certificate; requests would also trust all authorities of certifi."""
        conn.cert_reqs = "CERT_REQUIRED"


def _new_session(settings: ClientSettings) -> requests.Session:
    session = requests.Session()  # its default is no retries
    session.trust_env = False
    session.mount("https://", _Adapter(settings))
    session.headers["Accept-Encoding"] = "identity"
    session.headers["Connection"] = "keep-alive" if settings.keep_alive else "close"
    return session
