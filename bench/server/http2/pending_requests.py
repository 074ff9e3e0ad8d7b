"""What is on its way in on one connection: requests of which more is to come, and how long that may take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeAlias

from bench.server.http2.frame_splitter import FrameCutter
from bench.server.http2.frames import Field
from bench.server.slow_requests import SlowRequests

_LARGEST_REQUEST: Final = 16 * 1024
_FIELD_OVERHEAD: Final = 32
"""What RFC 9113 (6.5.2) counts for each field beside its name and value."""

Refuse: TypeAlias = "Callable[[Incoming, HTTPStatus], None]"


@dataclass(slots=True, eq=False)
class Incoming:
    """A request of which more is to come.

    Attributes:
        refuse: sends its answer before its end.
        is_refused: whether that was done, and nothing more of it is looked at.
        is_awaited: whether it is among those that are not waited for without end.
    """

    stream: int
    method: bytes
    target: bytes
    refuse: Refuse = field(repr=False)
    size_bytes: int = 0
    is_refused: bool = False
    is_awaited: bool = False

    def hurry(self) -> None:
        """Refuse it: it has begun and will not come to its end, as slow-loris clients do it."""
        self.is_awaited = False
        self.decline(HTTPStatus.REQUEST_TIMEOUT)

    def decline(self, status: HTTPStatus) -> None:
        """Refuse it, once."""
        if not self.is_refused:
            self.is_refused = True
            self.refuse(self, status)


class Inbox:
    """The requests of a connection that have not come to their end, and the frame that has not.

    ``refuse`` answers a request that is too large or too slow, ``give_up`` ends a connection whose frame is.
    """

    def __init__(
        self, laggards: SlowRequests, cutter: FrameCutter, refuse: Refuse, give_up: Callable[[], None]
    ) -> None:
        self._laggards = laggards
        self._cutter = cutter
        self._refuse = refuse
        self._give_up = give_up
        self._requests: dict[int, Incoming] = {}
        self._begun: list[Incoming] = []
        self._late_end: int | None = None

    def __len__(self) -> int:
        """Return how many requests have begun and are not complete."""
        return len(self._requests)

    def open(self, stream: int, headers: Sequence[Field]) -> None:
        """Take in the headers of a request."""
        fields = dict(headers)
        request = Incoming(stream, fields.get(b":method", b""), fields.get(b":path", b""), self._refuse)
        self._requests[stream] = request
        self._begun.append(request)
        if sum(len(name) + len(value) + _FIELD_OVERHEAD for name, value in headers) > _LARGEST_REQUEST:
            request.decline(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def take_body(self, stream: int, size_bytes: int) -> None:
        """Count a piece of a body and drop it: nobody asked for it."""
        request = self._requests.get(stream)
        if request is not None:
            request.size_bytes += size_bytes
            if request.size_bytes > _LARGEST_REQUEST:
                request.decline(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def close(self, stream: int) -> Incoming | None:
        """Take in no more of a request; return it unless it has come to its end, or was refused, before."""
        request = self._requests.pop(stream, None)
        if request is not None and request.is_awaited:
            self._laggards.end(request)
        return request

    def await_rest(self, address: str) -> None:
        """Have what has begun and is not complete waited for, and not for ever."""
        if self._late_end is not None and self._late_end != self._cutter.ends:
            self._catch_up()
        begun, self._begun = self._begun, []
        for request in begun:
            if request.stream in self._requests:
                self._laggards.begin(request, address)
                request.is_awaited = True
        if self._late_end is None and self._cutter.is_within:
            self._late_end = self._cutter.ends
            self._laggards.begin(self, address)

    def hurry(self) -> None:
        """End the connection: its frame has begun and will not come to its end."""
        self._late_end = None
        self._give_up()

    def clear(self) -> None:
        """Forget everything: nobody will answer it."""
        for stream in tuple(self._requests):
            self.close(stream)
        self._begun.clear()
        if self._late_end is not None:
            self._catch_up()

    def _catch_up(self) -> None:
        self._late_end = None
        self._laggards.end(self)
