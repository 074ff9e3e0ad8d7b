"""Draw the planned delay and fault of each request.

Used by the server, and by the runner to check it. Everything follows from (seed, block, country, attempt), so
all cases of a block meet the same delays and faults, in any order of requests. BLAKE2 instead of ``random``:
the same on every Python version and platform, without a state that the order of requests could disturb.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from math import exp, inf, log
from statistics import NormalDist
from typing import Final, NamedTuple

from bench.model.cases import Fault, Fixed, Latency, LogNormal, Profile, Sampled, Uniform, Unknown
from bench.model.faults import is_total, outcome_of

_STANDARD_NORMAL: Final = NormalDist()
_Z99: Final = _STANDARD_NORMAL.inv_cdf(0.99)
_NANOSECOND_DIGITS: Final = 9
_DROPPED_BITS: Final = 12
_STEP: Final = 2.0**-52
_SLICE_S: Final = 0.02
"""Seconds of bandwidth in a slice: short enough to look like a stream, long enough to cost nothing."""
LARGEST_SLICE: Final = 64 * 1024
"""Most bytes in a slice: sending one takes the server 20 µs, in which other responses may become late."""
_TLS_ROUND_TRIPS: Final = 1
"""Round trips of a handshake of TLS 1.3 (RFC 8446, 2)."""
_MOST_TLS_ROUND_TRIPS: Final = 2
"""Those of TLS 1.2 (RFC 5246, 7.3), and of TLS 1.3 if the server asks for another key."""


class PlannedDelay(NamedTuple):
    """The planned delay and fault of one request.

    Attributes:
        delay_s: seconds from its arrival to the first byte of the response.
        fault: the fault in place of a flag; ``None`` if it gets the flag.
    """

    delay_s: float
    fault: Fault | None


def plan_delay(profile: Profile, seed: int, block: int, country: str, attempt: int) -> PlannedDelay:
    """Draw the delay and fault of a round's request for a country; ``attempt`` counts from 0."""
    key = b"%d/%d/%b/%d" % (seed, block, country.encode(), attempt)
    delay_s = _draw_latency_s(profile.latency, key)
    if profile.jitter_s:
        delay_s = max(0.0, delay_s + profile.jitter_s * (2 * _draw(b"jitter", key) - 1))
    # The last bit of a logarithm differs between C libraries; a nanosecond does not.
    return PlannedDelay(round(delay_s, _NANOSECOND_DIGITS), _draw_fault(profile.faults, key))


def is_steady(profile: Profile) -> bool:
    """Tell whether every request of this profile has the same delay and no fault."""
    return isinstance(profile.latency, Fixed) and not profile.jitter_s and not profile.faults


def service_s(planned: PlannedDelay, size_bytes: int, profile: Profile) -> float:
    """Return the shortest time from a request's arrival to the last byte of its response, in seconds.

    The bytes that a fault lets through are not counted, since this is a lower bound. A response without an
    end takes for ever. A fault before the request has no response, and none of its latency.
    """
    if is_total(planned.fault):
        return 0.0
    if planned.fault is not None:
        return inf if outcome_of(planned.fault) == "timeout" else planned.delay_s
    if profile.bandwidth is None:
        return planned.delay_s
    return planned.delay_s + size_bytes / profile.bandwidth


def least_connect_s(profile: Profile) -> float:
    """Return the shortest time from accepting a connection to the first request on it, in seconds."""
    return profile.connect_latency_s * (1 + (_TLS_ROUND_TRIPS if profile.tls else 0))


def most_connect_s(profile: Profile) -> float:
    """Return the longest planned time from accepting a connection to the first request on it, in seconds."""
    return profile.connect_latency_s * (1 + (_MOST_TLS_ROUND_TRIPS if profile.tls else 0))


def slice_bytes(bandwidth: float | None) -> int:
    """Return the size of a slice at this many bytes per second; None is without a limit."""
    return LARGEST_SLICE if bandwidth is None else max(1, min(int(bandwidth * _SLICE_S), LARGEST_SLICE))


def log_normal(median: float, p99: float, share: float) -> float:
    """Return the value that this share of a log-normal distribution does not exceed."""
    return median * exp(log(p99 / median) / _Z99 * _STANDARD_NORMAL.inv_cdf(share))


def to_unit_interval(digest: bytes) -> float:
    """Convert eight random bytes to a number between 0 and 1, both excluded."""
    return ((int.from_bytes(digest, "big") >> _DROPPED_BITS) + 0.5) * _STEP


def _draw_latency_s(latency: Latency, key: bytes) -> float:
    match latency:
        case Fixed(seconds):
            return seconds
        case Uniform(low_s, high_s):
            return low_s + (high_s - low_s) * _draw(b"latency", key)
        case LogNormal(median_s, p99_s):
            return log_normal(median_s, p99_s, _draw(b"latency", key))
        case Sampled(values_s):
            return values_s[int(_draw(b"latency", key) * len(values_s))]
        case Unknown():
            raise ValueError("the delays of a target are not planned")


def _draw_fault(faults: Sequence[Fault], key: bytes) -> Fault | None:
    """Draw once; each fault has a share of the unit interval as large as its rate."""
    if not faults:
        return None
    drawn = _draw(b"fault", key)
    for fault, upper in zip(faults, accumulate(fault.rate for fault in faults), strict=True):
        if drawn < upper:
            return fault
    return None


def _draw(aspect: bytes, key: bytes) -> float:
    """Draw uniformly between 0 and 1; the aspects of one request are independent of each other."""
    return to_unit_interval(blake2b(key, digest_size=8, person=aspect).digest())
