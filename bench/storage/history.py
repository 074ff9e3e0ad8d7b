"""``results/history.jsonl``: what contests have found over time, a line for each metric of each case.

Lines say all there is to say of themselves and come in any order, twice if need be, so that git merges two
files by taking the lines of both (docs/history.md). They are only ever added.
"""

import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from bench.errors import LockedError, SetupError, UnreadableResultError, UsageError
from bench.model.cases import Case
from bench.model.comparison import is_full_sha
from bench.model.json_codec import MalformedError, encode, from_json_value, parse, to_json_value
from bench.model.results import Run
from bench.model.stored_comparison import about_variant, as_configured, read_comparison
from bench.stats.history import Point
from bench.stats.verdicts import run_verdicts
from bench.storage.atomic_write import sync_folder, write_error
from bench.storage.lock import locked

HISTORY: Final = Path("results/history.jsonl")
"""Below the folder in which the command was given."""
SCHEMA: Final = 1
"""Version of the lines; a reader refuses any other."""
_LOCK: Final = ".history.lock"
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_PATIENCE_S: Final = 10.0
"""Others hold the lock for as long as it takes to read the file."""
_MOST_LOG: Final = 50.0


def encode_point(point: Point) -> str:
    """Write a point as a line, without its end."""
    return encode({"schema": SCHEMA, **to_json_value(point)})


def read_history(path: Path = HISTORY) -> tuple[Point, ...]:
    """Read all points, each once, in order of time; none if there is no file.

    Raises:
        UnreadableResultError: a line is damaged, of another version, or contradicts another; the message has
            the path and the number of the line.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UnreadableResultError(f"{path}: {error.strerror}") from error
    *lines, rest = content.split(b"\n")
    points: dict[tuple[str, ...], Point] = {}
    for number, line in enumerate(lines, 1):
        try:
            point = _point(line)
        except MalformedError as error:
            raise _damaged(path, number, error.what) from error
        if points.setdefault(point.identity, point) != point:
            raise _damaged(path, number, "it contradicts another line on the same point")
    if rest:
        raise _damaged(path, len(lines) + 1, "it has no end")
    return tuple(points[identity] for identity in sorted(points))


def add_points(points: Iterable[Point], path: Path = HISTORY) -> int:
    """Add those points that are not there yet, durably, and return how many these were.

    Raises:
        UnreadableResultError: what is there is damaged; it is left as it was.
        LockedError: another process has been adding for longer than that takes.
        EnvironmentFault: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(path):
            known = {point.identity for point in read_history(path)}
            new = [point for point in points if point.identity not in known]
            if new:
                _append(path, "".join(f"{encode_point(point)}\n" for point in new))
    except OSError as error:
        raise SetupError(
            f"cannot add to {path}: {error.strerror}", hint="it takes a folder that can be written"
        ) from error
    return len(new)


def _append(path: Path, text: str) -> None:
    """Add a text in full or, where the disk is full, not at all."""
    content = text.encode()
    descriptor = os.open(path, _APPEND, 0o644)
    try:
        before = os.fstat(descriptor).st_size
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, before)
            raise write_error(path, error, len(content)) from error
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold the lock of the history, after whoever has it now."""
    deadline_s = time.monotonic() + _PATIENCE_S
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(locked(path.with_name(_LOCK)))
                break
            except LockedError as error:
                if time.monotonic() > deadline_s:
                    raise LockedError(error.what, hint="wait for it, and try again") from error
                time.sleep(0.02)
        yield


def _point(line: bytes) -> Point:
    """Read a line.

    Raises:
        MalformedError: it is none.
    """
    document = parse(line)
    if not isinstance(document, dict):
        raise MalformedError("not a JSON object")
    if (schema := document.pop("schema", None)) != SCHEMA or schema is True:
        raise MalformedError(f"of schema {schema!r}, and this flagbench reads {SCHEMA}")
    point: Point = from_json_value(Point, document, "point")
    if flaw := _flaw(point):
        raise MalformedError(flaw)
    return point


def _flaw(point: Point) -> str:
    """Say what of a point cannot be; nothing if all can."""
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
    return ""


def _is_utc(text: str) -> bool:
    """Say whether a time is written so that order of text is order of time."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return False
    return read.utcoffset() == timedelta() and read.isoformat(timespec="seconds") == text


