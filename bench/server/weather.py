"""What the server does to a request: how long it waits, and whether it answers with an error.

Everything follows from (seed, block, country, attempt), so all cases of a block meet the same
weather, in whatever order they ask. BLAKE2 instead of ``random``: the same on every Python version
and platform, without a state that the order of requests could disturb.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import exp, log
from statistics import NormalDist
from typing import Final, NamedTuple

from bench.model import Fixed, Latency, LogNormal, Profile, Uniform
from bench.server.draw import evenly

_STANDARD_NORMAL: Final = NormalDist()
_Z99: Final = _STANDARD_NORMAL.inv_cdf(0.99)
_NANOSECOND_DIGITS: Final = 9


class Forecast(NamedTuple):
    """What awaits one request.

    Attributes:
        delay_s: seconds from its arrival to the first byte of the answer.
        error_status: the status it gets instead of a flag, ``None`` if it gets the flag.
    """

    delay_s: float
    error_status: int | None


def forecast(profile: Profile, seed: int, block: int, country: str, attempt: int) -> Forecast:
    """Tell what awaits the ``attempt``-th request for a country within a round, counted from 0."""
    key = b"%d/%d/%b/%d" % (seed, block, country.encode(), attempt)
    delay_s = _latency_s(profile.latency, key)
    if profile.jitter_s:
        delay_s = max(0.0, delay_s + profile.jitter_s * (2 * _draw(b"jitter", key) - 1))
    is_error = profile.error_rate > 0 and _draw(b"error", key) < profile.error_rate
    # The last bit of a logarithm differs between C libraries; a nanosecond does not.
    return Forecast(round(delay_s, _NANOSECOND_DIGITS), profile.error_status if is_error else None)


def is_steady(profile: Profile) -> bool:
    """Tell whether every request of this profile meets the same forecast."""
    return isinstance(profile.latency, Fixed) and not profile.jitter_s and not profile.error_rate


def service_s(expected: Forecast, size_bytes: int, profile: Profile) -> float:
    """Return the seconds from a request's arrival to the last byte of its answer, at the earliest.

    The few bytes of an error are not worth counting, and this is a lower bound.
    """
    if profile.bandwidth is None or expected.error_status is not None:
        return expected.delay_s
    return expected.delay_s + size_bytes / profile.bandwidth


def plan(
    profile: Profile, seed: int, block: int, fetches: Sequence[str], sizes: Mapping[str, int]
) -> tuple[float, ...]:
    """Return the seconds of service of each fetch of a round, in order.

    Args:
        profile: how the server behaves.
        seed: of the run.
        block: number of the block.
        fetches: the countries asked for; the n-th of a country is its attempt n, from 0.
        sizes: bytes of each flag; a country without a flag has an answer without a body worth counting.
    """
    attempts: Counter[str] = Counter()
    services = []
    for country in fetches:
        expected = forecast(profile, seed, block, country, attempts[country])
        attempts[country] += 1
        services.append(service_s(expected, sizes.get(country, 0), profile))
    return tuple(services)


def _latency_s(latency: Latency, key: bytes) -> float:
    match latency:
        case Fixed(seconds):
            return seconds
        case Uniform(low_s, high_s):
            return low_s + (high_s - low_s) * _draw(b"latency", key)
        case LogNormal(median_s, p99_s):
            sigma = log(p99_s / median_s) / _Z99
            return median_s * exp(sigma * _STANDARD_NORMAL.inv_cdf(_draw(b"latency", key)))


def _draw(aspect: bytes, key: bytes) -> float:
    """Draw evenly between 0 and 1; aspects of one request are independent of each other."""
    return evenly(blake2b(key, digest_size=8, person=aspect).digest())
