"""Header blocks with fields of any size.

hpack packs a field with Huffman's code in time that grows with the square of its length: 256 KiB take it
seconds, in which nobody is answered.
"""

from collections.abc import Iterable
from typing import Any, Final

from hpack import Encoder
from hpack.hpack import encode_integer

_LARGE: Final = 4096
_LENGTH_BITS: Final = 7
_NEVER_INDEXED: Final = b"\x10"


class LargeFieldEncoder(Encoder):
    """Sends large fields as they are, in a way that leaves both sides' tables alone (RFC 7541, 6.2.3)."""

    def encode(self, headers: Iterable[Any], huffman: bool = True) -> bytes:  # noqa: FBT001, FBT002  hpack's
        """Return a header block; the large fields come last."""
        fields = list(headers)
        small = [field for field in fields if len(field[1]) < _LARGE]
        large = [field for field in fields if len(field[1]) >= _LARGE]
        return super().encode(small, huffman) + b"".join(
            _NEVER_INDEXED + _string(name) + _string(value) for name, value in large
        )


def _string(text: bytes | str) -> bytes:
    """Write a string literal without Huffman's code (RFC 7541, 5.2)."""
    data = text.encode() if isinstance(text, str) else text
    return bytes(encode_integer(len(data), _LENGTH_BITS)) + data
