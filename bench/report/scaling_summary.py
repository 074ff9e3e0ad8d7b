"""Write the sentences on how cases scale with their workers: knees, laws, crossovers, and missing blocks."""

from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Final

from bench.model.text import join_and, plural
from bench.report.case_label import describe_series
from bench.report.crossover_lines import crossover_lines
from bench.report.number_format import (
    MISSING,
    format_count,
    format_interval,
    format_number,
    format_percent,
    format_ratio,
)
from bench.stats.intervals import Interval
from bench.stats.pairwise import blocks_needed
from bench.stats.scaling import WORTH, Knee, Law, Scaling, ScalingPoint, Series

_LEAST_BLOCKS: Final = blocks_needed(1)
"""For an interval, and so for a knee."""
_LAW_PARAMETERS: Final = 3
"""The law can meet as many numbers of workers exactly."""


def scaling_remarks(scaling: Scaling) -> Iterator[str]:
    """Write sentences on each series, each pair, and the number of blocks."""
    if not scaling.series:
        yield "No strategy and client has timings for three numbers of workers: there is nothing to fit."
    for series in scaling.series:
        what = f"{describe_knee(series)}{_describe_law(series)}{_failed_workers(series)}"
        yield f"{describe_series(series.key)}: {what}"
    yield from crossover_lines(scaling.pairs, "workers", "any number of workers", describe_series)
    yield from _blocks_for_knees([point for series in scaling.series for point in series.points])


def describe_knee(series: Series) -> str:
    """Say up to how many workers each step of a series gains 5% or more."""
    knee = series.knee
    if knee is None:
        return (
            f"every step up to {series.points[-1].workers} workers gains 5% or more; a knee is not in reach."
        )
    if knee.failed:
        failed = join_and(list(map(str, knee.failed)))
        beyond = plural(knee.point.workers, "worker")
        lead = f"no knee can be sought beyond {beyond}, as most trials with {failed} failed"
    elif knee.step.gain is None or knee.step.gain.ratio.low is None:
        lead = f"no knee can be sought beyond {plural(knee.point.workers, 'worker')}"
    elif knee.point == series.points[0]:
        lead = f"the knee is at {plural(knee.point.workers, 'worker')}, the fewest that were timed"
    else:
        lead = f"the knee is at {knee.point.workers} workers, as every step up to there gains 5% or more"
    return f"{lead}; {_describe_step(knee)}.{_later_gains(knee)}"


def _describe_step(knee: Knee) -> str:
    """Say how much the step beyond the knee gains."""
    workers, gain = knee.step.workers, knee.step.gain
    if gain is None or gain.ratio.low is None or gain.ratio.high is None:
        blocks = 0 if gain is None else gain.blocks
        return (
            f"telling how much {workers} gain takes {_LEAST_BLOCKS} shared blocks, and there "
            f"{'is' if blocks == 1 else 'are'} {blocks}"
        )
    with_next = (
        f"{workers} are {format_ratio(gain.ratio.estimate)} times as fast{_bounds(gain.ratio, format_ratio)}"
    )
    if gain.ratio.high < 1:
        return f"{with_next}, and so slower"
    if gain.ratio.high < WORTH:
        return f"{with_next}, less than 5% faster"
    if knee.step.is_worth_it:
        return with_next
    return f"{with_next}, which may be less than 5% faster"


def _later_gains(knee: Knee) -> str:
    if not knee.resumed:
        return ""
    workers = join_and([str(point.workers) for point in knee.resumed])
    return (
        f" Further up, the {'step' if len(knee.resumed) == 1 else 'steps'} to {workers} gain 5% all the same."
    )


def _describe_law(series: Series) -> str:
    """Write the fitted law, and the number of workers with the greatest throughput."""
    law = series.law
    if law is None:
        return (
            " The Universal Scalability Law cannot be fitted: no block has all steps, or time grows too fast."
        )
    found = (
        f" Universal Scalability Law over {plural(law.blocks, 'block')}{_blocks_without_law(law)}: "
        f"one worker does {format_number(law.rate.estimate)} fetches/s{_bounds(law.rate, format_number)}, "
        f"contention σ {_with_bounds(law.contention, _format_parameter)}, "
        f"coherency κ {_with_bounds(law.coherency, _format_parameter)}; "
        f"{_describe_peak(law, series.points[-1].workers)}."
    )
    tested = ", which three numbers of workers hardly test" if len(series.points) == _LAW_PARAMETERS else ""
    return f"{found} Its greatest miss is {format_percent(law.misfit)} of a time{tested}."


def _blocks_without_law(law: Law) -> str:
    return f" (in {law.lawless} more, time grows too fast for it)" if law.lawless else ""


def _failed_workers(series: Series) -> str:
    if not series.left_out:
        return ""
    noun = "worker" if series.left_out == (1,) else "workers"
    return f" Left out, as most trials failed: {join_and(list(map(str, series.left_out)))} {noun}."


def _describe_peak(law: Law, most: int) -> str:
    if law.limit.estimate == inf:
        return "no limit of the throughput is in sight"
    limit = f"{format_number(law.limit.estimate)} fetches/s{_bounds(law.limit, format_number)}"
    if law.peak.estimate == inf:
        return f"throughput has no peak, and approaches {limit}"
    peak = f"{format_count(law.peak.estimate)} workers{_bounds(law.peak, format_count)}"
    beyond = f", beyond the {most} there are" if law.peak.estimate > most else ""
    return f"throughput is greatest with {peak}{beyond}, at {limit}"


def _blocks_for_knees(points: Sequence[ScalingPoint]) -> Iterator[str]:
    """Say where there are too few blocks for intervals and knees, or hardly enough."""
    short = [point for point in points if point.blocks < _LEAST_BLOCKS]
    if short and len(short) == len(points):
        yield f"Intervals and knees take {_LEAST_BLOCKS} blocks."
    elif short:
        yield f"{len(short)} of {len(points)} rows have no interval, which takes {_LEAST_BLOCKS} blocks."
    if any(point.blocks == _LEAST_BLOCKS for point in points):
        yield (
            f"Of {_LEAST_BLOCKS} blocks, the fewest for an interval, it reaches from the least of them to "
            "the greatest, and a gain of 5% is shown only where every block has it."
        )


def _bounds(interval: Interval, write: Callable[[float], str]) -> str:
    bounds = format_interval(interval, lambda value: "infinity" if value == inf else write(value), " to ")
    return "" if bounds == MISSING else f" ({bounds})"


def _with_bounds(interval: Interval, write: Callable[[float], str]) -> str:
    return f"{write(interval.estimate)}{_bounds(interval, write)}"


def _format_parameter(value: float) -> str:
    """Format a parameter of the law, which may be any power of ten below one."""
    return f"{value:.2g}"
