"""Turn comparisons into points of a history, and find lasting steps in their series. Used by `history`.

Steps are the change points of `change_points`; a series that wanders is told by the autocorrelation of its
residuals (`series`). Points of different machines, configs, settings or references are never mixed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from statistics import fmean, median
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from bench.errors import UsageError
from bench.model.cases import Case
from bench.model.comparison import METRICS, Metric, Verdict
from bench.model.json_codec import encode, to_json_value
from bench.model.results import Run
from bench.model.stored_comparison import about_variant, as_configured, read_comparison
from bench.stats.change_points import find_change_points, window_start
from bench.stats.series import autocorrelation, chance_bound
from bench.stats.verdicts import run_verdicts

PointOrder: TypeAlias = Literal["commits", "measuring"]
"""The order in which the points of a series stand."""
_EQUAL: Final = ("python", "requirements")
"""Settings that must be equal for both variants so that only the commit differs."""
_LEAST_APART: Final = 0.8
"""Least share of the pairs of a point before a step and one after it that the other order keeps apart."""


@dataclass(frozen=True, slots=True)
class Point:
    """The result of one comparison on one metric of one case.

    Attributes:
        time: start of its run, UTC, ISO 8601.
        commit: of the candidate.
        reference: the commit of the base.
        case: id without a variant.
        log_ratio: natural logarithm of candidate ÷ base, as estimated.
        low: lower bound of candidate ÷ base, no logarithm; ``None``, like ``high``, if there is none.
        blocks: number of blocks that it rests on.
        fingerprint: of the machine.
        config: name of the config.
        settings: hash of all settings that the case id does not tell.
        run: name of the run.
    """

    time: str
    commit: str
    reference: str
    case: str
    metric: Metric
    log_ratio: float
    low: float | None
    high: float | None
    blocks: int
    verdict: Verdict
    fingerprint: str
    config: str
    settings: str
    run: str

    @property
    def ratio(self) -> float:
        """Return candidate ÷ base, as estimated."""
        return math.exp(self.log_ratio)

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the fields that no two points share, in the order of time."""
        return (self.time, self.fingerprint, self.run, self.commit, self.reference, self.case, self.metric)


@dataclass(frozen=True, slots=True)
class Step:
    """A lasting change within a series.

    Attributes:
        point: the first point of the new level.
        ratio: new level ÷ old one: the median of all ratios between a point after and a point before, up to
            the neighbouring steps (Hodges & Lehmann).
        p: chance of so clear a step in a series of independent points without one.
        order: in which the points before and after it stand.
    """

    point: Point
    ratio: float
    p: float
    order: PointOrder = "commits"


class _FoundStep(NamedTuple):
    """A step, the levels before and after it, and the identities of all points that stand before it."""

    step: Step
    before: Sequence[Point]
    after: Sequence[Point]
    earlier: frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class HistorySeries:
    """Points that can be compared with each other, in order, and the steps among them.

    Attributes:
        points: in the order of their commits as far as it is known, else in the order of measuring.
        unconfirmed: steps that only one order shows, of commits or of measuring; they are not claimed.
        wanders: whether there are steps and, between them, points that resemble their neighbours more than
            by chance; the steps may then be drift of the machine rather than changes of the code.
    """

    points: tuple[Point, ...]
    steps: tuple[Step, ...]
    wanders: bool
    unconfirmed: tuple[Step, ...] = ()

    @property
    def reference(self) -> str:
        """Return the commit that all points were compared with."""
        return self.points[0].reference

    @property
    def newest(self) -> Point:
        """Return the point that was measured last."""
        return max(self.points, key=lambda point: point.identity)


@dataclass(frozen=True, slots=True)
class HistoryTrack:
    """A metric of a case on one machine, over all references.

    Attributes:
        series: one per reference; the last has the point that was measured last.
    """

    case: str
    metric: Metric
    config: str
    settings: str
    fingerprint: str
    series: tuple[HistorySeries, ...]


