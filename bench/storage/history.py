"""Read and append ``results/history.jsonl``: a line for each metric of each case that a comparison measured.

Lines are complete in themselves and may come in any order, even twice, so that git merges two files by taking
the lines of both (docs/history.md). Lines are only ever added.
"""

import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from bench.errors import UnreadableResultError
from bench.model.comparison import is_full_sha
from bench.model.json_codec import MalformedError, encode, from_json_value, parse, to_json_value
from bench.stats.history import Point
from bench.storage.atomic_write import append_durably, sync_folder
from bench.storage.lock import locked
from bench.storage.shared_files import read_shared_file, unwritable_file_error

HISTORY: Final = Path("results/history.jsonl")
"""Below the folder in which the command was given."""
SCHEMA: Final = 1
"""Version of the lines; a reader refuses any other."""
_LOCK: Final = ".history.lock"
_WAIT_S: Final = 10.0
"""Other writers hold the lock only while they read the file and append to it."""
_MOST_LOG: Final = 50.0


def encode_point(point: Point) -> str:
    """Write a point as a line, without the line end."""
    return encode({"schema": SCHEMA, **to_json_value(point)})


def read_history(path: Path = HISTORY) -> tuple[Point, ...]:
    """Read all points, each once, in order of time; return none if there is no file.

    Raises:
        UnreadableResultError: a line is damaged, of another version, or contradicts another; the message has
            the path and the number of the line.
    """
    *lines, rest = (read_shared_file(path) or b"").split(b"\n")
    points: dict[tuple[str, ...], Point] = {}
    for number, line in enumerate(lines, 1):
        try:
            point = _decode_point(line)
        except MalformedError as error:
            raise _damaged(path, number, error.what) from error
        if points.setdefault(point.identity, point) != point:
            raise _damaged(path, number, "it contradicts another line on the same point")
    if rest:
        raise _damaged(path, len(lines) + 1, "it has no line end")
    return tuple(points[identity] for identity in sorted(points))


def add_points(points: Iterable[Point], path: Path = HISTORY, *, wait_s: float = _WAIT_S) -> int:
    """Append the points that are not in the file yet, durably, and return their number.

    Raises:
        UnreadableResultError: the file is damaged; it is left as it was.
        LockedError: another process has held the lock for longer than ``wait_s``.
        SetupError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(_LOCK), wait_s=wait_s, hint="wait for it, and try again"):
            known = {point.identity for point in read_history(path)}
            new = [point for point in points if point.identity not in known]
            if new:
                with io.FileIO(path, "ab") as file:
                    append_durably(path, file, "".join(f"{encode_point(point)}\n" for point in new).encode())
                sync_folder(path.parent)
    except OSError as error:
        raise unwritable_file_error(path, error, "add to") from error
    return len(new)


def _decode_point(line: bytes) -> Point:
    """Read a line.

    Raises:
        MalformedError: it is not a point of this version.
    """
    document = parse(line)
    if not isinstance(document, dict):
        raise MalformedError("not a JSON object")
    if (schema := document.pop("schema", None)) != SCHEMA or schema is True:
        raise MalformedError(f"of schema {schema!r}, and this flagbench reads {SCHEMA}")
    point: Point = from_json_value(Point, document, "point")
    if problem := _find_impossible_value(point):
        raise MalformedError(problem)
    return point


def _find_impossible_value(point: Point) -> str | None:
    """Return the first impossible value of a point, or None."""
    if not _is_utc(point.time):
        return "point.time: not a time in UTC"
    if not is_full_sha(point.commit) or not is_full_sha(point.reference):
        return "point.commit or point.reference: not a full commit"
    if abs(point.log_ratio) > _MOST_LOG or point.blocks < 1:
        return "point.log_ratio or point.blocks: beyond what can be measured"
    if (point.low is None) != (point.high is None):
        return "point.low and point.high: one without the other"
    if point.low is not None and point.high is not None and not 0 < point.low <= point.high:
        return "point.low and point.high: no bounds of a ratio"
    return None


def _is_utc(text: str) -> bool:
    """Say whether a time is written so that the order of texts is the order of times."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return False
    return read.utcoffset() == timedelta() and read.isoformat(timespec="seconds") == text


def _damaged(path: Path, number: int, what: str) -> UnreadableResultError:
    hint = "repair or remove the line; git has its former content"
    return UnreadableResultError(f"{path}:{number}: {what}", hint=hint)
