"""Which points of a history are meant, and whether others may join them."""

import re
from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Final

from bench.errors import UsageError
from bench.model.comparison import Metric
from bench.stats.history import Point
from bench.storage.pinned_reference import load_reference
from bench.system.git import commit_of

_PREFIX: Final = re.compile(r"[0-9a-f]{4,64}")


def chosen_points(
    points: Sequence[Point], *, pattern: str | None, metric: Metric | None, since: str | None
) -> list[Point]:
    """Keep the points that are asked for; there is at least one.

    Args:
        points: in order of time.
        pattern: of the ids of cases, or how they begin.
        metric: the only one that is kept.
        since: a day, or a commit of which there is a point: those before its first are left out.

    Raises:
        UsageError: there is none.
    """
    start = "" if since is None else _start(points, since)
    kept = [
        point
        for point in points
        if point.time >= start
        and metric in {None, point.metric}
        and (pattern is None or fnmatchcase(point.case, pattern) or point.case.startswith(pattern))
    ]
    if not kept:
        newest = points[-1]
        raise UsageError(
            "no point of the history is of this",
            hint=f"the newest is {newest.metric} of {newest.case}, {newest.time}",
        )
    return kept


def check_reference(commit: str) -> None:
    """Check that what was measured against a commit belongs into the history.

    Raises:
        UsageError: no commit is pinned, or another one is.
    """
    pinned = load_reference()
    if pinned is None:
        raise UsageError(
            "no reference is pinned",
            hint=f"pin what the run was measured against: `flagbench history pin {commit}`",
        )
    if pinned.rev != commit:
        raise UsageError(
            f"the run was measured against {commit}, and the reference is {pinned.rev}",
            hint=f"measure against that: `flagbench ab {pinned.rev} HEAD`",
        )


def _start(points: Sequence[Point], since: str) -> str:
    """Return the time from which on points are meant."""
    try:
        return date.fromisoformat(since).isoformat()
    except ValueError:
        prefix = since if _PREFIX.fullmatch(since) else commit_of(since)
    found = {point.commit for point in points if point.commit.startswith(prefix)}
    if len(found) != 1:
        what = "is the beginning of several commits" if found else "is no day and no commit that was measured"
        raise UsageError(f"{since!r} {what}", hint=f"the newest that was is {points[-1].commit}")
    return next(point.time for point in points if point.commit in found)