def history_tracks(
    points: Iterable[Point], ranks: Mapping[str, int] | None = None
) -> tuple[HistoryTrack, ...]:
    """Sort points into tracks by case, machine, config and settings, then by metric in the usual order.

    Args:
        points: in any order.
        ranks: place of each commit in the order of the repository; None: points stand in the order of
            measuring.
    """
    ranks = ranks or {}
    groups: dict[tuple[str, str, str, str, int], dict[str, list[Point]]] = {}
    for point in points:
        metric = METRICS.index(point.metric)
        key = (point.case, point.fingerprint, point.config, point.settings, metric)
        groups.setdefault(key, {}).setdefault(point.reference, []).append(point)
    return tuple(
        HistoryTrack(
            case,
            METRICS[metric],
            config,
            settings,
            fingerprint,
            tuple(
                sorted(
                    (_series(each, ranks) for each in by_reference.values()),
                    key=lambda series: series.newest.identity,
                )
            ),
        )
        for (case, fingerprint, config, settings, metric), by_reference in sorted(groups.items())
    )


def _series(points: Iterable[Point], ranks: Mapping[str, int]) -> HistorySeries:
    by_time = sorted(points, key=lambda point: point.identity)
    ordered = _in_commit_order(by_time, ranks)
    is_ranked = any(point.commit in ranks for point in ordered)
    scanned = ordered[window_start(len(ordered)) :]
    found = _find_steps(scanned, "commits" if is_ranked else "measuring")
    # both orders are those of the same points: a window of its own would show the other one something else
    measured = _find_steps(sorted(scanned, key=lambda point: point.identity), "measuring")
    confirmed = [each for each in found if ordered == by_time or _is_split_by(each, measured)]
    doubtful = [each for each in found if each not in confirmed]
    doubtful += [
        each
        for each in measured
        if not _is_split_by(each, found) and not any(_is_split_by(one, [each]) for one in confirmed)
    ]
    return HistorySeries(
        tuple(ordered),
        tuple(each.step for each in confirmed),
        _wanders(found),
        tuple(each.step for each in doubtful),
    )


def _find_steps(points: Sequence[Point], order: PointOrder) -> list[_FoundStep]:
    """Find the steps of points in some order, of which there are no more than one window."""
    values = [point.log_ratio for point in points]
    found = find_change_points(values)
    edges = [0, *(each.at for each in found), len(values)]
    levels = [points[start:end] for start, end in pairwise(edges)]
    return [
        _FoundStep(
            Step(points[each.at], math.exp(_level_shift(before, after)), each.p, order),
            before,
            after,
            frozenset(point.identity for point in points[: each.at]),
        )
        for each, (before, after) in zip(found, pairwise(levels), strict=True)
    ]


def _in_commit_order(by_time: Sequence[Point], ranks: Mapping[str, int]) -> list[Point]:
    """Sort points by the ranks of their commits, and those of one commit by time.

    A commit without a rank follows the point that was measured before it.
    """
    keyed = []
    rank = -1
    for point in by_time:
        is_known = point.commit in ranks
        rank = ranks.get(point.commit, rank)
        keyed.append(((rank, not is_known, point.identity), point))
    return [point for _, point in sorted(keyed, key=lambda pair: pair[0])]


def _is_split_by(step: _FoundStep, others: Iterable[_FoundStep]) -> bool:
    """Say whether a step of the other order has the levels of this one on its two sides.

    Either level may be the earlier one, as in a backfill.
    """
    pairs = len(step.before) * len(step.after)
    for other in others:
        old = sum(point.identity in other.earlier for point in step.before)
        new = sum(point.identity in other.earlier for point in step.after)
        apart = max(old * (len(step.after) - new), new * (len(step.before) - old))
        if apart >= _LEAST_APART * pairs:
            return True
    return False


