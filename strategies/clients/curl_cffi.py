"""One curl_cffi ``Session`` for each thread, or one for an event loop: libcurl, without imitating a browser.

Over HTTP/2 curl repeats requests after a GOAWAY, which no option forbids. So it speaks only HTTP/1.1 here.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from curl_cffi import AsyncSession, CurlECode, CurlInfo, CurlOpt, Session
from curl_cffi.requests.exceptions import IncompleteRead, RequestException

from bench.api import Answer, AsyncGet, BodySink, ClientSettings, Get, PerThread

DEVIATIONS = {"surplus_bytes": "ok"}  # curl reads a body to its length, and drops what follows
CONNECTION_LIMIT = "async"
GREENLETS = False


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)`` for threads; only one at a time can use a handle of curl."""
    with PerThread(lambda: Session(use_thread_local_curl=False, **_options(settings))) as sessions:

        def get(url: str) -> Answer:
            with BodySink(settings) as sink, _causes():
                response = sessions.get().get(url, accept_encoding=None, content_callback=sink.accept)
                return Answer(response.status_code, sink.end(), response.headers)

        yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    async with AsyncSession(max_clients=settings.workers, **_options(settings)) as session:

        async def get(url: str) -> Answer:
            with BodySink(settings) as sink, _causes():
                response = await session.get(url, accept_encoding=None, content_callback=sink.accept)
                return Answer(response.status_code, sink.end(), response.headers)

        yield get


def _options(settings: ClientSettings) -> dict[str, Any]:
    kept = "keep-alive" if settings.keep_alive else "close"
    fixed = {"allow_redirects": False, "discard_cookies": True, "trust_env": False, "http_version": "v1"}
    asked = {"timeout": settings.request_timeout_s, "verify": settings.authority or True}
    # curl repeats a request whose kept connection broke, but not one of RTSP that only receives: 11
    limits = {CurlOpt.MAXFILESIZE_LARGE: settings.largest_bytes, CurlOpt.RTSP_REQUEST: 11}
    return {
        **(fixed | asked),
        "headers": {"Accept-Encoding": "identity", "Connection": kept},
        "curl_infos": [CurlInfo.OS_ERRNO],
        "curl_options": limits | {CurlOpt.FORBID_REUSE: not settings.keep_alive},
    }


@contextmanager
def _causes() -> Iterator[None]:
    """Name the cause of an error: the system's, or a body whose end is missing."""
    try:
        yield
    except RequestException as error:
        if error.response is not None and (number := error.response.infos[CurlInfo.OS_ERRNO]):
            raise error from OSError(number, os.strerror(number))
        if error.response is not None and error.code == CurlECode.RECV_ERROR and error.response.status_code:
            raise IncompleteRead(str(error)) from error
        raise
