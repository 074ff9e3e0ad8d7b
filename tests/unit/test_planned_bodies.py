"""Sizes and bytes of bodies that take the place of the flags."""

from itertools import combinations
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.body_sizes import LARGEST_BODY, SMALLEST_BODY, FixedSize, LogNormalSize, SampledSize
from bench.model.cases import Fixed, Profile
from bench.model.countries import COUNTRIES
from bench.model.planned_bodies import bodies_of, draw_size, make_body, make_wrong_body, sizes_of

FLAGS = {"BR": b"GIF89a", "CN": b"GIF"}
TAIL = LogNormalSize(20 << 10, 1 << 20)


@pytest.mark.parametrize(
    ("sizes", "drawn"),
    [
        (FixedSize(100 << 10), {"BR": 102_400, "CN": 102_400}),
        (TAIL, {"BR": 6_249, "CN": 22_277}),
        (SampledSize((1_000, 2_000, 3_000)), {"BR": 1_000, "CN": 2_000}),
    ],
)
def test_size_is_the_same_on_every_machine(
    sizes: FixedSize | LogNormalSize | SampledSize, drawn: dict[str, int]
) -> None:
    assert {country: draw_size(sizes, 1, country) for country in drawn} == drawn


def test_seed_and_country_change_the_size() -> None:
    assert len({draw_size(TAIL, seed, code) for seed, code in ((1, "BR"), (2, "BR"), (1, "CN"))}) == 3


def test_log_normal_sizes_have_their_median_and_p99() -> None:
    cuts = quantiles([draw_size(TAIL, seed, "BR") for seed in range(4_000)], n=100)
    assert cuts[49] == pytest.approx(20 << 10, rel=0.1)
    assert cuts[98] == pytest.approx(1 << 20, rel=0.3)


def test_log_normal_sizes_stay_within_the_limits() -> None:
    drawn = [draw_size(LogNormalSize(1_500, LARGEST_BODY), seed, "BR") for seed in range(2_000)]
    assert (min(drawn), max(drawn)) == (SMALLEST_BODY, LARGEST_BODY)


def test_sampled_sizes_are_each_value_as_often() -> None:
    values = (1_000, 5_000, 5_000, 9_000)
    drawn = [draw_size(SampledSize(values), seed, "BR") for seed in range(4_000)]
    assert [drawn.count(each) / 4_000 for each in sorted(set(values))] == pytest.approx(
        [0.25, 0.5, 0.25], abs=0.03
    )


@given(st.permutations(sorted(COUNTRIES)[:8]), st.integers(0, 10**15 - 1))
def test_order_of_the_countries_changes_no_size(order: list[str], seed: int) -> None:
    found = sizes_of(Profile("p", sizes=TAIL), seed, dict.fromkeys(order, 1))
    assert found == {country: draw_size(TAIL, seed, country) for country in order}


def test_flags_are_served_as_they_are_without_sizes() -> None:
    profile = Profile("p", Fixed(0.1))
    assert bodies_of(profile, 1, FLAGS) is FLAGS
    assert sizes_of(profile, 1, {"BR": 6}) == {"BR": 6}


def test_bodies_have_the_sizes_that_are_drawn() -> None:
    profile = Profile("p", sizes=TAIL)
    bodies = bodies_of(profile, 7, FLAGS)
    assert {country: len(body) for country, body in bodies.items()} == sizes_of(
        profile, 7, {"BR": 6, "CN": 3}
    )


def test_body_is_the_same_on_every_machine() -> None:
    assert bytes(make_body("BR", 8)).hex() == "ed179dbe660bf361"


def test_no_two_bodies_agree_at_any_place() -> None:
    """A piece of eight bytes tells whose it is, also where pieces of a body were mixed up."""
    bodies = [bytes(make_body(country, 8_192)) for country in ("AA", "BR", "BS", "CN", "ZZ")]
    for one, other in combinations(bodies, 2):
        assert not any(one[at : at + 8] == other[at : at + 8] for at in range(0, 8_192, 8))
    assert len({body[at : at + 8] for body in bodies for at in range(0, 8_192, 8)}) == 5 * 1_024


def test_wrong_body_has_the_size_and_other_bytes() -> None:
    right, wrong = make_body("BR", 5_000), make_wrong_body("BR", 5_000)
    assert len(wrong) == 5_000
    assert all(right[at : at + 8] != wrong[at : at + 8] for at in range(0, 5_000, 8))


def test_largest_bodies_share_their_memory() -> None:
    bodies = [make_body(country, LARGEST_BODY) for country in COUNTRIES]
    assert len({id(body.obj) for body in bodies}) == 1
    assert {len(body) for body in bodies} == {LARGEST_BODY}
