"""One requests ``Session`` for each thread."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import requests

from bench.api import Answer, ClientSettings, Get, collect


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


def _new_session(settings: ClientSettings) -> requests.Session:
    session = requests.Session()  # its default is no retries
    session.trust_env = False
    session.verify = settings.authority or True
    session.headers["Accept-Encoding"] = "identity"
    session.headers["Connection"] = "keep-alive" if settings.keep_alive else "close"
    return session
