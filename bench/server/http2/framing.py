"""Where the frames of a client end, so that h2 gets them one at a time.

What h2 is given at once is lost at once: an error in the last frame takes along the requests before it,
and a GOAWAY what follows it.
"""

from collections.abc import Iterator
from typing import Final

_PREFACE_BYTES: Final = 24
_HEADER_BYTES: Final = 9
_LENGTH: Final = slice(0, 3)


class FrameCutter:
    """Cuts what arrives at the ends of frames, and keeps none of it (RFC 9113, 4.1)."""

    def __init__(self) -> None:
        self._header = b""
        self._left = _PREFACE_BYTES

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
                    self._left = int.from_bytes(self._header[_LENGTH], "big")
                    self._header = b""
            yield part
