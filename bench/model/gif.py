"""GIF89a pictures, written without compression so that a picture's size follows from its area.

LZW may always use literal codes only. With a minimum code size of 7 bits they are 8 bits wide until
the decoder's table holds 256 entries, and a clear code in time keeps it from getting there: every
code is then one byte, and a picture is made by slicing bytes. The format is that of the GIF89a
specification (CompuServe, 1990); leaving LZW's dictionary unused is an old way around its patent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack
from typing import Final, TypeAlias

Colour: TypeAlias = tuple[int, int, int]

_CODE_BITS: Final = 7
_COLOURS: Final = 1 << _CODE_BITS
_CLEAR: Final = bytes([_COLOURS])
_END: Final = bytes([_COLOURS + 1])
_RUN: Final = 120
"""Pixels between clear codes; the table would outgrow 8-bit codes after 126."""

_BLOCK: Final = 255
_FRAME_BYTES: Final = 6 + 7 + 3 * _COLOURS + 10 + 1 + 1 + 1


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of at most 128 colours; ``pixels`` holds one palette index a byte, row by row."""

    width: int
    height: int
    palette: Sequence[Colour]
    pixels: bytes


def encode(picture: Picture) -> bytes:
    """Write a picture as a GIF89a file."""
    size = pack("<HH", picture.width, picture.height)
    palette = b"".join(bytes(colour) for colour in picture.palette)
    return b"".join(
        (
            b"GIF89a",
            size,
            pack("<BBB", 0x80 | (_CODE_BITS - 1), 0, 0),  # a global table of 2 ** 7 colours
            palette.ljust(3 * _COLOURS, b"\0"),
            b",\0\0\0\0",
            size,
            bytes([0, _CODE_BITS]),
            *_blocks(_codes(picture.pixels)),
            b"\0;",
        )
    )


def area_of(size_bytes: int) -> int:
    """Return how many pixels make a file of about this size."""
    codes = (size_bytes - _FRAME_BYTES) * _BLOCK // (_BLOCK + 1)
    return max(1, codes * _RUN // (_RUN + 1))


def _codes(pixels: bytes) -> bytes:
    runs = (_CLEAR + pixels[at : at + _RUN] for at in range(0, len(pixels), _RUN))
    return b"".join((*runs, _END))


def _blocks(codes: bytes) -> list[bytes]:
    """Cut a stream into the sub-blocks of a GIF, each behind its length."""
    parts = (codes[at : at + _BLOCK] for at in range(0, len(codes), _BLOCK))
    return [bytes([len(part)]) + part for part in parts]