def _wanders(steps: Sequence[_FoundStep]) -> bool:
    levels = [each.before for each in steps] + [each.after for each in steps[-1:]]
    means = [fmean(point.log_ratio for point in level) for level in levels]
    residuals = [point.log_ratio - mean for level, mean in zip(levels, means, strict=True) for point in level]
    return bool(steps) and autocorrelation(residuals) > chance_bound(len(residuals))


def _level_shift(before: Sequence[Point], after: Sequence[Point]) -> float:
    return median(new.log_ratio - old.log_ratio for new in after for old in before)


def history_points(run: Run) -> tuple[Point, ...]:
    """Return a point for each metric of each case that a stored comparison measured.

    Raises:
        UsageError: the run is not a finished comparison of two commits on a known machine.
        UnreadableResultError: the stored comparison does not fit the run's cases.
    """
    comparison = read_comparison(run)
    if comparison is None:
        raise _refusal(run, "it compares no two variants", "measure a comparison with `ab`")
    verdicts = run_verdicts(run)
    if run.status != "complete" or not verdicts.is_complete:
        raise _refusal(run, "it was stopped early", "finish it with --resume")
    base, candidate = (about_variant(run, label) for label in (comparison.base, comparison.candidate))
    reference, commit = _clean_commit(run, base, "base"), _clean_commit(run, candidate, "candidate")
    if differing := [name for name in _EQUAL if base.get(name) != candidate.get(name)]:
        why = f"its variants also differ in {differing[0]}"
        raise _refusal(run, why, "compare variants that differ in their commit only")
    fingerprint = run.environment.get("fingerprint")
    if not isinstance(fingerprint, str) or not fingerprint:
        raise _refusal(run, "its machine is not known", "measure it again")
    settings = {
        case.plain_id: _hash_settings(as_configured(case, comparison), run, per_call=bool(comparison.calls))
        for case in run.cases
    }
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
        raise _refusal(run, "no block succeeded with both variants", "see why with `show`")
    return points


def _hash_settings(case: Case, run: Run, *, per_call: bool) -> str:
    """Return a hash of all settings that the case id does not tell, and of the kind of its values.

    Older runs repeated the countries within one call where rounds now have several calls.

    Settings that are empty or zero are left out, so that an option added later does not change the series of
    today.
    """
    profile, countries = case.profile, case.countries
    settings = {
        "countries": countries.codes,
        "repeat": countries.repeat,
        "rounds": run.config.get("rounds"),
        "flags": run.config.get("flags"),
        "pinning": run.config.get("pinning"),
        "latency": profile.latency,
        "jitter_s": profile.jitter_s,
        "bandwidth": profile.bandwidth,
        "sizes": profile.sizes,
        "faults": profile.faults,
        "tls": profile.tls,
        "http2": profile.http2,
        "per_call": per_call,
        "server": profile.server,
        "connect_latency_s": profile.connect_latency_s,
        "work": (case.work.kind, case.work.times) if case.work.times else (),
        "target": _known_of_target(run),
        "open_loop": case.rate,
    }
    given = {key: to_json_value(value) for key, value in settings.items() if value}
    return blake2b(encode(given).encode(), digest_size=8).hexdigest()


def _known_of_target(run: Run) -> Mapping[str, Any]:
    """Return the content and rate of a target; nothing for the flag server."""
    target = run.config.get("target")
    if not isinstance(target, Mapping):
        return {}
    return {key: target.get(key) for key in ("files_sha256", "rate")}


def _clean_commit(run: Run, about: Mapping[str, Any], role: str) -> str:
    """Return the commit of a variant, which must be without further changes."""
    commit = about.get("commit")
    if not isinstance(commit, str) or not commit:
        raise _refusal(run, f"its {role} is not a commit", "compare revisions, such as `ab main HEAD`")
    if about.get("dirty") is not False:
        raise _refusal(run, f"its {role} has uncommitted changes", "commit them, and measure again")
    return commit


def _refusal(run: Run, why: str, hint: str) -> UsageError:
    return UsageError(f"{run.name} cannot be added to the history: {why}", hint=hint)
