"""Write bodies to files as they arrive, so that a large one needs no memory.

A body that fits into a small buffer stays there, as writing it in one go is quicker. A larger one gets a file
beside the flags, which ``Job`` renames to that of its flag; it is removed if anything goes wrong before that.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Final, NoReturn, Self, TypeAlias
from zlib import crc32

if TYPE_CHECKING:
    from bench.api.client import ClientSettings

BUFFERED_BYTES: Final = 64 * 1024
"""The largest body that is kept in memory."""
_PIECE: Final = 1 << 20
"""Bytes of a file that are read at once; all pieces but the last have as many."""
_MOST_BYTES: Final = 1 << 62
REFUSED: Final = 0xFFFF_FFFF
"""Returned in place of a size by a callback of libcurl that ends the download."""

_numbers: Final = count()
"""Of the files of this process: several fetches of a flag may be in progress at once."""


class TooLargeError(Exception):
    """A body is larger than the settings allow."""


class StreamedBody:
    """A body that is in a file; it is removed together with this, unless it has been moved.

    Attributes:
        checksum: CRC-32 of the body; None if it was not asked for.
    """

    __slots__ = ("_is_kept", "_owner", "_path", "_size", "checksum")

    def __init__(self, path: str, size: int, checksum: int | None = None) -> None:
        self._path = path
        self._size = size
        self._is_kept = False
        self._owner = os.getpid()
        self.checksum = checksum

    def __len__(self) -> int:
        return self._size

    def __del__(self) -> None:
        self.discard()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a body in a file is not copied: it is removed with the last reference")

    def move_to(self, path: str) -> None:
        """Rename the file, which then stays; one that has that name is replaced.

        Raises:
            OSError: it cannot be renamed.
        """
        os.replace(self._path, path)  # noqa: PTH105  pathlib is heavy
        self._path, self._is_kept = path, True

    def discard(self) -> None:
        """Remove the file, unless it has been moved."""
        if not self._is_kept and self._owner == os.getpid():  # a forked process has a copy of this
            self._is_kept = True
            remove_file(self._path)

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in pieces."""
        return read_pieces(self._path)

    def read(self) -> bytes:
        """Return the whole body."""
        return b"".join(self.pieces())


Body: TypeAlias = bytes | StreamedBody
"""A body in memory, or one in a file."""


class BodySink:
    """Takes the pieces of a body; ``end`` returns the body, and leaving without it removes what has come.

    The settings have the limit of a body, and the folder for the file of a large one. Without a folder,
    everything stays in memory.

    Attributes:
        failure: why ``accept`` has refused a piece; None if it has not.
    """

    __slots__ = (
        "_checksum",
        "_descriptor",
        "_floor",
        "_is_over",
        "_left",
        "_owner",
        "_path",
        "_pieces",
        "_settings",
        "failure",
    )

    def __init__(self, settings: "ClientSettings") -> None:
        self._settings = settings
        self._left = settings.largest_bytes
        self._floor = max(0, self._left - BUFFERED_BYTES) if settings.folder else 0
        self._pieces: list[bytes] = []
        self._descriptor = -1
        self._path = ""
        self._checksum = 0
        self._owner = os.getpid()
        self._is_over = False
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()
        if isinstance(error, Exception) and self.failure is not None:  # of the library, which was refused
            raise self.failure from error

    def write(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            TooLargeError: the body is larger than ``settings.largest_bytes``.
            OSError: it cannot be written.
            ValueError: the body has ended.
        """
        self._left -= len(piece)
        if self._left < self._floor:
            self._write_to_file(piece)
        else:
            self._pieces.append(piece)

    def accept(self, piece: bytes) -> int:
        """Take the next piece in a callback of C, through which no error comes; return its size.

        If it is refused, return what makes libcurl end the download (``CURL_WRITEFUNC_ERROR``). ``end``, or
        leaving with an error, raises the failure.
        """
        try:
            self.write(piece)
        except Exception as error:  # noqa: BLE001  raised later
            self.failure = self.failure or error
            return REFUSED
        return len(piece)

    def end(self) -> Body:
        """Return the body.

        Raises:
            OSError: its file cannot be closed.
            Exception: the failure, if a piece was refused.
        """
        if self.failure is not None:
            raise self.failure
        self._refuse_more()
        if self._descriptor < 0:
            return b"".join(self._pieces)
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
        checksum = self._checksum if self._settings.checks_content else None
        body = StreamedBody(self._path, self._settings.largest_bytes - self._left, checksum)
        self._path = ""
        return body

    def discard(self) -> None:
        """Remove what has come, unless it is a body that ``end`` has returned."""
        self._refuse_more()
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
        if self._path and self._owner == os.getpid():  # a forked process has a copy of this
            remove_file(self._path)
        self._path = ""

    def _refuse_more(self) -> None:
        """Refuse all pieces from now on: a library may still call after a download was cancelled."""
        self._is_over, self._floor = True, _MOST_BYTES

    def _write_to_file(self, piece: bytes) -> None:
        if self._is_over:
            raise ValueError("the body has ended")
        if self._left < 0:
            raise TooLargeError(f"the body is larger than {self._settings.largest_bytes} bytes")
        if self._descriptor < 0:
            # interpreters of one process have numbers of their own
            path = f"{self._settings.folder}/.part-{os.getpid()}-{id(_numbers):x}-{next(_numbers)}"
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            self._path, self._floor = path, _MOST_BYTES
            for each in self._pieces:
                self._append(each)
            self._pieces.clear()
        self._append(piece)

    def _append(self, piece: bytes) -> None:
        if self._settings.checks_content:
            self._checksum = crc32(piece, self._checksum)
        written = os.write(self._descriptor, piece)
        while written < len(piece):  # the disk is full, which the next attempt says
            written += os.write(self._descriptor, piece[written:])


def checksum_of(body: Body) -> int:
    """Return the CRC-32 of a body."""
    if not isinstance(body, StreamedBody):
        return crc32(body)
    if body.checksum is None:
        body.checksum = checksum_of_pieces(body.pieces())
    return body.checksum


def read_pieces(path: str) -> Iterator[bytes]:
    """Yield the content of a file in pieces.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:  # noqa: PTH123  pathlib is heavy
        while piece := file.read(_PIECE):
            yield piece


def checksum_of_pieces(pieces: Iterable[bytes]) -> int:
    """Return the CRC-32 of all pieces together."""
    checksum = 0
    for piece in pieces:
        checksum = crc32(piece, checksum)
    return checksum


def remove_file(path: str) -> None:
    """Remove a file; that of a folder that has been removed is gone already."""
    try:
        os.unlink(path)  # noqa: PTH108  pathlib is heavy
    except OSError:
        return
