"""The chapter's three servers, as they are and scaled."""

from math import inf, nan

import pytest

from bench.errors import UsageError
from bench.model.cases import Fault, Fixed, Latency, LogNormal, Profile, Uniform
from bench.model.profile_presets import preset, scaled


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("local", Profile("local", Fixed(0))),
        ("delay", Profile("delay", Uniform(0.5, 5))),
        ("error", Profile("error", Uniform(0.5, 5), faults=(Fault("status", 0.25, 418),))),
    ],
)
def test_a_preset_is_one_of_the_chapters_servers(name: str, expected: Profile) -> None:
    """The three servers of the chapter are known by name."""
    assert preset(name) == expected


@pytest.mark.parametrize(
    ("latency", "expected"),
    [
        (Fixed(2), Fixed(1)),
        (Uniform(1, 2), Uniform(0.5, 1)),
        (LogNormal(2, 8), LogNormal(1, 4)),
    ],
)
def test_scaling_multiplies_every_kind_of_latency(latency: Latency, expected: Latency) -> None:
    """Latency and jitter shrink together; the share of errors does not."""
    errors = (Fault("status", 0.5, 418),)
    half = scaled(Profile("p", latency, jitter_s=0.4, faults=errors, bandwidth=100), 0.5)
    assert half == Profile("p*0.5", expected, jitter_s=0.2, faults=errors, bandwidth=100)


def test_a_scaled_preset_says_so_in_its_name() -> None:
    """Tables tell a scaled preset from the chapter's."""
    assert preset("delay", 0.1).name == "delay*0.1"
    assert preset("delay", 1).name == "delay"


@pytest.mark.parametrize(
    ("name", "hint"), [("dealy", "did you mean 'delay'?"), ("zzz", "the presets are local, delay, error")]
)
def test_an_unknown_preset_is_refused_with_a_hint(name: str, hint: str) -> None:
    """A typing error is answered with what may have been meant."""
    with pytest.raises(UsageError) as caught:
        preset(name)
    assert caught.value.hint == hint


@pytest.mark.parametrize("scale", [0, -1, inf, nan])
def test_a_scale_that_is_no_positive_number_is_refused(scale: float) -> None:
    """A scale of nothing would hide every difference between strategies."""
    with pytest.raises(UsageError, match="cannot be scaled"):
        preset("delay", scale)
