"""Compare the cases of a run over several numbers of downloads: from how many on does one overtake another?

Used by the tables of runs whose config lists several numbers under ``countries: {repeat: …}``. The crossovers
are those of `crossover`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.model.cases import Case
from bench.stats.case_summary import CaseSummary
from bench.stats.crossover import LINEAR, SeriesPair, series_pairs
from bench.stats.pairwise import Sample
from bench.stats.ranking import Ranking


@dataclass(frozen=True, slots=True)
class CountSeries:
    """A strategy with the same client, workers and settings, over numbers of downloads.

    Attributes:
        case: that with the most downloads, which names the series.
        rows: its cases by number of downloads, ascending.
    """

    case: Case
    rows: Mapping[int, CaseSummary]


@dataclass(frozen=True, slots=True)
class DownloadCounts:
    """The series of one profile and CPU work, and the comparisons of every two of them.

    Attributes:
        conditions: ``Case.conditions_of_fetch`` of them all.
        rankings: by number of downloads, ascending.
        series: in the order of the config.
        pairs: named by the cases of two series; cases that mostly failed take no part.
    """

    conditions: str
    rankings: Mapping[int, Ranking]
    series: tuple[CountSeries, ...]
    pairs: tuple[SeriesPair[Case], ...]

    def ranked_rows(self, series: CountSeries) -> Mapping[int, CaseSummary]:
        """Return the cases of a series that take part in comparisons, by number of downloads."""
        return _ranked_rows(self.rankings, series)


def summarize_counts(ranked: Iterable[Ranking]) -> tuple[DownloadCounts, ...]:
    """Return a summary for each profile and CPU work; nothing if all cases of a run download as many.

    Open loops are left out: their schedule decides how long so many downloads take.

    Args:
        ranked: the ``rankings`` of a run.
    """
    by_conditions: dict[str, dict[int, Ranking]] = {}
    for ranking in ranked:
        case = ranking.rows[0].case
        if case.countries.is_one_of_several and not case.rate:
            by_conditions.setdefault(case.conditions_of_fetch, {})[case.countries.count] = ranking
    return tuple(_summarize(each, dict(sorted(found.items()))) for each, found in by_conditions.items())


def _summarize(conditions: str, by_count: Mapping[int, Ranking]) -> DownloadCounts:
    series = _join(list(by_count.values()))
    samples: dict[Case, dict[int, Sample]] = {}
    compared = set[str]()  # a case that stands for several series is compared once, and not with itself
    for each in series:
        rows = {n: row for n, row in _ranked_rows(by_count, each).items() if row.case.id not in compared}
        compared |= {row.case.id for row in rows.values()}
        samples[each.case] = {count: row.sample for count, row in rows.items()}
    return DownloadCounts(conditions, by_count, series, series_pairs(samples, LINEAR))


def _ranked_rows(by_count: Mapping[int, Ranking], series: CountSeries) -> Mapping[int, CaseSummary]:
    return {count: row for count, row in series.rows.items() if row.case.id in by_count[count].ranked_ids}


def _join(ranked: Sequence[Ranking]) -> tuple[CountSeries, ...]:
    """Join the cases that differ in their number of downloads only.

    Where there are fewer downloads than workers, one case stands for all numbers of workers beyond.

    Args:
        ranked: by number of downloads, ascending.
    """
    series: dict[Case, dict[int, CaseSummary]] = {}
    for ranking in reversed(ranked):
        for row in ranking.rows:
            count = row.case.countries.count
            own = [each for each in series if _settings(each) == _settings(row.case)]
            same = [each for each in own if _same_workers(each, row.case)]
            if row.case.workers == count:
                same += [each for each in own if each.workers > count and _fits_limit(each, row.case)]
            for each in same or [row.case]:
                series.setdefault(each, {})[count] = row
    return tuple(CountSeries(case, dict(sorted(rows.items()))) for case, rows in series.items())


def _settings(case: Case) -> Case:
    """Return a case without what the cases of a series may differ in."""
    return replace(case, workers=0, connections=0, countries=replace(case.countries, label="", repeat=0))


def _same_workers(first: Case, second: Case) -> bool:
    is_same = first.has_own_workers or first.workers == second.workers
    return is_same and first.connections == second.connections


def _fits_limit(series: Case, capped: Case) -> bool:
    """Tell whether a case with as many workers as downloads has the connections of a series."""
    is_unlimited = capped.connections == 0 and series.connections >= capped.workers
    return is_unlimited or capped.connections == series.connections
