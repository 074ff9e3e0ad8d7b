"""One curl_cffi ``Session`` for each thread, or one for an event loop: libcurl, without imitating a browser.

Over HTTP/2 curl repeats requests after a GOAWAY, which no option forbids. So it speaks only HTTP/1.1 here.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from curl_cffi import AsyncSession, CurlECode, CurlInfo, CurlOpt, Session
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
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
            with BodySink(settings) as sink, _causes(sink):
                response = sessions.get().get(url, accept_encoding=None, content_callback=_taker(sink))
                return Answer(response.status_code, sink.end(), response.headers)

        yield get


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)`` for an event loop."""
    async with AsyncSession(max_clients=settings.workers, **_options(settings)) as session:

        async def get(url: str) -> Answer:
            with BodySink(settings) as sink, _causes(sink):
                response = await session.get(url, accept_encoding=None, content_callback=_taker(sink))
                return Answer(response.status_code, sink.end(), response.headers)

        yield get


def _options(settings: ClientSettings) -> dict[str, Any]:
    kept = "keep-alive" if settings.keep_alive else "close"
    fixed = {"allow_redirects": False, "discard_cookies": True, "trust_env": False, "http_version": "v1"}
    # curl repeats a request whose kept connection broke, but not one of RTSP that only receives: 11
    limits = {CurlOpt.MAXFILESIZE_LARGE: settings.largest_bytes, CurlOpt.RTSP_REQUEST: 11}
    return {
        **fixed,
        "timeout": settings.request_timeout_s,
        "headers": {"Accept-Encoding": "identity", "Connection": kept},
        "verify": settings.authority or True,
        "curl_infos": [CurlInfo.OS_ERRNO],
        "curl_options": {**limits, CurlOpt.FORBID_REUSE: not settings.keep_alive},
    }


@contextmanager
def _causes(sink: BodySink) -> Iterator[None]:
    """Name the cause of an error: ours, the system's, or a body whose end is missing."""
    try:
        yield
    except RequestException as error:
        if sink.failure is not None:
            raise sink.failure from error
        if error.response is not None and (number := error.response.infos[CurlInfo.OS_ERRNO]):
            raise error from OSError(number, os.strerror(number))
        if error.response is not None and error.code == CurlECode.RECV_ERROR and error.response.status_code:
            raise IncompleteRead(str(error)) from error
        raise


def _taker(sink: BodySink) -> Callable[[bytes], int]:
    """Return the function that curl calls with each piece of a body."""
    return lambda piece: len(piece) if sink.accept(piece) else CURL_WRITEFUNC_ERROR
