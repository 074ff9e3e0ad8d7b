"""The designs of the flags: where on the cloth each of three colours lies.

A design returns palette indices, one byte a pixel, row by row: 0 is the field, 1 and 2 the charges.
"""

from collections.abc import Callable
from math import sqrt
from typing import Final, TypeAlias

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
