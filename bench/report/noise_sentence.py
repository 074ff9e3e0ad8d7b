"""The sentences below the noise of a machine: what it comes to."""

from collections.abc import Iterator

from bench.report.figures import percent, printable
from bench.report.noise_figures import fewest_pairs, uncertainty
from bench.stats.noise import CaseNoise, Noise

_LOOK = 1
"""Which of the numbers of blocks is spoken of: the middle one."""


def noise_conclusion(noise: Noise) -> str:
    """Say what can be told apart on this machine, and what must not be compared."""
    if not noise.cases:
        return "Nothing is known of this machine's noise: no case had enough blocks."
    return " ".join(_sentences(noise))


def _sentences(noise: Noise) -> Iterator[str]:
    ordered = sorted(noise.cases, key=_slowdown)
    best, worst = ordered[0], ordered[-1]
    blocks = best.detectable[_LOOK].blocks
    span = f"from {_seen(best)}" if best is worst else f"from {_seen(best)} to {_seen(worst)}"
    yield f"With {blocks} blocks this machine shows slow-downs {span}."
    pairs, error = fewest_pairs(noise), uncertainty(noise)
    yield f"These limits are known from {pairs} pairs, so each is good to {error} of itself at best."
    if wandering := [case for case in noise.cases if _wanders(case)]:
        names = " and ".join(printable(case.case) for case in wandering)
        yield f"The level of {names} moved during the run: compare only what ran in the same blocks."
    else:
        yield "No drift of the level was found, which is no promise for another hour."


def _seen(case: CaseNoise) -> str:
    return f"{percent(_slowdown(case))} ({printable(case.case)})"


def _slowdown(case: CaseNoise) -> float:
    return case.detectable[_LOOK].slowdown


def _wanders(case: CaseNoise) -> bool:
    low, high = case.drift.low, case.drift.high
    is_drifting = low is not None and high is not None and not low <= 0 <= high
    return is_drifting or case.autocorrelation > case.chance
