"""Draw series of figures as lines of small bars, for the trends in the table of the history."""

from collections.abc import Sequence
from itertools import count, pairwise
from statistics import median
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"
BREAK: Final = "│"
"""Between series that cannot be compared with each other."""


def draw_bars(values: Sequence[float], least_range: float) -> str:
    """Draw a bar for each value, the lowest for the least and the highest for the greatest.

    Values that differ by less than ``least_range`` are drawn in the middle of such a range, so that noise
    does not look like mountains.
    """
    low, high = min(values), max(values)
    spread = max(high - low, least_range)
    bottom = (low + high - spread) / 2
    return "".join(BARS[min(int((value - bottom) / spread * len(BARS)), len(BARS) - 1)] for value in values)


def draw_series(series: Sequence[Sequence[float]], least_range: float, width: int) -> str:
    """Draw several series in at most ``width`` signs, 4 or more, with a break between neighbours.

    If there are more values than signs, each bar is the median of several values. If there are more series
    than signs, the newest are drawn.
    """
    shown = series[-(width // 4) :]
    for size in count(1):
        thinned = [_medians(values, size) for values in shown]
        if sum(map(len, thinned)) + len(thinned) - 1 <= width:
            break
    return BREAK.join(draw_bars(values, least_range) for values in thinned)


def _medians(values: Sequence[float], size: int) -> Sequence[float]:
    """Replace every ``size`` values by their median; the first group may be smaller."""
    first = len(values) % size
    starts = [*([0] if first else []), *range(first, len(values), size)]
    return [median(values[start:end]) for start, end in pairwise([*starts, len(values)])]
