"""From a stored contest to the points of it that history keeps."""

import math
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from bench.errors import UsageError
from bench.model.cases import Case
from bench.model.json_codec import encode, to_json_value
from bench.model.results import Run
from bench.stats.history import Point
from bench.stats.verdicts import comparison_verdicts
from bench.storage.comparison import about_variant, as_configured, read_comparison

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
    verdicts = comparison_verdicts(contest, run.trials)
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
