"""Presets of profiles: the chapter's three servers, and their scaling."""

from math import inf, nan

import pytest

from bench.errors import UsageError
from bench.model.cases import Fault, Fixed, Latency, LogNormal, Profile, Uniform
from bench.model.profile_presets import preset, scale_profile


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("local", Profile("local", Fixed(0))),
        ("delay", Profile("delay", Uniform(0.5, 5))),
        ("error", Profile("error", Uniform(0.5, 5), faults=(Fault("status", 0.25, 418),))),
    ],
)
def test_presets_are_the_servers_of_the_chapter(name: str, expected: Profile) -> None:
    assert preset(name) == expected


@pytest.mark.parametrize(
    ("latency", "expected"),
    [
        (Fixed(2), Fixed(1)),
        (Uniform(1, 2), Uniform(0.5, 1)),
        (LogNormal(2, 8), LogNormal(1, 4)),
    ],
)
def test_scaling_multiplies_latency_and_jitter_but_not_errors(latency: Latency, expected: Latency) -> None:
    errors = (Fault("status", 0.5, 418),)
    half = scale_profile(Profile("p", latency, jitter_s=0.4, faults=errors, bandwidth=100), 0.5)
    assert half == Profile("p*0.5", expected, jitter_s=0.2, faults=errors, bandwidth=100)


def test_scaled_preset_has_its_scale_in_its_name() -> None:
    assert preset("delay", 0.1).name == "delay*0.1"
    assert preset("delay", 1).name == "delay"


@pytest.mark.parametrize(
    ("name", "hint"), [("dealy", "did you mean 'delay'?"), ("zzz", "the presets are local, delay, error")]
)
def test_unknown_preset_is_rejected_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        preset(name)
    assert caught.value.hint == hint


@pytest.mark.parametrize("scale", [0, -1, inf, nan])
def test_scale_that_is_not_positive_is_rejected(scale: float) -> None:
    with pytest.raises(UsageError, match="cannot be scaled"):
        preset("delay", scale)
