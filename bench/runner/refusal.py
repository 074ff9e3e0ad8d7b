"""Why a trial is no measurement although its strategy did nothing wrong: the server broke its word."""

from collections.abc import Iterable
from typing import Final

from bench.measurement import Witness
from bench.runner.expectation import Expectation

_MOST_LATE_P99_S: Final = 0.002
_MOST_LATE_SHARE: Final = 0.05
"""Of what was planned, on average."""
_FINEST_S: Final = 0.0005
"""Below this, no server on a general-purpose system keeps time: a share of less would mean nothing."""
_SATURATED: Final = 0.9


def refusal(witnesses: Iterable[Witness], expected: Expectation) -> str:
    """Say what makes timings against this server worthless; nothing if nothing does."""
    for seen in witnesses:
        if why := _lateness(seen, expected) or _saturation(seen):
            return why
    return ""


def _lateness(seen: Witness, expected: Expectation) -> str:
    planned_s = expected.service_s / max(1, sum(expected.fetches.values()))
    if seen.late_p99_s > _MOST_LATE_P99_S:
        return f"the server was late: by {seen.late_p99_s * 1000:.2g} ms at the 99th percentile"
    if seen.late_mean_s > max(_FINEST_S, _MOST_LATE_SHARE * planned_s):
        late_ms, planned_ms = seen.late_mean_s * 1000, planned_s * 1000
        return f"the server was late: by {late_ms:.2g} ms on average where {planned_ms:.3g} ms were planned"
    return ""


def _saturation(seen: Witness) -> str:
    return f"the server was at its limit: {seen.busy:.0%} of its core" if seen.busy > _SATURATED else ""
