"""Split a client's input at the ends of frames, so that h2 gets one frame at a time.

h2 drops the events of everything it is given at once: an error in the last frame would take along the
requests before it, and a GOAWAY the frames after it.
"""

from collections.abc import Iterator
from typing import Final

_PREFACE_BYTES: Final = 24
_HEADER_BYTES: Final = 9
_LENGTH: Final = slice(0, 3)
_TYPE: Final = 3
_FLAGS: Final = 4
_HEADER_TYPES: Final = frozenset((1, 9))
"""The frame types with headers: HEADERS and CONTINUATION."""
_END_HEADERS: Final = 4


class FrameSplitter:
    """Splits input at the ends of frames, without keeping any of it (RFC 9113, 4.1).

    Attributes:
        ends: the ends so far, each of a frame, or of all frames with the same headers.
    """

    def __init__(self) -> None:
        self.ends = 0
        self._header = b""
        self._left = _PREFACE_BYTES
        self._is_block_open = False

    @property
    def is_incomplete(self) -> bool:
        """Whether a frame or a block of headers has begun and is not complete."""
        return bool(self._left or self._header or self._is_block_open)

    def split(self, data: bytes) -> Iterator[bytes]:
        """Yield the data in parts, none of them of two frames; the preface counts as one."""
        at = 0
        while at < len(data):
            end = at + (self._left or _HEADER_BYTES - len(self._header))
            part = data[at:end]
            at += len(part)
            if self._left:
                self._left -= len(part)
            else:
                self._header += part
                if len(self._header) == _HEADER_BYTES:
                    self._start_frame(self._header)
                    self._header = b""
            self.ends += not self.is_incomplete
            yield part

    def _start_frame(self, header: bytes) -> None:
        self._left = int.from_bytes(header[_LENGTH], "big")
        if header[_TYPE] in _HEADER_TYPES:
            self._is_block_open = not header[_FLAGS] & _END_HEADERS
