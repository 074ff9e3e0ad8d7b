"""Filter the points of the history, and check that new ones were measured against the pinned reference."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from bench.app.case_patterns import matches_pattern
from bench.errors import BenchError, UsageError
from bench.model.comparison import Metric
from bench.model.text import plural
from bench.stats.history import Point
from bench.storage.pinned_reference import load_reference
from bench.system.git import commit_of, commit_ranks, descendants_of, is_shallow
from bench.system.program_name import program_name

_COMMIT_PREFIX: Final = re.compile(r"[0-9a-f]{4,64}")


def filter_points(
    points: Sequence[Point], *, pattern: str | None, metric: Metric | None, since: str | None
) -> tuple[list[Point], tuple[str, ...]]:
    """Return the points that match, at least one, and notes on points whose place is not known.

    Args:
        points: in the order of measuring.
        pattern: a shell pattern of case ids, or their beginning.
        metric: the only metric to keep.
        since: a day of measuring, or a commit: only points of that commit and its descendants are kept.

    Raises:
        UsageError: no point matches.
    """
    later, notes = (points, ()) if since is None else _points_since(points, since)
    kept = [
        point
        for point in later
        if metric in {None, point.metric} and (pattern is None or matches_pattern(point.case, pattern))
    ]
    if not kept:
        newest = points[-1]
        raise UsageError(
            "no point of the history matches",
            hint=f"the newest is {newest.metric} of {newest.case}, {newest.time}",
        )
    return kept, notes


def unknown_commit_notes(points: Sequence[Point], ranks: Mapping[str, int]) -> tuple[str, ...]:
    """Return a note if points stand by their time of measuring beside others in the order of commits."""
    unknown = {point.commit for point in points} - ranks.keys()
    if not ranks or not unknown:
        return ()
    remedy = "; this clone is shallow: `git fetch --unshallow` fetches older ones" if is_shallow() else ""
    place = "their points stand behind those measured before them"
    return (f"git does not know {plural(len(unknown), 'measured commit')}; {place}{remedy}",)


def check_reference(commit: str) -> None:
    """Check that a commit that points were measured against is the pinned reference.

    Raises:
        UsageError: no commit is pinned, or another one is.
    """
    pinned = load_reference()
    if pinned is None:
        raise UsageError(
            "no reference is pinned",
            hint=f"pin the commit that the run was measured against: `{program_name()} history pin {commit}`",
        )
    if pinned.rev != commit:
        raise UsageError(
            f"the run was measured against {commit}, and the reference is {pinned.rev}",
            hint=f"measure against the reference: `{program_name()} ab {pinned.rev} HEAD`",
        )


def _points_since(points: Sequence[Point], since: str) -> tuple[Sequence[Point], tuple[str, ...]]:
    """Return the points since a day or a commit, and notes."""
    try:
        day = date.fromisoformat(since).isoformat()
    except ValueError:
        return _points_after(points, since, _resolve_commit(points, since))
    return [point for point in points if point.time >= day], ()


def _resolve_commit(points: Sequence[Point], since: str) -> str:
    """Return the full commit of a revision, or the only measured commit with this beginning."""
    if not _COMMIT_PREFIX.fullmatch(since):
        return commit_of(since)
    found = {point.commit for point in points if point.commit.startswith(since)}
    if len(found) > 1:
        raise UsageError(f"{since!r} matches several commits", hint=_newest_commit(points))
    if found:
        return found.pop()
    try:
        return commit_of(since)
    except BenchError as error:
        raise UsageError(
            f"{since!r} is neither a day nor a measured commit", hint=_newest_commit(points)
        ) from error


def _points_after(
    points: Sequence[Point], since: str, commit: str
) -> tuple[Sequence[Point], tuple[str, ...]]:
    """Return the points of a commit and its descendants, or those measured since, and a note."""
    measured = {point.commit for point in points}
    known = commit_ranks(measured | {commit}) or {}
    if commit not in known:
        start = next(point.time for point in points if point.commit == commit)
        note = f"git does not know {since}: shown are the points that were measured since its first one"
        return [point for point in points if point.time >= start], (note,)
    descendants = descendants_of(commit, measured)
    kept = [point for point in points if point.commit in descendants]
    if not kept:
        raise UsageError(
            f"{since!r} is neither a day nor a measured commit, and no measured commit descends from it",
            hint=_newest_commit(points),
        )
    lost = sum(point.commit not in known for point in points)
    note = f"{plural(lost, 'point')} left out: git does not know whether their commits descend from {since}"
    return kept, (note,) if lost else ()


def _newest_commit(points: Sequence[Point]) -> str:
    return f"the newest measured commit is {points[-1].commit}"
