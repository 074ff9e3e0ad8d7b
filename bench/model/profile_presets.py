"""The chapter's three servers as profiles: fast, slow, and slow with errors. Used by configs and commands."""

from dataclasses import replace
from difflib import get_close_matches
from math import isfinite
from types import MappingProxyType
from typing import Final

from bench.errors import UsageError
from bench.model.cases import Fault, Fixed, Latency, LogNormal, Profile, Sampled, Uniform, Unknown

PRESETS: Final = MappingProxyType(
    {
        "local": Profile("local"),
        "delay": Profile("delay", Uniform(0.5, 5.0)),
        "error": Profile("error", Uniform(0.5, 5.0), faults=(Fault("status", 0.25, 418),)),
    }
)
"""By name: no delay; 0.5 to 5 s; the same, and a quarter of the responses have status 418."""


def preset(name: str, scale: float = 1.0) -> Profile:
    """Return a preset, scaled.

    Raises:
        UsageError: there is no such preset, or the scale is not above zero.
    """
    profile = PRESETS.get(name)
    if profile is None:
        near = get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the presets are {', '.join(PRESETS)}"
        raise UsageError(f"unknown profile {name!r}", hint=hint)
    return scale_profile(profile, scale)


def scale_profile(profile: Profile, scale: float) -> Profile:
    """Multiply the latency and jitter of a profile; faults stay as frequent.

    A scaled profile is named after the factor: ``delay*0.1``.

    Raises:
        UsageError: the scale is not above zero.
    """
    if not (isfinite(scale) and scale > 0):
        raise UsageError(
            f"profile {profile.name!r} cannot be scaled by {scale:g}", hint="use a number above 0"
        )
    if scale == 1:
        return profile
    return replace(
        profile,
        name=f"{profile.name}*{scale:g}",
        latency=_scale_latency(profile.latency, scale),
        jitter_s=profile.jitter_s * scale,
    )


def _scale_latency(latency: Latency, scale: float) -> Latency:
    match latency:
        case Fixed(seconds):
            return Fixed(seconds * scale)
        case Uniform(low_s, high_s):
            return Uniform(low_s * scale, high_s * scale)
        case LogNormal(median_s, p99_s):
            return LogNormal(median_s * scale, p99_s * scale)
        case Sampled(values_s):
            return Sampled(tuple(value_s * scale for value_s in values_s))
        case Unknown():
            return latency
