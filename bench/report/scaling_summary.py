"""The sentences on what more workers bring: knees, laws, crossovers, and what the blocks cannot bear."""

from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Final

from bench.model.text import join_and, plural
from bench.report.case_label import in_words
from bench.report.number_format import digits, factor, share
from bench.stats.crossover import Crossover, SeriesPair
from bench.stats.intervals import Interval
from bench.stats.pairwise import PairVerdicts, blocks_needed
from bench.stats.scaling import WORTH, Knee, Law, Scaling, ScalingPoint, Series, SeriesKey

_FEWEST: Final = blocks_needed(1)
_FREE: Final = 3
"""So many numbers of workers the law's three parameters can meet exactly."""
_NAMED_PAIRS: Final = 3
"""So many pairs without a crossover are named; more are counted."""


def scaling_remarks(scaling: Scaling) -> Iterator[str]:
    """Say what the tables show, a sentence or two on each series, pair, and on the number of blocks."""
    if not scaling.series:
        yield "No strategy and client has timings for three numbers of workers: there is nothing to fit."
    for series in scaling.series:
        yield f"{in_words(series.contender)}: {_knee(series)}{_law(series)}{_left_out(series)}"
    orders = [order for rivalry in scaling.rivalries for order in rivalry.orders.values()]
    yield from _crossovers(scaling.rivalries)
    yield from _reach_of_orders(orders)
    yield from _reach_of_rungs([rung for series in scaling.series for rung in series.rungs])


def _knee(series: Series) -> str:
    """Say up to where more workers pay."""
    knee = series.knee
    if knee is None:
        return (
            f"every step up to {series.rungs[-1].workers} workers gains 5% or more; a knee is not in reach."
        )
    if knee.failed:
        failed = join_and(list(map(str, knee.failed)))
        beyond = plural(knee.rung.workers, "worker")
        lead = f"no knee can be sought beyond {beyond}, as most trials with {failed} failed"
    elif knee.step.gain is None or knee.step.gain.ratio.low is None:
        lead = f"no knee can be sought beyond {plural(knee.rung.workers, 'worker')}"
    elif knee.rung == series.rungs[0]:
        lead = f"the knee is at {plural(knee.rung.workers, 'worker')}, the fewest that were timed"
    else:
        lead = f"the knee is at {knee.rung.workers} workers, as every step up to there gains 5% or more"
    return f"{lead}; {_step(knee)}.{_resumed(knee)}"


def _step(knee: Knee) -> str:
    """Say what the step beyond the knee gains, and what that excludes."""
    workers, gain = knee.step.workers, knee.step.gain
    if gain is None or gain.ratio.low is None or gain.ratio.high is None:
        blocks = 0 if gain is None else gain.blocks
        return (
            f"what {workers} gain takes {_FEWEST} shared blocks to say, and there "
            f"{'is' if blocks == 1 else 'are'} {blocks}"
        )
    with_next = f"{workers} are {factor(gain.ratio.estimate)} times as fast{_bounds(gain.ratio, factor)}"
    if gain.ratio.high < 1:
        return f"{with_next}, and so slower"
    if gain.ratio.high < WORTH:
        return f"{with_next}, less than 5% faster"
    if knee.step.is_worth_it:
        return with_next
    return f"{with_next}, which may be less than 5% faster"


def _resumed(knee: Knee) -> str:
    if not knee.resumed:
        return ""
    workers = join_and([str(rung.workers) for rung in knee.resumed])
    return (
        f" Further up, the {'step' if len(knee.resumed) == 1 else 'steps'} to {workers} gain 5% all the same."
    )


def _law(series: Series) -> str:
    """Say what the fitted law is, and where it sees the end."""
    law = series.law
    if law is None:
        return (
            " The Universal Scalability Law cannot be fitted: no block has all steps, or time grows too fast."
        )
    found = (
        f" Universal Scalability Law over {plural(law.blocks, 'block')}{_lawless(law)}: one worker does "
        f"{digits(law.rate.estimate)} fetches/s{_bounds(law.rate, digits)}, "
        f"contention σ {_small(law.contention.estimate)}{_bounds(law.contention, _small)}, "
        f"coherency κ {_small(law.coherency.estimate)}{_bounds(law.coherency, _small)}; "
        f"{_peak(law, series.rungs[-1].workers)}."
    )
    tested = ", which three numbers of workers hardly test" if len(series.rungs) == _FREE else ""
    return f"{found} Its greatest miss is {share(law.misfit)} of a time{tested}."


