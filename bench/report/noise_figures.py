"""The figures of a machine's noise as text, once for the terminal and Markdown."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.report.figures import duration, percent, printable, share
from bench.stats.noise import LOOKS, CaseNoise, Noise
from bench.storage.noise import NoiseRecord


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it is called, and what it says of a case."""

    label: str
    cell: Callable[[CaseNoise], str]


def headline(record: NoiseRecord) -> str:
    """Name the machine, and what was measured on it."""
    return printable(f"{record.config}: each case against itself, on machine {record.fingerprint[:12]}")


def heading(case: CaseNoise) -> str:
    """Name a case over three lines."""
    strategy, client, workers, profile = printable(case.case).split("/", 3)
    return f"{strategy}\n{client} {workers}\n{profile}"


def failures(noise: Noise) -> list[str]:
    """Write one line for each case of which nothing is known."""
    return [printable(f"{case}: too few blocks in which both sides succeeded") for case in noise.unmeasured]


def fewest_pairs(noise: Noise) -> int:
    """Return the pairs of the case that has the fewest: all limits are known from that many or more."""
    return min(len(case.pairs) for case in noise.cases)


def uncertainty(noise: Noise) -> str:
    """Write how far off the limits may be, as a share of each: the relative standard error of a spread."""
    return share(1 / math.sqrt(2 * fewest_pairs(noise)))


def _drift(case: CaseNoise) -> str:
    return _signed(case.drift.estimate)


def _drift_bounds(case: CaseNoise) -> str:
    if case.drift.low is None or case.drift.high is None:
        return ""
    return f"{_signed(case.drift.low)} to {_signed(case.drift.high)}"


def _signed(change: float) -> str:
    return f"{'+' if change > 0 else ''}{percent(change)}".replace("-", "−")


def _shown(index: int) -> Callable[[CaseNoise], str]:
    return lambda case: percent(case.detectable[index].slowdown)


LINES: Final = (
    Line("pairs of blocks", lambda case: str(len(case.pairs))),
    Line("median", lambda case: duration(case.median_s)),
    Line("noise floor: spread of a pair", lambda case: percent(case.floor)),
    Line("95% of these pairs differed by less than", lambda case: percent(case.within)),
    Line("drift over the run", _drift),
    Line("  its 95% interval", _drift_bounds),
    Line("autocorrelation of blocks", lambda case: f"{case.autocorrelation:.2f}".replace("-", "−")),
    Line("  by chance up to", lambda case: f"{case.chance:.2f}"),
    Line("spikes", lambda case: share(case.spikes)),
    *(Line(f"smallest slow-down that {look} blocks show", _shown(index)) for index, look in enumerate(LOOKS)),
)
