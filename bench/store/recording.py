"""From a stored contest to the points of it that history keeps."""

import math
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

from bench.contest import Contest
from bench.errors import UsageError
from bench.measurement import Run
from bench.model import Case
from bench.stats.history import Point
from bench.stats.verdicts import verdicts_of
from bench.store.contest import as_asked, contest_of
from bench.wire import encode, plain

_SHARED: Final = ("python", "requirements")
"""What both sides must have alike, for else it was not the commit alone that made the difference."""


def points_of(run: Run) -> tuple[Point, ...]:
    """Return a point for each metric of each case that was measured.

    Raises:
        UsageError: it is no contest of two commits, or did not come to its end.
        UnreadableResultError: what is kept of its contest is none.
    """
    contest = contest_of(run)
    if contest is None:
        raise _refusal(run, "it is no contest of two variants", "measure one with `ab`")
    verdicts = verdicts_of(contest, run.trials)
    if run.status != "complete" or not verdicts.is_complete:
        raise _refusal(run, "it was stopped early", "go on with it by --resume")
    base, candidate = (_about(run, label) for label in (contest.base, contest.candidate))
    reference, commit = _commit(run, base, "base"), _commit(run, candidate, "candidate")
    if differing := [name for name in _SHARED if base.get(name) != candidate.get(name)]:
        raise _refusal(run, f"its sides differ in {differing[0]}, too", "a point is of a commit alone")
    fingerprint = run.environment.get("fingerprint")
    if not isinstance(fingerprint, str) or not fingerprint:
        raise _refusal(run, "its machine is not known", "measure it again")
    settings = {case.plain_id: _settings(case, contest) for case in run.cases}
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


def _settings(case: Case, contest: Contest) -> str:
    """Return what tells a case from all of other settings, however long its rounds were made."""
    return blake2b(
        encode(plain(replace(as_asked(case, contest), variant=""))).encode(), digest_size=8
    ).hexdigest()


def _about(run: Run, label: str) -> Mapping[str, Any]:
    """Return what is kept of a side; nothing if nothing is."""
    match run.config.get("variants"):
        case {**sides} if isinstance(about := sides.get(label), Mapping):
            return about
    return {}


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
