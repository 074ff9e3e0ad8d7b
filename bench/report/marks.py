"""Mark the fastest case of a table, those that are equal to it, and those with something amiss."""

from bench.report.table import Tone
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import Ranking


def mark_case(ranking: Ranking, row: CaseSummary) -> str:
    """Return the sign in front of a row, as ``explain_marks`` explains it.

    In an open loop no case is the fastest: the schedule decides how long a round takes.
    """
    places = {"▸": {ranking.fastest}, "=": ranking.equivalent, "≈": ranking.inconclusive}
    place = next((sign for sign, cases in places.items() if row.case.id in cases and not row.case.rate), "")
    return place + ("!" if row.failures else "?" if row.case.id in ranking.too_few else "")


def case_tone(ranking: Ranking, row: CaseSummary) -> Tone:
    """Choose the colour of a row."""
    if row.figures is None:
        return "bad"
    if row.open_loop is not None:
        return "bad" if row.open_loop.saturation == "saturated" else "plain"
    if row.case.id == ranking.fastest:
        return "best"
    return "good" if row.case.id in ranking.equivalent | ranking.inconclusive else "plain"


def explain_marks(ranking: Ranking) -> list[str]:
    """Explain the signs that stand in front of rows."""
    is_raced = not ranking.rows[0].case.rate
    explanations = (
        (is_raced and ranking.fastest is not None, "▸ fastest"),
        (is_raced and ranking.equivalent, "= practically equal to it"),
        (is_raced and ranking.inconclusive, "≈ cannot be told from it"),
        (any(row.failures for row in ranking.rows), "! trials failed"),
        (ranking.too_few, "? too few blocks"),
    )
    return [words for is_used, words in explanations if is_used]
