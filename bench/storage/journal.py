"""The journal: what a run began with, then one checksummed line per trial, durable before the next starts.

A trial counts once its line is on disk. Each checksum covers the exact bytes of its line's value and goes
on from the checksum of the line before, so that no torn write, no flipped bit, and no line that is lost,
doubled or in another's place passes for a measurement.
"""

import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from zlib import crc32

from bench.errors import UnreadableResultError
from bench.model.json_codec import MalformedError, encode, from_json_value, parse, to_json_value
from bench.model.results import Measurement, Resumption, RunHeader
from bench.storage.atomic_write import write_atomically, write_error
from bench.storage.run_json import SCHEMA

_Entry: TypeAlias = RunHeader | Measurement | Resumption
_KINDS: Final[Mapping[str, type[_Entry]]] = {
    "run": RunHeader,
    "trial": Measurement,
    "resumed": Resumption,
}
_LINE: Final = re.compile(rb'\{"crc32": "([0-9a-f]{8})", "(run|trial|resumed)": (.*)\}\n', re.DOTALL)


@dataclass(frozen=True, slots=True)
class JournalContents:
    """What a journal holds.

    Attributes:
        resumed: when its run went on after it had been left, oldest first.
        end: where its last whole line ends, in bytes.
        torn: bytes after that: a line that was being written when the run was left, and never counted.
        checksum: of the last whole line.
    """

    beginning: RunHeader
    trials: tuple[Measurement, ...]
    resumed: tuple[Resumption, ...]
    end: int
    torn: int
    checksum: int


class Journal:
    """The open journal of a run; append only."""

    def __init__(self, path: Path, file: io.FileIO, checksum: int) -> None:
        self._path = path
        self._file = file
        self._checksum = checksum

    def append(self, *entries: Measurement | Resumption) -> None:
        """Write trials, or that the run goes on, and return once that is durable.

        Raises:
            EnvironmentFault: it cannot be written; the journal is as it was.
        """
        checksum, lines = self._checksum, b""
        for entry in entries:
            line, checksum = _line(entry, checksum)
            lines += line
        left = memoryview(lines)
        end = self._file.seek(0, os.SEEK_END)
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._take_back(end)
            raise write_error(self._path, error, len(lines)) from error
        except BaseException:  # a signal; nobody has been told of these trials
            self._take_back(end)
            raise
        self._checksum = checksum

    def _take_back(self, end: int) -> None:
        """Remove half a line, which would be damage if another one followed it."""
        try:
            self._file.truncate(end)
        except OSError as error:
            raise write_error(self._path, error, 0) from error


@contextmanager
def new_journal(path: Path, beginning: RunHeader) -> Iterator[Journal]:
    """Begin a journal, and keep it open for appending.

    Raises:
        EnvironmentFault: it cannot be written; there is none, then.
    """
    line, checksum = _line(beginning, 0)
    try:
        write_atomically(path, line.decode())
        file = io.FileIO(path, "ab")
    except OSError as error:
        raise write_error(path, error, len(line)) from error
    with file:
        yield Journal(path, file, checksum)


@contextmanager
def continued_journal(path: Path, past: JournalContents) -> Iterator[Journal]:
    """Open a journal for appending after its last whole line; what was torn is removed.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    try:
        file = io.FileIO(path, "ab")
    except OSError as error:
        raise write_error(path, error, past.torn) from error
    with file:
        try:
            file.truncate(past.end)
        except OSError as error:
            raise write_error(path, error, past.torn) from error
        yield Journal(path, file, past.checksum)


def read_journal(path: Path) -> JournalContents:
    """Read a journal; its trials are in the order in which they were run.

    Raises:
        UnreadableResultError: it is of another version, or damaged; the message has the path and the byte
            offset. A last line without its end is no damage, but told as ``torn``.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableResultError(f"{path}: {error.strerror}") from error
    end = content.rfind(b"\n") + 1
    entries: list[_Entry] = []
    offset = checksum = 0
    for line in content[:end].split(b"\n")[:-1]:
        try:
            entry, checksum = _entry(line + b"\n", checksum)
            if isinstance(entry, RunHeader) != (offset == 0):
                raise MalformedError("what a run began with is not where it belongs")
        except MalformedError as error:
            raise UnreadableResultError(f"{path}: damaged at byte {offset}: {error.what}") from error
        except UnreadableResultError as error:
            raise UnreadableResultError(f"{path}: {error.what}", hint=error.hint) from error
        entries.append(entry)
        offset += len(line) + 1
    _check_rest(path, content[end:], end, checksum)
    match entries:
        case [RunHeader() as beginning, *_]:
            pass
        case _:
            raise UnreadableResultError(f"{path}: damaged at byte 0: not one whole line")
    return JournalContents(
        beginning=beginning,
        trials=tuple(entry for entry in entries if isinstance(entry, Measurement)),
        resumed=tuple(entry for entry in entries if isinstance(entry, Resumption)),
        end=end,
        torn=len(content) - end,
        checksum=checksum,
    )


def _line(entry: _Entry, before: int) -> tuple[bytes, int]:
    """Write a line, and return its checksum, too."""
    kind = next(kind for kind, type_ in _KINDS.items() if isinstance(entry, type_))
    value = encode({"schema": SCHEMA, **to_json_value(entry)} if kind == "run" else entry)
    checksum = _checksum(kind.encode(), value.encode(), before)
    return f'{{"crc32": "{checksum:08x}", "{kind}": {value}}}\n'.encode(), checksum


def _entry(line: bytes, before: int) -> tuple[_Entry, int]:
    """Read a line, and return its checksum, too."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise MalformedError("no line of a journal")
    checksum = _checksum(found[2], found[3], before)
    if f"{checksum:08x}".encode() != found[1]:
        raise MalformedError("the checksum does not match")
    kind, value = found[2].decode(), parse(found[3])
    if kind == "run" and isinstance(value, dict) and (schema := value.pop("schema", None)) != SCHEMA:
        raise UnreadableResultError(
            f"the journal has schema {schema!r}, this flagbench reads {SCHEMA}",
            hint="go on with the flagbench that wrote it",
        )
    entry: _Entry = from_json_value(_KINDS[kind], value, kind)
    return entry, checksum


def _check_rest(path: Path, rest: bytes, offset: int, before: int) -> None:
    """Refuse what cannot be a line that was being written: a whole one with something else for its end."""
    try:
        _entry(rest[:-1] + b"\n", before)
    except (MalformedError, UnreadableResultError):
        return
    raise UnreadableResultError(f"{path}: damaged at byte {offset + len(rest) - 1}: a line does not end")


def _checksum(kind: bytes, value: bytes, before: int) -> int:
    return crc32(b"%s: %s" % (kind, value), before)
