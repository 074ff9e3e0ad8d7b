"""What a client is asked, and what it answers."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from ssl import SSLContext

LARGEST_BYTES: Final = 8 << 20
"""The body cap where nobody sets another."""


class Headers(Protocol):
    """The headers of an answer as its library has them; letters of either case are the same."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a header, or several of its values with commas between."""


class Answer(NamedTuple):
    """What a client got: an HTTP status, the whole body as it was sent, and the headers."""

    status: int
    body: bytes
    headers: Headers = MappingProxyType({})


Get: TypeAlias = Callable[[str], Answer]
AsyncGet: TypeAlias = Callable[[str], Awaitable[Answer]]


class ClientSettings(NamedTuple):
    """What a client must respect.

    Attributes:
        workers: connections that may be open at once; the library's own limit is raised to this.
        keep_alive: whether a connection serves more than one request.
        request_timeout_s: the library's own time-outs, in seconds; the total is watched by ``Job``.
        largest_bytes: a body that is larger is not read to its end; see ``collect``.
        authority: PEM file of the one certificate authority to trust; ``None`` where nothing is encrypted.
        http2: speak HTTP/2 and nothing else.
    """

    workers: int
    keep_alive: bool
    request_timeout_s: float
    largest_bytes: int = LARGEST_BYTES
    authority: str | None = None
    http2: bool = False

    def tls_context(self) -> "SSLContext | None":
        """Return what trusts the authority and checks hosts; ``None`` where nothing is encrypted."""
        if self.authority is None:
            return None
        from bench.api.tls import trusting

        return trusting(self.authority)


class TooLargeError(Exception):
    """A body is larger than the settings allow."""


def collect(pieces: Iterable[bytes], settings: ClientSettings) -> bytes:
    """Join the pieces of a body, and stop as soon as they are too many.

    Raises:
        TooLargeError: they are more than ``settings.largest_bytes``.
    """
    kept: list[bytes] = []
    room = settings.largest_bytes
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise TooLargeError(f"the body is larger than {settings.largest_bytes} bytes")
        kept.append(piece)
    return b"".join(kept)


async def collect_async(pieces: AsyncIterable[bytes], settings: ClientSettings) -> bytes:
    """Join the pieces of a body as they come in, like ``collect``.

    Raises:
        TooLargeError: they are more than ``settings.largest_bytes``.
    """
    kept: list[bytes] = []
    room = settings.largest_bytes
    async for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise TooLargeError(f"the body is larger than {settings.largest_bytes} bytes")
        kept.append(piece)
    return b"".join(kept)
