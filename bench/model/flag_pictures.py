"""GIF89a pictures, written without compression so that a picture's size follows from its area.

LZW may always use literal codes only. With a minimum code size of 7 bits they are 8 bits wide until
the decoder's table holds 256 entries, and a clear code in time keeps it from getting there: every
code is then one byte, and a picture is made by slicing bytes. The format is that of the GIF89a
specification (CompuServe, 1990); leaving LZW's dictionary unused is an old way around its patent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
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


Design: TypeAlias = Callable[[int, int], bytes]


def fess(width: int, height: int) -> bytes:
    """Lay three stripes across."""
    top, middle = height // 3, height - 2 * (height // 3)
    return bytes(width * top) + b"\1" * (width * middle) + b"\2" * (width * top)


def pale(width: int, height: int) -> bytes:
    """Stand three stripes side by side."""
    side = width // 3
    return (bytes(side) + b"\1" * (width - 2 * side) + b"\2" * side) * height


def cross(width: int, height: int) -> bytes:
    """Lay a Nordic cross, its upright nearer to the mast, with a seam of the third colour."""
    thick = max(1, height // 7)
    mast, bar = width * 5 // 14, (height - thick) // 2
    open_row = _charged(bytes(width), mast - 1, thick + 2, 2)
    open_row = _charged(open_row, mast, thick, 1)
    seam = _charged(b"\2" * width, mast, thick, 1)
    rows = [open_row] * (bar - 1) + [seam] + [b"\1" * width] * thick + [seam]
    return b"".join(rows + [open_row] * (height - len(rows)))


def disc(width: int, height: int) -> bytes:
    """Set a ringed disc in the middle."""
    rows = []
    for y in range(height):
        rise = y + 0.5 - height / 2
        row = _charged(bytes(width), *_chord(width, height * 0.32, rise), 2)
        rows.append(_charged(row, *_chord(width, height * 0.27, rise), 1))
    return b"".join(rows)


def triangle(width: int, height: int) -> bytes:
    """Drive a triangle from the mast into two stripes."""
    rows = []
    for y in range(height):
        reach = round(width * 0.45 * (1 - abs(2 * y + 1 - height) / height))
        stripe = bytes(width) if 2 * y < height else b"\2" * width
        rows.append(_charged(stripe, 0, reach, 1))
    return b"".join(rows)


DESIGNS: Final[tuple[Design, ...]] = (fess, pale, cross, disc, triangle)


def _charged(row: bytes, start: int, length: int, colour: int) -> bytes:
    """Paint a stretch of a row."""
    return row[:start] + bytes([colour]) * length + row[start + length :]


def _chord(width: int, radius: float, rise: float) -> tuple[int, int]:
    """Return where a centred disc begins in a row ``rise`` pixels off its middle, and how long it is."""
    half = round(sqrt(max(0.0, radius**2 - rise**2)))
    return (width + 1) // 2 - half, 2 * half
