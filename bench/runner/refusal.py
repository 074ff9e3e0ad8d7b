"""Why a trial is no measurement although its strategy did nothing wrong: the server broke its word."""

from collections.abc import Iterable
from typing import Final

from bench.model.results import Round, Witness
from bench.runner.expectation import Expectation

_MOST_LATE_P99_S: Final = 0.002
_MOST_LATE_SHARE: Final = 0.05
"""Of what was planned, on average."""
_FINEST_S: Final = 0.0005
"""Below this, no server on a general-purpose system keeps time: a share of less would mean nothing."""
_SATURATED: Final = 0.9


def refusal(rounds: Iterable[Round], expected: Expectation) -> str:
    """Say what makes these rounds worthless; nothing if nothing does."""
    for round_ in rounds:
        late = "" if round_.server is None else _lateness(round_.server, expected)
        if why := late or _saturation(round_.server_busy or 0.0):
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


def _saturation(busy: float) -> str:
    return f"the server was at its limit: {busy:.0%} of its core" if busy > _SATURATED else ""
