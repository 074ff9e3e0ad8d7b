"""Say what a run with a rate has found: who waits least for a fetch, and who does not keep up."""

from collections.abc import Iterator, Sequence

from bench.model.text import plural
from bench.report.case_label import describe_case
from bench.report.number_format import format_duration, format_rate
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import Ranking


def open_loop_sentences(ranking: Ranking) -> Iterator[str]:
    """Yield the sentences on the cases of one rate, the answer first."""
    rate = format_rate(ranking.rows[0].case.rate)
    known = {row.case.id: row for row in ranking.rows if row.open_loop is not None}
    saturated = [row for row in known.values() if _saturation(row) == "saturated"]
    undecided = [row for row in known.values() if _saturation(row) == "undecided"]
    if not known:
        yield "No case yielded a timing."
        return
    if len(saturated) == len(known):
        yield f"At {rate} every case is saturated: fetches become due faster than any of them begins them."
        return
    best = min((row for row in known.values() if row not in saturated), key=p99_s)
    p99 = format_duration(p99_s(best))
    others = [row for row in known.values() if row not in saturated and row is not best]
    doubt = f"; {_doubt(best, others)}" if others else ""
    yield f"At {rate} {describe_case(best.case)} had the lowest p99: {p99} from when a fetch was due{doubt}."
    if saturated:
        yield f"{plural(len(saturated), 'case')} of {len(known)} {_is(saturated)} saturated."
    if undecided:
        they = "it keeps" if len(undecided) == 1 else "they keep"
        yield f"Of {plural(len(undecided), 'case')} it cannot be told whether {they} up."


def p99_s(row: CaseSummary) -> float:
    """Return the median 99th percentile of a case; infinity if there is none."""
    found = None if row.open_loop is None else row.open_loop.p99
    return float("inf") if found is None else found.estimate


def _doubt(best: CaseSummary, others: Sequence[CaseSummary]) -> str:
    """Compare the interval of the lowest p99 with those of other cases."""
    lowest = None if best.open_loop is None else best.open_loop.p99
    if lowest is None or lowest.high is None:
        return "there are too few blocks for intervals"
    count = sum(_reaches(row, lowest.high) for row in others)
    if count == 0:
        return "no interval of another case overlaps with its own"
    if count == 1:
        return "the interval of 1 other case overlaps with its own"
    return f"the intervals of {count} other cases overlap with its own"


def _reaches(row: CaseSummary, high_s: float) -> bool:
    """Tell whether the interval of a p99 reaches down to this; true if it has none."""
    found = None if row.open_loop is None else row.open_loop.p99
    return found is None or found.low is None or found.low <= high_s


def _saturation(row: CaseSummary) -> str | None:
    return None if row.open_loop is None else row.open_loop.saturation


def _is(rows: list[CaseSummary]) -> str:
    return "is" if len(rows) == 1 else "are"
