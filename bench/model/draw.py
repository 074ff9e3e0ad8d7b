"""From a digest to a number: what is drawn is the same on every Python version and platform."""

from typing import Final

_DROPPED_BITS: Final = 12
_STEP: Final = 2.0**-52


def evenly(digest: bytes) -> float:
    """Turn eight random bytes into a number between 0 and 1, both excluded."""
    return ((int.from_bytes(digest, "big") >> _DROPPED_BITS) + 0.5) * _STEP
