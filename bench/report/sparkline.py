"""A series as a line of small bars, and what stands for them where a console has none."""

from collections.abc import Sequence
from itertools import count, pairwise
from statistics import median
from typing import Final

from rich.console import Console

BARS: Final = "▁▂▃▄▅▆▇█"
BREAK: Final = "│"
"""Between series that cannot be held against each other."""
_PLAINER: Final = str.maketrans(f"{BARS}{BREAK}−–·", "_.-:=+*#|---")


def bars(values: Sequence[float], least_range: float) -> str:
    """Draw a bar a value.

    The lowest bar is for the least value and the highest for the greatest; values that differ by less than
    ``least_range`` are drawn in the middle of a range of that, so that noise does not look like mountains.
    """
    low, high = min(values), max(values)
    spread = max(high - low, least_range)
    bottom = (low + high - spread) / 2
    return "".join(BARS[min(int((value - bottom) / spread * len(BARS)), len(BARS) - 1)] for value in values)


def broken(series: Sequence[Sequence[float]], least_range: float, width: int) -> str:
    """Draw several series into at most ``width`` signs, 4 or more, with a break between one and the next.

    Where there are more values than that, a bar is the median of as many as it takes. Of more series than
    have room at all the newest are drawn.
    """
    shown = series[-(width // 4) :]
    for size in count(1):
        thinned = [_medians(values, size) for values in shown]
        if sum(map(len, thinned)) + len(thinned) - 1 <= width:
            break
    return BREAK.join(bars(values, least_range) for values in thinned)


def _medians(values: Sequence[float], size: int) -> Sequence[float]:
    """Put a median in the place of each so many values; the first may be of fewer."""
    first = len(values) % size
    starts = [*([0] if first else []), *range(first, len(values), size)]
    return [median(values[start:end]) for start, end in pairwise([*starts, len(values)])]


def can_draw(console: Console) -> bool:
    """Say whether a console has signs for bars."""
    try:
        BARS.encode(console.encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def plainer(text: str) -> str:
    """Put signs of ASCII in the place of bars and of what else tables have."""
    return text.translate(_PLAINER)
