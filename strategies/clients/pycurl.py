"""libcurl by pycurl: an easy handle for each thread, one multi handle for an event loop."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager

import pycurl

from bench.api import Answer, AsyncGet, ClientSettings, Get, PerThread
from strategies.clients._curl import LoopMulti, Transfer

# libcurl reads a body to its length, and closes a connection on which there is more.
DEVIATIONS = {"surplus_bytes": "ok"}
GREENLETS = False  # a handle waits in C, where gevent cannot switch
CONNECTION_LIMIT = "async"


@contextmanager
def open_client(settings: ClientSettings) -> Iterator[Get]:
    """Yield ``get(url)``, with a handle and a connection for each thread."""
    options = _options(settings)
    with PerThread(lambda: closing(Transfer(options, settings))) as transfers:
        yield lambda url: transfers.get().download(url)


@asynccontextmanager
async def open_async_client(settings: ClientSettings) -> AsyncIterator[AsyncGet]:
    """Yield ``get(url)``, with connections that all downloads of an event loop share."""
    options, idle = _options(settings), list[Transfer]()
    with ExitStack() as handles, LoopMulti(settings.workers) as multi:

        async def get(url: str) -> Answer:
            transfer = idle.pop() if idle else handles.enter_context(closing(Transfer(options, settings)))
            try:
                return await multi.download(url, transfer)
            finally:
                idle.append(transfer)

        yield get


def _options(settings: ClientSettings) -> dict[int, object]:
    """Return the options of every handle; retries and redirects are off by default."""
    connection = "keep-alive" if settings.keep_alive else "close"
    http1, http2 = pycurl.CURL_HTTP_VERSION_1_1, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
    return {
        pycurl.HTTP_VERSION: http2 if settings.http2 else http1,
        pycurl.HTTPHEADER: ["Accept-Encoding: identity", f"Connection: {connection}"],
        pycurl.FORBID_REUSE: not settings.keep_alive,
        pycurl.TIMEOUT_MS: max(1, round(settings.request_timeout_s * 1000)),
        pycurl.MAXFILESIZE_LARGE: settings.largest_bytes,
        pycurl.CAINFO: settings.authority or "",
        pycurl.CAPATH: None,
        pycurl.PROXY: "",  # none, in spite of the environment
        pycurl.NOSIGNAL: True,
        pycurl.PIPEWAIT: settings.http2,
    }
