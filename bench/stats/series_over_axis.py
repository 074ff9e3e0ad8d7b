"""Compare the cases of a run along an axis: from how many downloads, or how much work, on does one overtake?

Used by the tables of runs whose config lists several values of an axis (``bench.model.case_axis``). The
crossovers are those of `crossover`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.model.case_axis import CaseAxis, axes_of
from bench.model.cases import Case
from bench.stats.case_summary import CaseSummary
from bench.stats.crossover import LINEAR, SeriesPair, series_pairs
from bench.stats.pairwise import Sample
from bench.stats.ranking import Ranking


@dataclass(frozen=True, slots=True)
class AxisSeries:
    """A strategy with the same client, workers and settings, along an axis.

    Attributes:
        case: that with the greatest value, which names the series.
        rows: its cases by their values, ascending.
    """

    case: Case
    rows: Mapping[int, CaseSummary]


@dataclass(frozen=True, slots=True)
class AxisSummary:
    """The series under equal conditions along an axis, and the comparisons of every two of them.

    Attributes:
        axis: the axis.
        conditions: ``Case.conditions`` of them all, without the axis.
        rankings: by value, ascending.
        series: in the order of the config.
        pairs: named by the cases of two series; cases that mostly failed take no part.
    """

    axis: CaseAxis
    conditions: str
    rankings: Mapping[int, Ranking]
    series: tuple[AxisSeries, ...]
    pairs: tuple[SeriesPair[Case], ...]

    @property
    def common_case(self) -> Case:
        """One of the cases without its value, for a title."""
        return self.axis.without(self.series[0].case)

    def ranked_rows(self, series: AxisSeries) -> Mapping[int, CaseSummary]:
        """Return the cases of a series that take part in comparisons, by their values."""
        return _ranked_rows(self.rankings, series)


def summarize_axes(ranked: Sequence[Ranking]) -> tuple[AxisSummary, ...]:
    """Return the summaries of each axis, one after the other; nothing if no axis has several values.

    Open loops are left out: their schedule decides how long a round takes.

    Args:
        ranked: the ``rankings`` of a run.
    """
    closed = [ranking for ranking in ranked if not ranking.rows[0].case.rate]
    axes = axes_of([ranking.rows[0].case for ranking in closed])
    return tuple(summary for axis in axes for summary in _summaries_of(axis, closed))


def _summaries_of(axis: CaseAxis, ranked: Iterable[Ranking]) -> Iterator[AxisSummary]:
    """Yield a summary for each profile, and each value of another axis."""
    by_conditions: dict[str, dict[int, Ranking]] = {}
    for ranking in ranked:
        case = ranking.rows[0].case
        by_conditions.setdefault(axis.without(case).conditions, {})[axis.value_of(case)] = ranking
    for conditions, found in by_conditions.items():
        yield _summarize(axis, conditions, dict(sorted(found.items())))


def _summarize(axis: CaseAxis, conditions: str, by_value: Mapping[int, Ranking]) -> AxisSummary:
    series = _join(axis, list(by_value.values()))
    samples: dict[Case, dict[int, Sample]] = {}
    compared = set[str]()  # a case that stands for several series is compared once, and not with itself
    for each in series:
        rows = {n: row for n, row in _ranked_rows(by_value, each).items() if row.case.id not in compared}
        compared |= {row.case.id for row in rows.values()}
        samples[each.case] = {value: row.sample for value, row in rows.items()}
    return AxisSummary(axis, conditions, by_value, series, series_pairs(samples, LINEAR))


def _ranked_rows(by_value: Mapping[int, Ranking], series: AxisSeries) -> Mapping[int, CaseSummary]:
    return {value: row for value, row in series.rows.items() if row.case.id in by_value[value].ranked_ids}


def _join(axis: CaseAxis, ranked: Sequence[Ranking]) -> tuple[AxisSeries, ...]:
    """Join the cases that differ in their value only.

    Where there are fewer downloads than workers, one case stands for all numbers of workers beyond.

    Args:
        axis: the axis.
        ranked: by value, ascending.
    """
    series: dict[Case, dict[int, CaseSummary]] = {}
    for ranking in reversed(ranked):
        for row in ranking.rows:
            own = [each for each in series if _settings(axis, each) == _settings(axis, row.case)]
            same = [each for each in own if _same_workers(each, row.case)]
            if row.case.workers == row.case.countries.count:
                capped = row.case.workers
                same += [each for each in own if each.workers > capped and _fits_limit(each, row.case)]
            for each in same or [row.case]:
                series.setdefault(each, {})[axis.value_of(row.case)] = row
    return tuple(AxisSeries(case, dict(sorted(rows.items()))) for case, rows in series.items())


def _settings(axis: CaseAxis, case: Case) -> Case:
    """Return a case without what the cases of a series may differ in."""
    return replace(axis.without(case), workers=0, connections=0)


def _same_workers(first: Case, second: Case) -> bool:
    is_same = first.has_own_workers or first.workers == second.workers
    return is_same and first.connections == second.connections


def _fits_limit(series: Case, capped: Case) -> bool:
    """Tell whether a case with as many workers as downloads has the connections of a series."""
    is_unlimited = capped.connections == 0 and series.connections >= capped.workers
    return is_unlimited or capped.connections == series.connections
