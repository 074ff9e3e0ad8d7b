"""Write and read the journal of a run: a header, then one checksummed line per trial, and some others.

Blocks that machines of a cluster measured have a line each.

A trial counts once its line is on disk, which is before the next trial starts. Each checksum covers the exact
bytes of its line's value and continues the checksum of the line before, so that a torn write, a flipped bit,
or a lost, doubled or moved line is always found.
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
from bench.model.results import MeasuredBlock, Measurement, OtherProcesses, Resumption, RunHeader
from bench.storage.atomic_write import append_durably, write_atomically, write_error
from bench.storage.run_json import SCHEMA

_Entry: TypeAlias = RunHeader | Measurement | MeasuredBlock | Resumption | OtherProcesses
_KINDS: Final[Mapping[str, type[_Entry]]] = {
    "run": RunHeader,
    "trial": Measurement,
    "block": MeasuredBlock,
    "resumed": Resumption,
    "others": OtherProcesses,
}
_LINE: Final = re.compile(rb'\{"crc32": "([0-9a-f]{8})", "([a-z_]+)": (.*)\}\n', re.DOTALL)


@dataclass(frozen=True, slots=True)
class JournalContents:
    """The contents of a journal; with its header alone, of a run before its first trial.

    Attributes:
        trials: in the order in which they were run.
        resumed: the times at which the run was resumed, oldest first.
        end: end of the last whole line, in bytes.
        torn: bytes after that: a line that was being written when the run was interrupted; it never counts.
        checksum: of the last whole line.
        others: other processes, for each session that measured anything and was not killed.
    """

    header: RunHeader
    trials: tuple[Measurement, ...] = ()
    resumed: tuple[Resumption, ...] = ()
    end: int = 0
    torn: int = 0
    checksum: int = 0
    others: tuple[OtherProcesses, ...] = ()


class Journal:
    """The open journal of a run; append only."""

    def __init__(self, path: Path, file: io.FileIO, checksum: int) -> None:
        self._path = path
        self._file = file
        self._checksum = checksum

    def append(self, *entries: Measurement | MeasuredBlock | Resumption | OtherProcesses) -> None:
        """Append trials, or what is known of a session, and return once they are durable.

        Raises:
            SetupError: the journal cannot be written; it is as it was.
        """
        checksum, lines = self._checksum, b""
        for entry in entries:
            line, checksum = _encode_line(entry, checksum)
            lines += line
        append_durably(self._path, self._file, lines)
        self._checksum = checksum

    def contents(self) -> JournalContents:
        """Read the journal from its open file, which is there also if its folder is gone by now.

        Raises:
            UnreadableResultError: it was changed by another program.
        """
        return _decode_journal(
            self._path, os.pread(self._file.fileno(), os.fstat(self._file.fileno()).st_size, 0)
        )


@contextmanager
def new_journal(path: Path, header: RunHeader) -> Iterator[Journal]:
    """Create a journal with its header, and keep it open for appending.

    Raises:
        SetupError: it cannot be written, and does not exist then.
    """
    line, checksum = _encode_line(header, 0)
    try:
        write_atomically(path, line)
        file = io.FileIO(path, "ab+")
    except OSError as error:
        raise write_error(path, error, len(line)) from error
    with file:
        yield Journal(path, file, checksum)


@contextmanager
def continued_journal(path: Path, past: JournalContents) -> Iterator[Journal]:
    """Open a journal for appending after its last whole line, and remove a torn line.

    Raises:
        SetupError: it cannot be written.
    """
    try:
        file = io.FileIO(path, "ab+")
    except OSError as error:
        raise write_error(path, error, past.torn) from error
    with file:
        try:
            file.truncate(past.end)
        except OSError as error:
            raise write_error(path, error, past.torn) from error
        yield Journal(path, file, past.checksum)


def read_journal(path: Path) -> JournalContents:
    """Read a journal.

    Raises:
        UnreadableResultError: it is of another version, or damaged; the message has the path and the byte
            offset. A last line without its end is not damage but ``torn``.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableResultError(f"{path}: {error.strerror}") from error
    return _decode_journal(path, content)


def _decode_journal(path: Path, content: bytes) -> JournalContents:
    end = content.rfind(b"\n") + 1
    entries: list[_Entry] = []
    offset = checksum = 0
    for line in content[:end].split(b"\n")[:-1]:
        try:
            entry, checksum = _decode_line(line + b"\n", checksum)
            if isinstance(entry, RunHeader) != (offset == 0):
                raise MalformedError("the header of the run is not in its place")
        except MalformedError as error:
            raise UnreadableResultError(f"{path}: damaged at byte {offset}: {error.what}") from error
        except UnreadableResultError as error:
            raise UnreadableResultError(f"{path}: {error.what}", hint=error.hint) from error
        entries.append(entry)
        offset += len(line) + 1
    _check_torn_line(path, content[end:], end, checksum)
    match entries:
        case [RunHeader() as header, *_]:
            pass
        case _:
            raise UnreadableResultError(f"{path}: damaged at byte 0: not one whole line")
    return JournalContents(
        header=header,
        trials=tuple(trial for entry in entries for trial in _trials_of(entry)),
        resumed=tuple(entry for entry in entries if isinstance(entry, Resumption)),
        others=tuple(entry for entry in entries if isinstance(entry, OtherProcesses)),
        end=end,
        torn=len(content) - end,
        checksum=checksum,
    )


def _trials_of(entry: _Entry) -> tuple[Measurement, ...]:
    match entry:
        case Measurement():
            return (entry,)
        case MeasuredBlock(trials):
            return trials
    return ()


def _encode_line(entry: _Entry, before: int) -> tuple[bytes, int]:
    """Return a line and its checksum."""
    kind = next(kind for kind, type_ in _KINDS.items() if isinstance(entry, type_))
    value = encode({"schema": SCHEMA, **to_json_value(entry)} if kind == "run" else entry)
    checksum = _checksum(kind.encode(), value.encode(), before)
    return f'{{"crc32": "{checksum:08x}", "{kind}": {value}}}\n'.encode(), checksum


def _decode_line(line: bytes, before: int) -> tuple[_Entry, int]:
    """Return the entry of a line and its checksum."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise MalformedError("not a line of a journal")
    checksum = _checksum(found[2], found[3], before)
    if f"{checksum:08x}".encode() != found[1]:
        raise MalformedError("the checksum does not match")
    kind, value = found[2].decode(), parse(found[3])
    if kind not in _KINDS:
        raise UnreadableResultError(
            f"the journal has a line of the kind {kind!r}, which this flagbench does not know",
            hint="resume it with the flagbench that wrote it",
        )
    if kind == "run" and isinstance(value, dict) and (schema := value.pop("schema", None)) != SCHEMA:
        raise UnreadableResultError(
            f"the journal has schema {schema!r}, this flagbench reads {SCHEMA}",
            hint="resume it with the flagbench that wrote it",
        )
    entry: _Entry = from_json_value(_KINDS[kind], value, kind)
    return entry, checksum


def _check_torn_line(path: Path, rest: bytes, offset: int, before: int) -> None:
    """Refuse a rest that cannot be a torn line: a whole line with another character for its end."""
    try:
        _decode_line(rest[:-1] + b"\n", before)
    except (MalformedError, UnreadableResultError):
        return
    raise UnreadableResultError(f"{path}: damaged at byte {offset + len(rest) - 1}: a line does not end")


def _checksum(kind: bytes, value: bytes, before: int) -> int:
    return crc32(b"%s: %s" % (kind, value), before)
