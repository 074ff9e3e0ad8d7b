"""Say what a run with several rates has found: the highest rate that is kept, and by which case."""

from collections.abc import Iterator, Sequence

from bench.model.text import join_and, plural
from bench.report.absolute_thresholds import write_bound
from bench.report.case_label import describe_case, describe_conditions
from bench.report.number_format import format_rate
from bench.report.open_loop_conclusion import p99_s
from bench.stats.offered_rates import OfferedRates, RateSeries


def rates_conclusion(rates: OfferedRates) -> Iterator[str]:
    """Yield a sentence on the case with the highest rate, and one on those that may keep a higher one."""
    lowest = min(rates.rankings)
    kept = [each for each in rates.series if each.highest.kept is not None]
    if not kept:
        what = "no case is shown to keep" if _undecided(rates) else "no case keeps"
        yield f"{_goal(rates.series)}{what} even the lowest rate, {format_rate(lowest)}."
    else:
        best = max(kept, key=_order)
        alike = [each for each in kept if each.bounds == best.bounds]
        equal = sum(each.highest.kept == best.highest.kept for each in alike) - 1
        others = f"; so {'does' if equal == 1 else 'do'} {plural(equal, 'other case')}" if equal else ""
        yield f"{_goal([best])}{describe_case(best.case)} keeps {_describe_highest(best)}{others}."
        if any(each.bounds != best.bounds for each in rates.series):
            yield "Other cases have other bounds."
    if undecided := _undecided(rates):
        names = join_and([f"{describe_case(each.case)} at {format_rate(rate)}" for each, rate in undecided])
        yield f"It cannot be told, with these blocks, for {names}."


def describe_rates_conditions(rates: OfferedRates) -> str:
    """Name the conditions that the cases of all rates share."""
    case = rates.series[0].case
    return describe_conditions(case.without_rate)


def _goal(series: Sequence[RateSeries]) -> str:
    """Name the bounds by which a rate counts as kept."""
    bounds = dict.fromkeys(write_bound(bound) for each in series for bound in each.bounds)
    return f"With {join_and([*bounds])}, " if bounds else "Without being saturated, "


def _order(series: RateSeries) -> tuple[float, float]:
    """Order cases by the rate that they keep, then by the shortest waiting at it."""
    rate = series.highest.kept or 0.0
    return rate, -p99_s(series.rows[rate])


def _describe_highest(series: RateSeries) -> str:
    rate = format_rate(series.highest.kept or 0.0)
    return f"at least {rate}, the highest rate measured" if series.highest.is_last else rate


def _undecided(rates: OfferedRates) -> list[tuple[RateSeries, float]]:
    return [(each, each.highest.undecided) for each in rates.series if each.highest.undecided is not None]
