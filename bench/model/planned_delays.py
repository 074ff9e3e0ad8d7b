"""What the server does to a request: how long it waits, and what goes wrong instead of the answer.

Everything follows from (seed, block, country, attempt), so all cases of a block meet the same
weather, in whatever order they ask. BLAKE2 instead of ``random``: the same on every Python version
and platform, without a state that the order of requests could disturb.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from math import exp, inf, log
from statistics import NormalDist
from typing import Final, NamedTuple

from bench.model.cases import Fault, Fixed, Latency, LogNormal, Profile, Uniform
from bench.model.faults import outcome_of

_STANDARD_NORMAL: Final = NormalDist()
_Z99: Final = _STANDARD_NORMAL.inv_cdf(0.99)
_NANOSECOND_DIGITS: Final = 9


class PlannedDelay(NamedTuple):
    """What awaits one request.

    Attributes:
        delay_s: seconds from its arrival to the first byte of the answer.
        fault: what it meets instead of a flag, ``None`` if it gets the flag.
    """

    delay_s: float
    fault: Fault | None


def plan_delay(profile: Profile, seed: int, block: int, country: str, attempt: int) -> PlannedDelay:
    """Tell what awaits the ``attempt``-th request for a country within a round, counted from 0."""
    key = b"%d/%d/%b/%d" % (seed, block, country.encode(), attempt)
    delay_s = _latency_s(profile.latency, key)
    if profile.jitter_s:
        delay_s = max(0.0, delay_s + profile.jitter_s * (2 * _draw(b"jitter", key) - 1))
    # The last bit of a logarithm differs between C libraries; a nanosecond does not.
    return PlannedDelay(round(delay_s, _NANOSECOND_DIGITS), _fault(profile.faults, key))


def is_steady(profile: Profile) -> bool:
    """Tell whether every request of this profile meets the same forecast."""
    return isinstance(profile.latency, Fixed) and not profile.jitter_s and not profile.faults


def service_s(expected: PlannedDelay, size_bytes: int, profile: Profile) -> float:
    """Return the seconds from a request's arrival to the last byte of its answer, at the earliest.

    What a fault lets through of its answer is not worth counting, and this is a lower bound; one whose end
    never comes takes for ever.
    """
    if expected.fault is not None:
        return inf if outcome_of(expected.fault) == "timeout" else expected.delay_s
    if profile.bandwidth is None:
        return expected.delay_s
    return expected.delay_s + size_bytes / profile.bandwidth


def _latency_s(latency: Latency, key: bytes) -> float:
    match latency:
        case Fixed(seconds):
            return seconds
        case Uniform(low_s, high_s):
            return low_s + (high_s - low_s) * _draw(b"latency", key)
        case LogNormal(median_s, p99_s):
            sigma = log(p99_s / median_s) / _Z99
            return median_s * exp(sigma * _STANDARD_NORMAL.inv_cdf(_draw(b"latency", key)))


def _fault(faults: Sequence[Fault], key: bytes) -> Fault | None:
    """Draw once, and let each fault have its share of what may be drawn."""
    if not faults:
        return None
    drawn = _draw(b"fault", key)
    for fault, reached in zip(faults, accumulate(fault.rate for fault in faults), strict=True):
        if drawn < reached:
            return fault
    return None


def _draw(aspect: bytes, key: bytes) -> float:
    """Draw evenly between 0 and 1; aspects of one request are independent of each other."""
    return evenly(blake2b(key, digest_size=8, person=aspect).digest())


_DROPPED_BITS: Final = 12
_STEP: Final = 2.0**-52


def evenly(digest: bytes) -> float:
    """Turn eight random bytes into a number between 0 and 1, both excluded."""
    return ((int.from_bytes(digest, "big") >> _DROPPED_BITS) + 0.5) * _STEP


_SLICE_S: Final = 0.02
"""Seconds of bandwidth in a slice: often enough to look like a stream, seldom enough to cost nothing."""


def slice_bytes(bandwidth: float) -> int:
    """Return the size of a slice, given the bytes per second."""
    return max(1, int(bandwidth * _SLICE_S))
