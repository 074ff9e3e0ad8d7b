"""Say what a run with several numbers of downloads has found: crossovers, and the fastest case with each."""

from collections.abc import Iterator

from bench.model.text import plural
from bench.report.case_label import describe_case
from bench.report.crossover_lines import crossover_lines
from bench.report.number_format import format_count, format_duration
from bench.stats.download_counts import DownloadCounts
from bench.stats.ranking import Ranking


def count_crossovers(counts: DownloadCounts) -> Iterator[str]:
    """Yield the sentences on where one series overtakes another."""
    return crossover_lines(counts.pairs, "downloads", describe_case, format_count)


def counts_conclusion(counts: DownloadCounts) -> Iterator[str]:
    """Yield the sentences on crossovers, and one for each number of downloads with its fastest case."""
    yield from count_crossovers(counts)
    for count, ranking in counts.rankings.items():
        yield f"With {plural(count, 'download')}, {_name_fastest(ranking)}."


def _name_fastest(ranking: Ranking) -> str:
    """Name the fastest case and its time, and say how sure its place is."""
    best = next((row for row in ranking.rows if row.case.id == ranking.fastest), None)
    if best is None or best.figures is None:
        return "no case yielded a timing"
    found = f"{describe_case(best.case)} was fastest at {format_duration(best.figures.elapsed.estimate)}"
    return "; ".join((found, *_doubts(ranking)))


def _doubts(ranking: Ranking) -> Iterator[str]:
    """Count the cases that the fastest is not shown to be ahead of."""
    for cases, doubt in (
        (ranking.equivalent, "it is practically equal to"),
        (ranking.inconclusive, "it cannot be told from"),
        (ranking.untestable, "there are too few blocks to tell it from"),
    ):
        if cases:
            yield f"{doubt} {plural(len(cases), 'other case')}"
