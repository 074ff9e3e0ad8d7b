"""Figures as people read them: three digits, a unit, a dash where there is nothing."""

from dataclasses import dataclass
from typing import Final, Self

from bench.stats.case_summary import Range
from bench.stats.intervals import Interval
from bench.stats.pairwise import PairVerdicts

NOTHING: Final = "–"


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit in which a whole column is written."""

    name: str
    per_second: float

    @classmethod
    def for_shortest(cls, shortest_s: float) -> Self:
        """Choose seconds where every figure has some, else milliseconds."""
        return cls("ms", 1000.0) if shortest_s < 1 else cls("s", 1.0)

    def figure(self, seconds: float) -> str:
        """Write a time without its unit."""
        return digits(seconds * self.per_second)

    def bounds(self, interval: Interval) -> str:
        """Write both ends of an interval, a dash where the sample was too small for one."""
        if interval.low is None or interval.high is None:
            return NOTHING
        return f"{self.figure(interval.low)}–{self.figure(interval.high)}"


def digits(value: float) -> str:
    """Write a number with three significant digits, or all those before the point."""
    for places, below in ((2, 9.995), (1, 99.95)):
        if value < below:
            return f"{value:.{places}f}"
    return f"{value:,.0f}"


def factor(value: float) -> str:
    """Write a ratio, with three significant digits below one, too."""
    return f"{value:#.3g}" if value < 0.9995 else digits(value)  # noqa: PLR2004  rounds up to one from here


def factors(ratio: Interval) -> str:
    """Write both ends of a ratio's interval, a dash where there were too few blocks for one."""
    if ratio.low is None or ratio.high is None:
        return NOTHING
    return f"{factor(ratio.low)}–{factor(ratio.high)}"


def duration(seconds: float) -> str:
    """Write a time with its unit."""
    if seconds < 0.9995:  # noqa: PLR2004  rounds up to a second from here
        return f"{seconds * 1000:.3g} ms"
    if seconds < 59.95:  # noqa: PLR2004  rounds up to a minute from here
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"


def share(part: float) -> str:
    """Write a fraction as whole percents."""
    return f"{part:.0%}"


def percent(part: float) -> str:
    """Write a small fraction as percents with two digits, down to a hundredth."""
    percents = 100 * part
    for places, below in ((2, 0.995), (1, 9.95)):
        if abs(percents) < below:
            return f"{percents:.{places}f}%"
    return f"{percents:.0f}%"


def times(judgement: PairVerdicts | None) -> str:
    """Write a ratio, marked where it cannot be told from one."""
    if judgement is None:
        return NOTHING
    is_told = judgement.verdict in {"faster", "slower"}
    return f"{'' if is_told else '≈'}{digits(judgement.ratio.estimate)}"


def span(seen: Range | None) -> str:
    """Write one number, or the least and the greatest where they differ."""
    if seen is None:
        return NOTHING
    return str(seen.low) if seen.low == seen.high else f"{seen.low}–{seen.high}"
