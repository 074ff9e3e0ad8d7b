"""The sentence below a table: what it shows, and how sure that is."""

from bench.report.figures import duration, plural, share
from bench.stats.intervals import Interval
from bench.stats.standing import Podium, Standing


def conclusion(podium: Podium) -> str:
    """Say in words which case is fastest, by how much, and which cannot be told from it."""
    rows = {row.case.id: row for row in podium.rows}
    if podium.fastest is None:
        return "No case yielded a timing."
    best = rows[podium.fastest]
    return f"{_lead(best)}{_gain(best, rows, podium.baseline)}. {_certainty(podium, rows)}"


def _lead(best: Standing) -> str:
    elapsed = "" if best.elapsed is None else f" at {duration(best.elapsed.estimate)}"
    ideal = "" if best.efficiency is None else f", {share(best.efficiency)} of the ideal"
    return f"{called(best)} was fastest{elapsed}{ideal}"


def _gain(best: Standing, rows: dict[str, Standing], baseline: str | None) -> str:
    if best.times_faster is None or baseline is None:
        return ""
    ratio = best.times_faster.ratio
    return f", {ratio.estimate:.1f} times faster than {called(rows[baseline])}{_bounds(ratio)}"


def _bounds(ratio: Interval) -> str:
    if ratio.low is None or ratio.high is None:
        return ""
    return f" (95% interval {ratio.low:.1f} to {ratio.high:.1f})"


def _certainty(podium: Podium, rows: dict[str, Standing]) -> str:
    rivals = sum(1 for row in podium.rows if row.elapsed is not None) - 1
    blocks = min(row.blocks for row in podium.rows if row.elapsed is not None)
    if rivals == 0:
        return f"There was nothing to compare it with ({plural(blocks, 'block')})."
    if not podium.conclusive:
        few = f"{plural(blocks, 'block')} {'is' if blocks == 1 else 'are'} too few"
        return f"{few} to tell {rivals + 1} cases apart: take this as a first impression."
    basis = f"paired over {plural(blocks, 'block')}, 95% over all {plural(rivals, 'comparison')}"
    if not podium.ties:
        return f"It is ahead of every other case ({basis})."
    tied = [called(rows[case_id]) for case_id in sorted(podium.ties)]
    return f"It cannot be told from {_listed(tied)} ({basis})."


def called(row: Standing) -> str:
    """Name a case in running text."""
    case = row.case
    workers = "" if case.strategy == "sequential" else f" and {plural(case.workers, 'worker')}"
    connection = "" if case.keep_alive else ", a connection per request"
    return f"{case.strategy} with {case.client}{workers}{connection}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{'; '.join(names[:-1])}; or {names[-1]}"
