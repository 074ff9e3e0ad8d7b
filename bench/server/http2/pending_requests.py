"""Keep the incomplete requests of one connection, and limit their size and their time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeAlias

from bench.server.http2.frame_splitter import FrameSplitter
from bench.server.http2.frames import Field
from bench.server.slow_requests import SlowRequests

_LARGEST_REQUEST: Final = 16 * 1024
_FIELD_OVERHEAD: Final = 32
"""Bytes that RFC 9113 (6.5.2) counts for each field in addition to its name and value."""

Refuse: TypeAlias = "Callable[[PendingRequest, HTTPStatus], None]"


@dataclass(slots=True, eq=False)
class PendingRequest:
    """A request that is not complete.

    Attributes:
        send_refusal: answers it before its end.
        is_refused: whether that was done, so that the rest of it is ignored.
        is_timed: whether it is registered with the slow requests.
    """

    stream: int
    method: bytes
    target: bytes
    send_refusal: Refuse = field(repr=False)
    size_bytes: int = 0
    is_refused: bool = False
    is_timed: bool = False

    def time_out(self) -> None:
        """Refuse the request: it has begun and does not end, as slow-loris clients send it."""
        self.is_timed = False
        self.refuse(HTTPStatus.REQUEST_TIMEOUT)

    def refuse(self, status: HTTPStatus) -> None:
        """Refuse the request, once."""
        if not self.is_refused:
            self.is_refused = True
            self.send_refusal(self, status)


class PendingRequests:
    """The incomplete requests of a connection, and its incomplete frame.

    ``refuse`` answers a request that is too large or too slow; ``close_slow`` closes the connection if a
    frame is too slow.
    """

    def __init__(
        self, slow: SlowRequests, splitter: FrameSplitter, refuse: Refuse, close_slow: Callable[[], None]
    ) -> None:
        self._slow = slow
        self._splitter = splitter
        self._refuse = refuse
        self._close_slow = close_slow
        self._requests: dict[int, PendingRequest] = {}
        self._untimed: list[PendingRequest] = []
        self._timed_frame: int | None = None

    def __len__(self) -> int:
        return len(self._requests)

    def open(self, stream: int, headers: Sequence[Field]) -> None:
        """Add a request whose headers have come."""
        fields = dict(headers)
        request = PendingRequest(stream, fields.get(b":method", b""), fields.get(b":path", b""), self._refuse)
        self._requests[stream] = request
        self._untimed.append(request)
        if sum(len(name) + len(value) + _FIELD_OVERHEAD for name, value in headers) > _LARGEST_REQUEST:
            request.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def add_body(self, stream: int, size_bytes: int) -> None:
        """Count a piece of a body, and drop it: bodies are ignored."""
        request = self._requests.get(stream)
        if request is not None:
            request.size_bytes += size_bytes
            if request.size_bytes > _LARGEST_REQUEST:
                request.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def close(self, stream: int) -> PendingRequest | None:
        """Remove a request; return it, or None if it was complete."""
        request = self._requests.pop(stream, None)
        if request is not None and request.is_timed:
            self._slow.remove(request)
        return request

    def await_rest(self, address: str) -> None:
        """Have everything that is incomplete after an input timed out."""
        if self._timed_frame is not None and self._timed_frame != self._splitter.ends:
            self._end_frame()
        untimed, self._untimed = self._untimed, []
        for request in untimed:
            if request.stream in self._requests:
                self._slow.add(request, address)
                request.is_timed = True
        if self._timed_frame is None and self._splitter.is_incomplete:
            self._timed_frame = self._splitter.ends
            self._slow.add(self, address)

    def time_out(self) -> None:
        """Close the connection: its frame has begun and does not end."""
        self._timed_frame = None
        self._close_slow()

    def clear(self) -> None:
        """Forget all requests when the connection ends."""
        for stream in tuple(self._requests):
            self.close(stream)
        self._untimed.clear()
        if self._timed_frame is not None:
            self._end_frame()

    def _end_frame(self) -> None:
        self._timed_frame = None
        self._slow.remove(self)