def _lawless(law: Law) -> str:
    return f" (in {law.lawless} more, time grows too fast for it)" if law.lawless else ""


def _left_out(series: Series) -> str:
    if not series.left_out:
        return ""
    noun = "worker" if series.left_out == (1,) else "workers"
    return f" Left out, as most trials failed: {join_and(list(map(str, series.left_out)))} {noun}."


def _peak(law: Law, most: int) -> str:
    if law.limit.estimate == inf:
        return "no limit of the throughput is in sight"
    limit = f"{digits(law.limit.estimate)} fetches/s{_bounds(law.limit, digits)}"
    if law.peak.estimate == inf:
        return f"throughput has no peak, and approaches {limit}"
    peak = f"{_whole(law.peak.estimate)} workers{_bounds(law.peak, _whole)}"
    beyond = f", beyond the {most} there are" if law.peak.estimate > most else ""
    return f"throughput is greatest with {peak}{beyond}, at {limit}"


def _crossovers(rivalries: Sequence[SeriesPair[SeriesKey]]) -> Iterator[str]:
    """Say who overtakes whom; of many pairs that do not, only their number."""
    if all(order.verdict == "too few blocks" for rivalry in rivalries for order in rivalry.orders.values()):
        return
    without = [rivalry for rivalry in rivalries if not rivalry.crossovers]
    for rivalry in rivalries:
        for crossover in rivalry.crossovers:
            yield _overtaking(rivalry, crossover)
    if len(without) > _NAMED_PAIRS:
        which = "the other" if len(without) < len(rivalries) else "any of the"
        yield f"No crossover is shown for {which} {len(without)} pairs."
        return
    for rivalry in without:
        sides = (rivalry.first, rivalry.second)
        leads = [
            f"{in_words(side)} is ahead with {join_and(list(map(str, ahead)))} workers"
            for side in sides
            if (ahead := rivalry.ahead(side))
        ]
        found = " and ".join(leads) or "neither is shown to be ahead with any number of workers"
        yield f"No crossover of {' and '.join(map(in_words, sides))} is shown: {found}."


def _overtaking(rivalry: SeriesPair[SeriesKey], crossover: Crossover) -> str:
    sides = [rivalry.first, rivalry.second]
    ahead, behind = sides if rivalry.orders[crossover.below].verdict == "faster" else sides[::-1]
    at = (
        ""
        if crossover.at is None
        else f", at about {factor(crossover.at.estimate)}{_bounds(crossover.at, factor)}"
    )
    return (
        f"{in_words(behind)} overtakes {in_words(ahead)} between {crossover.below} and {crossover.above} "
        f"workers{at}."
    )


def _reach_of_orders(orders: Sequence[PairVerdicts]) -> Iterator[str]:
    """Say where there are too few blocks to tell who is ahead."""
    short = [order.blocks for order in orders if order.verdict == "too few blocks"]
    if not short:
        return
    needed = blocks_needed(len(orders))
    if len(short) == len(orders):
        yield (
            f"{plural(max(short), 'block')} cannot bear crossovers: telling who is ahead in {len(orders)} "
            f"places takes {needed}."
        )
    else:
        yield (
            f"{len(short)} of {len(orders)} places have too few blocks to tell who is ahead there: so many "
            f"places take {needed}."
        )


def _reach_of_rungs(rungs: Sequence[ScalingPoint]) -> Iterator[str]:
    """Say what so few blocks bear of intervals and knees."""
    short = [rung for rung in rungs if rung.blocks < _FEWEST]
    if short and len(short) == len(rungs):
        yield f"Intervals and knees take {_FEWEST} blocks."
    elif short:
        yield f"{len(short)} of {len(rungs)} rows have no interval, which takes {_FEWEST} blocks."
    if any(rung.blocks == _FEWEST for rung in rungs):
        yield (
            f"Of {_FEWEST} blocks, the fewest that bear an interval, it reaches from the least of them to "
            "the greatest, and a gain of 5% is shown only where every block has it."
        )


def _bounds(interval: Interval, write: Callable[[float], str]) -> str:
    if interval.low is None or interval.high is None:
        return ""
    return f" ({_finite(interval.low, write)} to {_finite(interval.high, write)})"


def _finite(value: float, write: Callable[[float], str]) -> str:
    return "∞" if value == inf else write(value)


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _small(value: float) -> str:
    """Write a parameter of the law, which may be any power of ten below one."""
    return f"{value:.2g}"
