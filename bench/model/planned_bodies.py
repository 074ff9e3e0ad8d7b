"""Draw the sizes of the bodies of a profile, and make up their bytes. Used by the server and the runner.

The size of a country's body follows from (seed, country): it is the same in all blocks, rounds and attempts
of a run. All bodies are views of one buffer of noise, so that the largest ones take no memory of their own.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import blake2b, shake_256
from types import MappingProxyType
from typing import Final

from bench.model.body_sizes import (
    LARGEST_BODY,
    SMALLEST_BODY,
    BodySizes,
    FixedSize,
    LogNormalSize,
    SampledSize,
)
from bench.model.cases import Profile
from bench.model.planned_delays import log_normal, to_unit_interval

_LETTERS: Final = 26
_CODES: Final = _LETTERS**2
_STEP: Final = 4_099
"""Bytes between the bodies of two countries in the buffer: no power of two, by which pieces are cut."""


def draw_size(sizes: BodySizes, seed: int, country: str) -> int:
    """Draw the size of a country's body in bytes."""
    match sizes:
        case FixedSize(size_bytes):
            return size_bytes
        case LogNormalSize(median_bytes, p99_bytes):
            size_bytes = round(log_normal(median_bytes, p99_bytes, _draw(seed, country)))
            return min(max(size_bytes, SMALLEST_BODY), LARGEST_BODY)
        case SampledSize(values_bytes):
            return values_bytes[int(_draw(seed, country) * len(values_bytes))]


def sizes_of(profile: Profile, seed: int, flag_sizes: Mapping[str, int]) -> Mapping[str, int]:
    """Return the bytes of each body of a profile, by country, given those of the flags."""
    if profile.sizes is None:
        return flag_sizes
    return _draw_sizes(profile.sizes, seed, tuple(flag_sizes))


def bodies_of(profile: Profile, seed: int, flags: Mapping[str, bytes]) -> Mapping[str, bytes | memoryview]:
    """Return each body of a profile, by country: the flags themselves, or made-up bytes."""
    if profile.sizes is None:
        return flags
    sizes = _draw_sizes(profile.sizes, seed, tuple(flags))
    return {country: make_body(country, size_bytes) for country, size_bytes in sizes.items()}


def make_body(country: str, size_bytes: int) -> memoryview:
    """Return the body of a country: bytes that no library can compress, and unlike those of all others."""
    return _view(_number(country), size_bytes)


def make_wrong_body(country: str, size_bytes: int) -> memoryview:
    """Return a body of the same size that is not the country's."""
    return _view((_number(country) + _CODES // 2) % _CODES, size_bytes)


@lru_cache(maxsize=64)
def _draw_sizes(sizes: BodySizes, seed: int, countries: tuple[str, ...]) -> Mapping[str, int]:
    return MappingProxyType({country: draw_size(sizes, seed, country) for country in countries})


def _view(number: int, size_bytes: int) -> memoryview:
    start = number * _STEP
    return memoryview(_noise())[start : start + size_bytes]


@cache
def _noise() -> bytes:
    return shake_256(b"bodies of flagbench").digest(LARGEST_BODY + _CODES * _STEP)


def _number(country: str) -> int:
    """Number the codes from AA to ZZ."""
    first, second = (ord(letter) - ord("A") for letter in country)
    return first * _LETTERS + second


def _draw(seed: int, country: str) -> float:
    key = b"%d/%b" % (seed, country.encode())
    return to_unit_interval(blake2b(key, digest_size=8, person=b"size").digest())
