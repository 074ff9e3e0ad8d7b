"""Where the frames of a client end, so that h2 gets them one at a time.

What h2 is given at once is lost at once: an error in the last frame takes along the requests before it,
and a GOAWAY what follows it.
"""

from collections.abc import Iterator
from typing import Final

_PREFACE_BYTES: Final = 24
_HEADER_BYTES: Final = 9
_LENGTH: Final = slice(0, 3)
_TYPE: Final = 3
_FLAGS: Final = 4
_BLOCKS: Final = frozenset((1, 9))
"""The types of frame that hold headers: HEADERS and CONTINUATION."""
_END_HEADERS: Final = 4


class FrameCutter:
    """Cuts what arrives at the ends of frames, and keeps none of it (RFC 9113, 4.1).

    Attributes:
        ends: how many ends there were, each of a frame, or of all the frames that hold the same headers.
    """

    def __init__(self) -> None:
        self.ends = 0
        self._header = b""
        self._left = _PREFACE_BYTES
        self._is_block_open = False

    @property
    def is_within(self) -> bool:
        """Whether a frame has begun, or headers have, and are not complete."""
        return bool(self._left or self._header or self._is_block_open)

    def cut(self, data: bytes) -> Iterator[bytes]:
        """Yield the data in parts, none of them of two frames; the greeting counts as one."""
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
                    self._begin(self._header)
                    self._header = b""
            self.ends += not self.is_within
            yield part

    def _begin(self, header: bytes) -> None:
        self._left = int.from_bytes(header[_LENGTH], "big")
        if header[_TYPE] in _BLOCKS:
            self._is_block_open = not header[_FLAGS] & _END_HEADERS
