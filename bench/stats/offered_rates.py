"""Find the highest rate up to which each case keeps up, or keeps its bounds.

Used by the tables of runs whose config lists several ``rates``. A case keeps a rate if it surely keeps up
with it (`saturation`), and all ``thresholds`` of the config that are bounds and match its id are *kept*
(`absolute_thresholds`). The highest rate is the last before the first that it does not keep: beyond that one,
a better figure would be luck.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bench.model.cases import Case
from bench.model.comparison import Bound
from bench.model.json_codec import from_json_value
from bench.model.results import Measurement, Run
from bench.stats.absolute_thresholds import BoundStatus, check_bound
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import Ranking


@dataclass(frozen=True, slots=True)
class HighestRate:
    """The highest rate that a case keeps.

    Attributes:
        kept: it keeps this rate and all lower ones; None if it does not surely keep the lowest.
        undecided: the next rate, if the blocks cannot tell whether it is kept; None if it is not, or if
            there is none.
        is_last: whether there is no higher rate in the config, so that the highest may be higher.
    """

    kept: float | None
    undecided: float | None
    is_last: bool


@dataclass(frozen=True, slots=True)
class RateSeries:
    """A strategy with the same client, workers and settings, over rates.

    Attributes:
        case: that with the highest rate, which names the series.
        rows: its cases by rate, ascending.
        bounds: those of the config that match any of its cases.
    """

    case: Case
    rows: Mapping[float, CaseSummary]
    bounds: tuple[Bound, ...]
    highest: HighestRate


@dataclass(frozen=True, slots=True)
class OfferedRates:
    """The series of one profile, CPU work and number of downloads.

    Attributes:
        rankings: by rate, ascending.
        series: in the order of the config.
    """

    rankings: Mapping[float, Ranking]
    series: tuple[RateSeries, ...]


def summarize_rates(run: Run, ranked: Iterable[Ranking]) -> tuple[OfferedRates, ...]:
    """Return a summary for each profile, work and number of downloads; nothing if a run has no rates.

    Args:
        run: complete or not.
        ranked: its ``rankings``.
    """
    by_conditions: dict[str, dict[float, Ranking]] = {}
    for ranking in ranked:
        case = ranking.rows[0].case
        if case.has_other_rates:
            by_conditions.setdefault(case.without_rate.conditions, {})[case.rate] = ranking
    if not by_conditions:
        return ()
    bounds, good = run_bounds(run), _good_trials(run)
    return tuple(_summarize(dict(sorted(found.items())), bounds, good) for found in by_conditions.values())


def run_bounds(run: Run) -> tuple[Bound, ...]:
    """Return the bounds that a run with several rates has stored."""
    bounds: tuple[Bound, ...] = from_json_value(tuple[Bound, ...], run.config.get("bounds", []), "bounds")
    return bounds


def _good_trials(run: Run) -> Mapping[str, Mapping[int, Measurement]]:
    """Return the successful trials by case and block; if a block was repeated, its last success counts."""
    good: dict[str, dict[int, Measurement]] = {}
    for trial in run.trials:
        if trial.outcome == "ok" and trial.rounds:
            good.setdefault(trial.case, {})[trial.block] = trial
    return good


def _summarize(
    by_rate: Mapping[float, Ranking],
    bounds: Sequence[Bound],
    good: Mapping[str, Mapping[int, Measurement]],
) -> OfferedRates:
    rows: dict[Case, dict[float, CaseSummary]] = {}
    for rate, ranking in by_rate.items():
        for row in ranking.rows:
            rows.setdefault(row.case.without_rate, {})[rate] = row
    return OfferedRates(by_rate, tuple(_series(each, bounds, good) for each in rows.values()))


def _series(
    rows: Mapping[float, CaseSummary],
    bounds: Sequence[Bound],
    good: Mapping[str, Mapping[int, Measurement]],
) -> RateSeries:
    matching = {
        rate: [each for each in bounds if fnmatchcase(row.case.plain_id, each.pattern)]
        for rate, row in rows.items()
    }
    statuses = {
        rate: rate_status(row, matching[rate], [*good.get(row.case.id, {}).values()])
        for rate, row in rows.items()
    }
    used = dict.fromkeys(each for found in matching.values() for each in found)
    return RateSeries(rows[max(rows)].case, rows, tuple(used), find_highest(statuses))


def rate_status(row: CaseSummary, bounds: Sequence[Bound], good: Sequence[Measurement]) -> BoundStatus:
    """Say whether a case keeps its rate; a case that failed because of its strategy does not.

    Args:
        row: the case at this rate.
        bounds: those that match it.
        good: its successful trials, one of each block.
    """
    found = row.open_loop
    if row.failures or (found is not None and found.saturation == "saturated"):
        return "broken"
    if found is None:
        return "open"
    statuses = {check_bound(row.case.plain_id, bound, good).verdict for bound in bounds}
    if "broken" in statuses:
        return "broken"
    return "kept" if found.saturation == "keeps up" and "open" not in statuses else "open"


def find_highest(statuses: Mapping[float, BoundStatus]) -> HighestRate:
    """Find the highest rate that is kept with all lower ones.

    Args:
        statuses: by rate, ascending.
    """
    kept: float | None = None
    for rate, status in statuses.items():
        if status != "kept":
            return HighestRate(kept, rate if status == "open" else None, is_last=False)
        kept = rate
    return HighestRate(kept, None, is_last=True)
