"""Figures as people read them: three digits, a unit, a dash where there is nothing."""

from dataclasses import dataclass

from bench.stats.intervals import Interval
from bench.stats.paired import Comparison
from bench.stats.standing import Range

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit in which a whole column is written."""

    name: str
    per_second: float

    @classmethod
    def for_longest(cls, longest_s: float) -> "Unit":
        """Choose milliseconds for what stays below ten seconds, else seconds."""
        return cls("ms", 1000.0) if longest_s < 10 else cls("s", 1.0)  # noqa: PLR2004  the docstring says it

    def figure(self, seconds: float) -> str:
        """Write a time without its unit."""
        value = seconds * self.per_second
        return f"{value:.1f}" if value < 100 else f"{value:,.0f}"  # noqa: PLR2004  three digits or more

    def bounds(self, interval: Interval) -> str:
        """Write both ends of an interval, a dash where the sample was too small for one."""
        if interval.low is None or interval.high is None:
            return NOTHING
        return f"{self.figure(interval.low)}–{self.figure(interval.high)}"


def duration(seconds: float) -> str:
    """Write a time with its unit."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 59.95:  # noqa: PLR2004  rounds up to a minute from here
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def share(part: float) -> str:
    """Write a fraction as whole percents."""
    return f"{part:.0%}"


def times(comparison: Comparison | None) -> str:
    """Write a ratio, marked where its interval does not exclude one."""
    if comparison is None:
        return NOTHING
    ratio = comparison.ratio
    unsure = ratio.low is None or ratio.high is None or ratio.low <= 1 <= ratio.high
    digits = 1 if ratio.estimate < 100 else 0  # noqa: PLR2004  three digits
    return f"{'≈' if unsure else ''}{ratio.estimate:.{digits}f}"


def span(seen: Range | None) -> str:
    """Write one number, or the least and the greatest where they differ."""
    if seen is None:
        return NOTHING
    return str(seen.low) if seen.low == seen.high else f"{seen.low}–{seen.high}"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
