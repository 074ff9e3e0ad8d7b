"""Format figures for people: three digits, a unit, and a dash where there is nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from bench.model.comparison import BoundedFigure
from bench.model.open_loop import rate_text
from bench.stats.case_summary import Range
from bench.stats.intervals import Interval
from bench.stats.pairwise import PairVerdict

MISSING: Final = "–"
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TimeUnit:
    """The unit of all times in a column."""

    name: str
    per_second: float

    @classmethod
    def for_shortest(cls, shortest_s: float) -> Self:
        """Choose seconds if every time has at least one, else milliseconds."""
        return cls("ms", 1000.0) if shortest_s < 1 else cls("s", 1.0)

    def format(self, seconds: float) -> str:
        """Format a time without its unit."""
        return format_number(seconds * self.per_second)


def format_number(value: float) -> str:
    """Format a number of 0 or more with three significant digits, or all those before the point."""
    for places, below in ((2, 9.995), (1, 99.95)):
        if value < below:
            return f"{value:.{places}f}"
    return f"{value:,.0f}"


def format_signed(value: float) -> str:
    """Format a number that may be negative; one that rounds to zero has no sign."""
    text = format_number(abs(value))
    return f"−{text}" if value < 0 and float(text.replace(",", "")) else text


def format_count(value: float) -> str:
    """Format a number as a whole one."""
    return f"{value:,.0f}"


def format_range(seen: Range | None) -> str:
    """Format a range of counts as one number, or as both ends if they differ."""
    if seen is None:
        return MISSING
    return str(seen.low) if seen.low == seen.high else f"{seen.low}–{seen.high}"


def format_mib(size_bytes: float) -> str:
    """Format a size in MiB without its unit."""
    return format_number(size_bytes / _MIB)


def format_duration(seconds: float) -> str:
    """Format a time with its unit."""
    if seconds < 0.9995:  # noqa: PLR2004  rounds up to a second from here
        return f"{seconds * 1000:.3g} ms"
    if seconds < 59.95:  # noqa: PLR2004  rounds up to a minute from here
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"


def format_rate(rate: float) -> str:
    """Format the rate of an open loop as a config does: ``200/s``."""
    return f"{rate_text(rate)}/s"


def format_percent(part: float) -> str:
    """Format a share as whole percents."""
    return f"{part:.0%}"


def format_small_percent(part: float) -> str:
    """Format a share as percents with two significant digits, down to a hundredth."""
    percents = 100 * part
    for places, below in ((2, 0.995), (1, 9.95)):
        if abs(percents) < below:
            return f"{percents:.{places}f}%"
    return f"{percents:.0f}%"


def format_change(ratio: float) -> str:
    """Format a ratio as a change in percent, with its sign."""
    return f"{'+' if ratio >= 1 else '−'}{format_small_percent(abs(ratio - 1))}"


def format_ratio(value: float) -> str:
    """Format a ratio with three significant digits, below one as well."""
    return f"{value:#.3g}" if value < 0.9995 else format_number(value)  # noqa: PLR2004  rounds up to one


def format_speedup(verdict: PairVerdict | None) -> str:
    """Format a ratio, with ≈ in front if the two cases cannot be told apart."""
    if verdict is None:
        return MISSING
    is_certain = verdict.verdict in {"faster", "slower"}
    return f"{'' if is_certain else '≈'}{format_number(verdict.ratio.estimate)}"


def format_interval(interval: Interval | None, write: Callable[[float], str], joint: str = "–") -> str:
    """Format both bounds of an interval; a dash if the sample was too small for bounds."""
    if interval is None or interval.low is None or interval.high is None:
        return MISSING
    return f"{write(interval.low)}{joint}{write(interval.high)}"


def format_half_width(interval: Interval) -> str:
    """Format the greater distance of both bounds from the estimate, as a share of it: ``± 3%``."""
    if interval.low is None or interval.high is None:
        return MISSING
    distance = max(interval.high - interval.estimate, interval.estimate - interval.low) / interval.estimate
    return f"± {format_percent(distance)}"


def format_change_interval(ratio: Interval | None) -> str:
    """Format the bounds of a ratio as changes; a dash if the last block was no look."""
    return format_interval(ratio, format_change, " to ")


def format_figure(figure: BoundedFigure, value: float | None) -> str:
    """Format the value of a metric or of a bounded figure with its unit."""
    if value is None:
        return MISSING
    if figure == "memory":
        return f"{value / _MIB:.1f} MiB"
    if figure == "efficiency":
        return format_small_percent(value)
    return format_count(value) if figure == "errors" else format_duration(value)
