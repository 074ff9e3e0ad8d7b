"""CPU work on each answer, as a program that does something with its downloads has it."""

from collections.abc import Callable, Mapping
from time import thread_time
from typing import Final, NamedTuple

_ADLER: Final = 65_521


class Processing(NamedTuple):
    """Work on each answer, in the thread or coroutine that downloaded it.

    Attributes:
        kind: one of ``KINDS``.
        times: how often it is done.
    """

    kind: str
    times: int

    def run(self, body: bytes) -> float:
        """Do the work on a body, and return the CPU seconds that it took this thread."""
        work, began_s = KINDS[self.kind], thread_time()
        for _ in range(self.times):
            work(body)
        return thread_time() - began_s


def _decode(body: bytes) -> int:
    """Go through the bytes one by one, as a decoder in pure Python; it is Adler-32 (RFC 1950)."""
    low, high = 1, 0
    for byte in body:
        low = (low + byte) % _ADLER
        high = (high + low) % _ADLER
    return high << 16 | low


def _hash(body: bytes) -> bytes:
    from hashlib import sha256  # loads OpenSSL, which few jobs need

    return sha256(body).digest()


def _parse_json(body: bytes) -> object:
    import json

    return json.loads(json.dumps([*body]))


KINDS: Final[Mapping[str, Callable[[bytes], object]]] = {
    "decode": _decode,
    "sha256": _hash,
    "json": _parse_json,
}
"""``sha256`` lets other threads run meanwhile if there are more than 2,047 bytes; the others keep the GIL."""
_LARGEST_LOCKED: Final = {"sha256": 2_047}


def keeps_lock(kind: str, size_bytes: int) -> bool:
    """Tell whether no other thread of the interpreter runs while a body is processed, if it has a lock."""
    return size_bytes <= _LARGEST_LOCKED.get(kind, size_bytes)
