"""Tell whether a case keeps up with the rate of an open loop. Called by `case_summary` for every case.

Method: a case that begins fewer fetches in a second than are due falls further behind with each of them, so
the share of a round's fetches that wait when its last one becomes due is its shortfall: 1 − capacity ÷ rate.
The case is *saturated* if the 95 % interval of the median of this share over the blocks (`intervals`) lies
above 5 %, and *keeps up* if it does not reach beyond. What follows the last start, such as the last answer,
and a start that was slow but made up for have no influence, as they would have on the rate that was reached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Final, Literal, TypeAlias

from bench.model.latency_histogram import merge_histograms
from bench.model.open_loop import OpenLoop
from bench.model.results import Measurement
from bench.stats.intervals import Interval, median_interval

Saturation: TypeAlias = Literal["keeps up", "saturated", "undecided"]

_MOST_WAITING: Final = 0.05
"""Share of a round's fetches that may wait when its last one becomes due."""


@dataclass(frozen=True, slots=True)
class OpenLoopSummary:
    """How the successful trials of a case kept to their schedules; intervals are of medians over blocks.

    Attributes:
        offered: fetches that were due in a second.
        reached: fetches ÷ seconds from the call to the end of the last one.
        backlog: the most fetches that waited in any round.
        waiting: share of a round's fetches that waited when the last one became due.
        late_start_p99_s: 99th percentile of the time from when a fetch was due until it began, mean.
        saturation: by ``waiting``.
        histograms: the encoded times of fetches from when they were due, one of each trial.
    """

    offered: float
    reached: Interval
    backlog: float
    waiting: Interval
    late_start_p99_s: float
    saturation: Saturation
    histograms: tuple[str, ...] = field(repr=False)

    @property
    def p99(self) -> Interval | None:
        """The 99th percentile of the times of a trial's fetches, computed when asked for; None if unknown."""
        known = [latency for each in self.histograms if (latency := merge_histograms([each])) is not None]
        return median_interval([each.p99_s for each in known]) if known else None


def summarize_open_loop(fetches: int, trials: Sequence[Measurement]) -> OpenLoopSummary | None:
    """Summarize the successful trials of a case; None if it is no open loop.

    Args:
        fetches: those of a round.
        trials: one of each block.
    """
    by_trial = [[each.open_loop for each in trial.rounds if each.open_loop is not None] for trial in trials]
    known = [rounds for rounds in by_trial if rounds]
    if not known:
        return None
    all_rounds = [each for rounds in known for each in rounds]
    waiting = _median(known, lambda each: each.final_backlog / fetches)
    return OpenLoopSummary(
        offered=all_rounds[0].offered,
        reached=_median(known, lambda each: each.reached),
        backlog=max(each.backlog for each in all_rounds),
        waiting=waiting,
        late_start_p99_s=fmean(each.late_start_p99_s for each in all_rounds),
        saturation=saturation_of(waiting),
        histograms=tuple(trial.latency for trial in trials),
    )


def saturation_of(waiting: Interval) -> Saturation:
    """Judge the share of fetches that wait in the end."""
    if waiting.low is None or waiting.high is None:
        return "undecided"
    if waiting.low > _MOST_WAITING:
        return "saturated"
    return "keeps up" if waiting.high <= _MOST_WAITING else "undecided"


def _median(by_trial: Sequence[Sequence[OpenLoop]], figure: Callable[[OpenLoop], float]) -> Interval:
    """Return the median over trials of the mean of a figure over its rounds."""
    return median_interval([fmean(map(figure, rounds)) for rounds in by_trial])
