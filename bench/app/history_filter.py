"""Filter the points of the history, and check that new ones were measured against the pinned reference."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from bench.app.case_patterns import matches_pattern
from bench.errors import UsageError
from bench.model.comparison import Metric
from bench.stats.history import Point
from bench.storage.pinned_reference import load_reference
from bench.system.git import commit_of

_COMMIT_PREFIX: Final = re.compile(r"[0-9a-f]{4,64}")


def filter_points(
    points: Sequence[Point], *, pattern: str | None, metric: Metric | None, since: str | None
) -> list[Point]:
    """Return the points that match; there is at least one.

    Args:
        points: in order of time.
        pattern: a shell pattern of case ids, or their beginning.
        metric: the only metric to keep.
        since: a day, or a commit of which there is a point; earlier points are left out.

    Raises:
        UsageError: no point matches.
    """
    start = "" if since is None else _start_time(points, since)
    kept = [
        point
        for point in points
        if point.time >= start
        and metric in {None, point.metric}
        and (pattern is None or matches_pattern(point.case, pattern))
    ]
    if not kept:
        newest = points[-1]
        raise UsageError(
            "no point of the history matches",
            hint=f"the newest is {newest.metric} of {newest.case}, {newest.time}",
        )
    return kept


def check_reference(commit: str) -> None:
    """Check that a commit that points were measured against is the pinned reference.

    Raises:
        UsageError: no commit is pinned, or another one is.
    """
    pinned = load_reference()
    if pinned is None:
        raise UsageError(
            "no reference is pinned",
            hint=f"pin the commit that the run was measured against: `flagbench history pin {commit}`",
        )
    if pinned.rev != commit:
        raise UsageError(
            f"the run was measured against {commit}, and the reference is {pinned.rev}",
            hint=f"measure against the reference: `flagbench ab {pinned.rev} HEAD`",
        )


def _start_time(points: Sequence[Point], since: str) -> str:
    """Return the time of the first point to keep, in ISO 8601."""
    try:
        return date.fromisoformat(since).isoformat()
    except ValueError:
        prefix = since if _COMMIT_PREFIX.fullmatch(since) else commit_of(since)
    found = {point.commit for point in points if point.commit.startswith(prefix)}
    if len(found) != 1:
        problem = "matches several commits" if found else "is neither a day nor a measured commit"
        raise UsageError(f"{since!r} {problem}", hint=f"the newest measured commit is {points[-1].commit}")
    return next(point.time for point in points if point.commit in found)
