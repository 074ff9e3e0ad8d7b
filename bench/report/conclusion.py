"""Say in a few sentences what a run has found: the fastest case, its gain, and how sure that is."""

from collections.abc import Collection, Iterator, Mapping

from bench.model.text import plural
from bench.report.case_label import describe_case
from bench.report.number_format import (
    format_duration,
    format_interval,
    format_number,
    format_percent,
    format_small_percent,
)
from bench.report.open_loop_conclusion import open_loop_sentences
from bench.stats.case_summary import CaseSummary
from bench.stats.intervals import Interval
from bench.stats.ranking import Ranking


def conclusion(ranking: Ranking) -> str:
    """Name the fastest case, its gain, the cases that are practically equal, and those not told apart."""
    return " ".join(conclusion_sentences(ranking))


def conclusion_sentences(ranking: Ranking) -> tuple[str, ...]:
    """Return the sentences of the conclusion, the answer first; in an open loop no case is the fastest."""
    if ranking.rows[0].case.rate:
        return tuple(open_loop_sentences(ranking))
    if ranking.fastest is None:
        return ("No case yielded a timing.",)
    rows = {row.case.id: row for row in ranking.rows}
    return (_lead(ranking, rows), *_certainty(ranking, rows))


def _lead(ranking: Ranking, rows: Mapping[str, CaseSummary]) -> str:
    best = rows[ranking.fastest or ""]
    lead = f"{describe_case(best.case)} was fastest"
    if best.figures is not None:
        elapsed = format_duration(best.figures.elapsed.estimate)
        lead += f" at {elapsed}"
        if best.figures.efficiency is not None:
            lead += f", {format_percent(best.figures.efficiency)} of the ideal"
    return f"{lead}{_gain(best, rows, ranking.baseline)}."


def _gain(best: CaseSummary, rows: Mapping[str, CaseSummary], baseline: str | None) -> str:
    """Compare the fastest case with the baseline."""
    if best.figures is None or best.figures.times_faster is None or baseline is None:
        return ""
    found = best.figures.times_faster
    other = describe_case(rows[baseline].case)
    if found.verdict == "equivalent":
        return f", and practically equal to {other}"
    if found.is_testable and found.verdict == "inconclusive":
        return f", and cannot be told from {other}"
    about = "" if found.is_testable else "about "
    return f", {about}{format_number(found.ratio.estimate)} times faster than {other}{_bounds(found.ratio)}"


def _bounds(ratio: Interval) -> str:
    if ratio.low is None:
        return ""
    return f" (95% interval {format_interval(ratio, format_number, ' to ')})"


def _certainty(ranking: Ranking, rows: Mapping[str, CaseSummary]) -> Iterator[str]:
    """Name the cases that are equal to the fastest, that cannot be told from it, and that it is ahead of."""
    if ranking.ranked == 1:
        blocks = plural(rows[ranking.fastest or ""].blocks, "block")
        yield f"There was nothing to compare it with ({blocks})."
        return
    if len(ranking.untestable) == ranking.ranked - 1:
        yield (
            f"There are too few blocks to tell {ranking.ranked} cases apart; "
            f"it takes {ranking.blocks_needed}: take this as a first impression."
        )
        return
    if ranking.equivalent:
        names = _list_cases(ranking.equivalent, rows)
        yield f"Practically equal, within {_distance(ranking)} of it: {names}."
    if ranking.inconclusive:
        yield f"It cannot be told from {_list_cases(ranking.inconclusive, rows)}."
    if ranking.slower:
        is_all = len(ranking.slower) == ranking.ranked - 1
        others = "every other case" if is_all else plural(len(ranking.slower), "other case")
        yield f"It is ahead of {others}."
    if ranking.untestable:
        yield f"Too few blocks are shared with {_list_cases(ranking.untestable, rows)} to compare them."


def _distance(ranking: Ranking) -> str:
    """Return the greatest distance that the intervals of practically equal cases allow."""
    ratios = [ranking.against_fastest[case_id].ratio for case_id in ranking.equivalent]
    bounds = [max(ratio.high, 1 / ratio.low) - 1 for ratio in ratios if ratio.low and ratio.high]
    return format_small_percent(min(max(bounds, default=ranking.margin), ranking.margin))


def _list_cases(case_ids: Collection[str], rows: Mapping[str, CaseSummary]) -> str:
    names = [describe_case(row.case) for case_id, row in rows.items() if case_id in case_ids]
    return "; ".join(names)
