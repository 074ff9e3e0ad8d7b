"""Draw the designs of the flags, and encode them as GIF89a without compression.

Without compression the size of a file follows from the area of its picture. LZW may always use literal
codes only: with a minimum code size of 7 bits they are 8 bits wide until the decoder's table holds 256
entries, and a clear code in time keeps it from that. Every code is then one byte, and a picture is made by
slicing bytes. The format is that of the GIF89a specification (CompuServe, 1990); leaving LZW's dictionary
unused is an old way around its patent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from struct import pack
from typing import Final, TypeAlias

Colour: TypeAlias = tuple[int, int, int]
Design: TypeAlias = Callable[[int, int], bytes]
"""Draws a flag of a width and a height: one palette index a byte, row by row."""

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


def encode_gif(picture: Picture) -> bytes:
    """Encode a picture as a GIF89a file."""
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
            *_split_blocks(_encode_pixels(picture.pixels)),
            b"\0;",
        )
    )


def area_of(size_bytes: int) -> int:
    """Return the number of pixels of a file of about this size."""
    codes = (size_bytes - _FRAME_BYTES) * _BLOCK // (_BLOCK + 1)
    return max(1, codes * _RUN // (_RUN + 1))


def _encode_pixels(pixels: bytes) -> bytes:
    runs = (_CLEAR + pixels[at : at + _RUN] for at in range(0, len(pixels), _RUN))
    return b"".join((*runs, _END))


def _split_blocks(codes: bytes) -> list[bytes]:
    """Split a stream into the sub-blocks of a GIF, each after its length."""
    parts = (codes[at : at + _BLOCK] for at in range(0, len(codes), _BLOCK))
    return [bytes([len(part)]) + part for part in parts]


def _draw_horizontal_stripes(width: int, height: int) -> bytes:
    outer, middle = height // 3, height - 2 * (height // 3)
    return bytes(width * outer) + b"\1" * (width * middle) + b"\2" * (width * outer)


def _draw_vertical_stripes(width: int, height: int) -> bytes:
    outer = width // 3
    return (bytes(outer) + b"\1" * (width - 2 * outer) + b"\2" * outer) * height


def _draw_nordic_cross(width: int, height: int) -> bytes:
    """Draw a cross nearer to the left side, with an edge of the third colour."""
    thick = max(1, height // 7)
    left, top = width * 5 // 14, (height - thick) // 2
    open_row = _paint(bytes(width), left - 1, thick + 2, 2)
    open_row = _paint(open_row, left, thick, 1)
    edge = _paint(b"\2" * width, left, thick, 1)
    rows = [open_row] * (top - 1) + [edge] + [b"\1" * width] * thick + [edge]
    return b"".join(rows + [open_row] * (height - len(rows)))


def _draw_ringed_disc(width: int, height: int) -> bytes:
    rows = []
    for y in range(height):
        offset = y + 0.5 - height / 2
        row = _paint(bytes(width), *_chord(width, height * 0.32, offset), 2)
        rows.append(_paint(row, *_chord(width, height * 0.27, offset), 1))
    return b"".join(rows)


def _draw_triangle(width: int, height: int) -> bytes:
    """Draw a triangle from the left side into two stripes."""
    rows = []
    for y in range(height):
        length = round(width * 0.45 * (1 - abs(2 * y + 1 - height) / height))
        stripe = bytes(width) if 2 * y < height else b"\2" * width
        rows.append(_paint(stripe, 0, length, 1))
    return b"".join(rows)


DESIGNS: Final[tuple[Design, ...]] = (
    _draw_horizontal_stripes,
    _draw_vertical_stripes,
    _draw_nordic_cross,
    _draw_ringed_disc,
    _draw_triangle,
)


def _paint(row: bytes, start: int, length: int, colour: int) -> bytes:
    """Paint a part of a row."""
    return row[:start] + bytes([colour]) * length + row[start + length :]


def _chord(width: int, radius: float, offset: float) -> tuple[int, int]:
    """Return the start and length of a disc in one row, in pixels.

    The disc is centred, and the row is ``offset`` from its middle.
    """
    half = round(sqrt(max(0.0, radius**2 - offset**2)))
    return (width + 1) // 2 - half, 2 * half
