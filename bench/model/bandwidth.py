"""How much of a body goes at once where its bandwidth is limited."""

from typing import Final

_SLICE_S: Final = 0.02
"""Seconds of bandwidth in a slice: often enough to look like a stream, seldom enough to cost nothing."""


def slice_bytes(bandwidth: float) -> int:
    """Return the size of a slice, given the bytes per second."""
    return max(1, int(bandwidth * _SLICE_S))
