"""Checksums at the end of a JSON document, over its very bytes: no flipped bit passes, and its place is told.

The last key of a sealed document is ``crc32``: one checksum for each 4,096 bytes before that key, and one
of these checksums themselves, in hex digits and apart by spaces. What a number *means* would be too little
to check, since ``1e-05`` and ``1E-05`` are the same and only one of them was written.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zlib import crc32

from bench.model.json_codec import MalformedError

_PIECE: Final = 4096
_SEAL: Final = re.compile(rb',\n "crc32": "((?:[0-9a-f]{8} )+)([0-9a-f]{8})"\n}\n\Z')


class DamagedError(MalformedError):
    """A sealed document is not as it was written; the message says from which byte on."""


def add_checksums(document: Mapping[str, Any]) -> str:
    """Write a document that has at least one key, for people to read, with its checksums at its end.

    It is ASCII, so that no terminal obeys what a name may hold, and half a surrogate pair is no trouble.
    """
    body = json.dumps(document, indent=1).removesuffix("\n}")
    pieces = _checksums(body.encode())
    return f'{body},\n "crc32": "{pieces}{crc32(pieces.encode()):08x}"\n}}\n'


def verify_checksums(content: bytes) -> bool:
    """Say whether a document ends as a sealed one does.

    Raises:
        DamagedError: it does, and its content is not what was sealed.
    """
    seal = _SEAL.search(content)
    if seal is None:
        return False
    if f"{crc32(seal[1]):08x}".encode() != seal[2]:
        raise DamagedError(
            f"damaged at byte {seal.start(1)}: the checksums at its end do not match themselves"
        )
    found = _checksums(content[: seal.start()]).encode()
    if found != seal[1]:
        width = len(f"{0:08x} ")
        differing = (at for at in range(0, len(found), width) if found[at:][:width] != seal[1][at:][:width])
        first = next(differing, len(found)) // width * _PIECE
        last = min(first + _PIECE, seal.start())
        raise DamagedError(f"damaged at byte {first}, or up to byte {last}: the checksum does not match")
    return True


def _checksums(body: bytes) -> str:
    return "".join(f"{crc32(piece):08x} " for piece in _pieces(body))


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
