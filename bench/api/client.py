"""The interface of a client: the settings it gets, and the answers it returns."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from bench.api.bodies import BUFFERED_BYTES, Body, BodySink

if TYPE_CHECKING:
    from ssl import SSLContext

LARGEST_BYTES: Final = 8 << 20
"""Default limit of a body."""

_SHOWN_BYTES: Final = 80
"""Of a line in an error."""


class Headers(Protocol):
    """The headers of an answer, as a mapping of the client's library that ignores case."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a header; several values are joined by commas."""


class HeaderLines:
    """The headers of an answer by its lines, for clients that get them as bytes.

    Only the few that are asked for are read, which takes a tenth of the time of parsing a message.
    """

    __slots__ = ("_lines",)

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = tuple(lines)

    def get(self, name: str, /) -> str | None:
        """Return the value of a header; several values are joined by commas."""
        key = name.lower().encode() + b":"
        size = len(key)
        values = [line[size:].strip().decode("latin-1") for line in self._lines if line[:size].lower() == key]
        return ", ".join(values) if values else None


def parse_head(head: bytes) -> tuple[int, Headers]:
    """Return the status and the headers of an answer whose head came as bytes.

    Raises:
        http.client.BadStatusLine: it does not begin with a status line of HTTP.
    """
    status_line, *lines = head.split(b"\r\n")
    version, _, rest = status_line.partition(b" ")
    if not (version.startswith(b"HTTP/") and rest[:3].isdigit()):
        from http.client import BadStatusLine  # rarely needed

        raise BadStatusLine(repr(status_line[:_SHOWN_BYTES]))
    return int(rest[:3]), HeaderLines(lines)


class JoinedHeaders(NamedTuple):
    """The headers of a library that would give only the first of several values, such as ``http.client``.

    Attributes:
        get_all: returns the values of a header, whose name it takes in any case; none if it is absent.
    """

    get_all: Callable[[str], Sequence[str] | None]

    def get(self, name: str, /) -> str | None:
        """Return the value of a header; several values are joined by commas."""
        return ", ".join(values) if (values := self.get_all(name)) else None


class Answer(NamedTuple):
    """An HTTP response: the status, the whole body as it was sent, and the headers."""

    status: int
    body: Body
    headers: Headers = MappingProxyType({})


Get: TypeAlias = Callable[[str], Answer]
"""A function that downloads one URL, and raises the exceptions of its library; see ``open_client``."""
AsyncGet: TypeAlias = Callable[[str], Awaitable[Answer]]
"""The same for event loops: its result is awaited; see ``open_async_client``."""


class ClientSettings(NamedTuple):
    """The settings that a client must respect.

    Attributes:
        workers: connections that may be open at once; the library's own limit is raised to this.
        keep_alive: use a connection for more than one request.
        request_timeout_s: the library's own time-outs, in seconds; ``Job`` limits the total.
        largest_bytes: stop reading a body that is larger; see ``collect``.
        authority: PEM file of the one certificate authority to trust; None without encryption.
        http2: speak HTTP/2 only.
        folder: where the file of a large body is written; empty: all bodies stay in memory.
        checks_content: compute the checksum of a body that is written to a file.
    """

    workers: int
    keep_alive: bool
    request_timeout_s: float
    largest_bytes: int = LARGEST_BYTES
    authority: str | None = None
    http2: bool = False
    folder: str = ""
    checks_content: bool = False

    def tls_context(self) -> "SSLContext | None":
        """Return a context that trusts the authority and checks host names; None without encryption."""
        if self.authority is None:
            return None
        from bench.api.tls import create_tls_context  # imports ssl, which takes milliseconds

        return create_tls_context(self.authority)


def collect(pieces: Iterable[bytes], settings: ClientSettings) -> Body:
    """Join the pieces of a body, and stop as soon as they are too many; write a large one to a file.

    Raises:
        TooLargeError: they are more than ``settings.largest_bytes``.
        OSError: they cannot be written.
    """
    body: list[bytes] = []
    left, floor = settings.largest_bytes, _floor(settings)
    coming = iter(pieces)
    for piece in coming:
        left -= len(piece)
        if left < floor:
            with BodySink(settings) as sink:
                for each in chain(body, (piece,), coming):
                    sink.write(each)
                return sink.end()
        body.append(piece)
    return b"".join(body)


async def collect_async(pieces: AsyncIterable[bytes], settings: ClientSettings) -> Body:
    """Join the pieces of a body as they arrive, like ``collect``.

    Raises:
        TooLargeError: they are more than ``settings.largest_bytes``.
        OSError: they cannot be written.
    """
    body: list[bytes] = []
    left, floor = settings.largest_bytes, _floor(settings)
    coming = aiter(pieces)
    async for piece in coming:
        left -= len(piece)
        if left < floor:
            with BodySink(settings) as sink:
                for each in (*body, piece):
                    sink.write(each)
                async for each in coming:
                    sink.write(each)
                return sink.end()
        body.append(piece)
    return b"".join(body)


def _floor(settings: ClientSettings) -> int:
    """Return how many bytes are left of the limit when a body no longer fits into the buffer."""
    return max(0, settings.largest_bytes - BUFFERED_BYTES) if settings.folder else 0
