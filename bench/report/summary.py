"""The sentences below a table: what it shows, and how sure that is."""

from collections.abc import Iterable

from bench.model.text import plural
from bench.report.case_label import in_words
from bench.report.number_format import digits, duration, share
from bench.stats.case_summary import CaseSummary
from bench.stats.intervals import Interval
from bench.stats.ranking import Ranking


def conclusion(podium: Ranking) -> str:
    """Say in words which case is fastest, by how much, and which cannot be told from it."""
    rows = {row.case.id: row for row in podium.rows}
    if podium.fastest is None:
        return "No case yielded a timing."
    best = rows[podium.fastest]
    return " ".join([f"{_lead(best)}{_gain(best, rows, podium.baseline)}.", *_certainty(podium, rows)])


def called(row: CaseSummary) -> str:
    """Name a case in running text."""
    case = row.case
    workers = "" if case.strategy == "sequential" else f" and {plural(case.workers, 'worker')}"
    return in_words(case, workers)


def _lead(best: CaseSummary) -> str:
    if best.figures is None:
        return f"{called(best)} was fastest"
    elapsed = duration(best.figures.elapsed.estimate)
    return f"{called(best)} was fastest at {elapsed}, {share(best.figures.efficiency)} of the ideal"


def _gain(best: CaseSummary, rows: dict[str, CaseSummary], baseline: str | None) -> str:
    if best.figures is None or best.figures.times_faster is None or baseline is None:
        return ""
    found = best.figures.times_faster
    other = called(rows[baseline])
    if found.verdict == "tie":
        return f", and cannot be told from {other}"
    about = "about " if found.verdict == "too few blocks" else ""
    return f", {about}{digits(found.ratio.estimate)} times faster than {other}{_bounds(found.ratio)}"


def _bounds(ratio: Interval) -> str:
    if ratio.low is None or ratio.high is None:
        return ""
    return f" (95% interval {digits(ratio.low)} to {digits(ratio.high)})"


def _certainty(podium: Ranking, rows: dict[str, CaseSummary]) -> Iterable[str]:
    """Say ahead of whom the fastest is, from whom it cannot be told, and whom it was not compared with."""
    if podium.ranked == 1:
        yield f"There was nothing to compare it with ({plural(rows[podium.fastest or ''].blocks, 'block')})."
        return
    if podium.undecided and not (podium.behind or podium.ties):
        yield (
            f"There are too few blocks to tell {podium.ranked} cases apart; it takes {podium.blocks_needed}: "
            "take this as a first impression."
        )
        return
    basis = f"paired by block, 95% over all pairs of {podium.ranked} cases"
    if podium.ties:
        yield f"It cannot be told from {_listed(podium.ties, rows)} ({basis})."
    elif podium.undecided:
        yield f"It is ahead of {plural(len(podium.behind), 'other case')} ({basis})."
    else:
        yield f"It is ahead of every other case ({basis})."
    if podium.undecided:
        yield f"Too few blocks are shared with {_listed(podium.undecided, rows)} to compare them."


def _listed(case_ids: Iterable[str], rows: dict[str, CaseSummary]) -> str:
    names = [called(row) for case_id, row in rows.items() if case_id in set(case_ids)]
    return names[0] if len(names) == 1 else f"{'; '.join(names[:-1])}; or {names[-1]}"
