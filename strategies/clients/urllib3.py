"""One urllib3 ``PoolManager`` for all threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLContext

import urllib3

from bench.api import Answer, ClientSettings, Get, collect

# http.client reads a body to its length, and drops further bytes of the connection.
DEVIATIONS = {"surplus_bytes": "ok"}


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)``; urllib3 ignores proxies of the environment by default."""
    context = settings.tls_context()

    def get_with(pool: urllib3.PoolManager, url: str) -> Answer:
        with pool.request("GET", url, preload_content=False) as response:
            body = collect(response.stream(decode_content=False), settings)
            return Answer(response.status, body, response.headers)

    def get_once(url: str) -> Answer:
        # urllib3 keeps the connection unless the server echoes "Connection: close", which it need not.
        with _new_pool(settings, context) as pool:
            return get_with(pool, url)

    if settings.keep_alive:
        with _new_pool(settings, context) as pool:
            yield lambda url: get_with(pool, url)
    else:
        yield get_once


def _new_pool(settings: ClientSettings, context: SSLContext | None) -> urllib3.PoolManager:
    return urllib3.PoolManager(
        maxsize=settings.workers,
        retries=False,  # neither a second attempt nor a redirect followed
        timeout=urllib3.Timeout(settings.request_timeout_s),
        ssl_context=context,
        headers={
            "Accept-Encoding": "identity",
            "Connection": "keep-alive" if settings.keep_alive else "close",
        },
    )
