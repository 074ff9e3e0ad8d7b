"""Draw figures as bars: series as small ones beside each other, a share as the length of a single one."""

from collections.abc import Sequence
from itertools import count, pairwise
from statistics import median
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"
PARTS: Final = "▏▎▍▌▋▊▉█"
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


def draw_length(share: float, cells: int) -> str:
    """Draw a bar that fills a share (0 to 1) of so many cells, in eighths of a cell and at least one."""
    eighths = max(1, round(share * cells * len(PARTS)))
    full, rest = divmod(eighths, len(PARTS))
    return PARTS[-1] * full + (PARTS[rest - 1] if rest else "")


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