def _damaged(path: Path, number: int, what: str) -> UnreadableResultError:
    return UnreadableResultError(
        f"{path}:{number}: {what}", hint="mend or remove the line; git has what it was"
    )


_SHARED: Final = ("python", "requirements")
"""What both sides must have alike, for else it was not the commit alone that made the difference."""


def history_points(run: Run) -> tuple[Point, ...]:
    """Return a point for each metric of each case that was measured.

    Raises:
        UsageError: it is no contest of two commits, or did not come to its end.
        UnreadableResultError: what is kept of its contest is none.
    """
    contest = read_comparison(run)
    if contest is None:
        raise _refusal(run, "it is no contest of two variants", "measure one with `ab`")
    verdicts = run_verdicts(run)
    if run.status != "complete" or not verdicts.is_complete:
        raise _refusal(run, "it was stopped early", "go on with it by --resume")
    base, candidate = (about_variant(run, label) for label in (contest.base, contest.candidate))
    reference, commit = _commit(run, base, "base"), _commit(run, candidate, "candidate")
    if differing := [name for name in _SHARED if base.get(name) != candidate.get(name)]:
        raise _refusal(run, f"its sides differ in {differing[0]}, too", "a point is of a commit alone")
    fingerprint = run.environment.get("fingerprint")
    if not isinstance(fingerprint, str) or not fingerprint:
        raise _refusal(run, "its machine is not known", "measure it again")
    settings = {case.plain_id: _settings(as_configured(case, contest), run) for case in run.cases}
    points = tuple(
        Point(
            time=run.started,
            commit=commit,
            reference=reference,
            case=each.case,
            metric=each.metric,
            log_ratio=math.log(each.ratio.estimate),
            low=each.ratio.low,
            high=each.ratio.high,
            blocks=each.blocks,
            verdict=each.verdict,
            fingerprint=fingerprint,
            config=str(run.config["name"]),
            settings=settings[each.case],
            run=run.name,
        )
        for each in verdicts.metrics
        if each.ratio is not None
    )
    if not points:
        raise _refusal(run, "no block of it succeeded on both sides", "see why with `show`")
    return points


def _settings(case: Case, run: Run) -> str:
    """Return what tells a case from all that have its id and ask for something else.

    What is nothing is left out, so that what may be asked for one day changes no series of today.
    """
    profile, countries = case.profile, case.countries
    asked = {
        "countries": countries.codes,
        "repeat": countries.repeat,
        "rounds": run.config.get("rounds"),
        "flags": run.config.get("flags"),
        "pinning": run.config.get("pinning"),
        "latency": profile.latency,
        "jitter_s": profile.jitter_s,
        "bandwidth": profile.bandwidth,
        "faults": profile.faults,
        "tls": profile.tls,
        "http2": profile.http2,
    }
    told = {key: to_json_value(value) for key, value in asked.items() if value}
    return blake2b(encode(told).encode(), digest_size=8).hexdigest()


def _commit(run: Run, about: Mapping[str, Any], side: str) -> str:
    """Return the commit that a side was as it is in git."""
    commit = about.get("commit")
    if not isinstance(commit, str) or not commit:
        raise _refusal(run, f"its {side} is of no commit", "compare revisions, such as `ab main HEAD`")
    if about.get("dirty") is not False:
        raise _refusal(
            run, f"its {side} has changes that are not in its commit", "commit them, and measure again"
        )
    return commit


def _refusal(run: Run, why: str, hint: str) -> UsageError:
    return UsageError(f"{run.name} is no part of a history: {why}", hint=hint)
