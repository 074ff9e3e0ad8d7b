"""The block order, the ideal, and the expected duration of a trial."""

from collections import Counter

import pytest

from bench.model.cases import Case, Fixed, Profile, Selection
from bench.model.lower_bound import ideal_s
from bench.runner.time_estimate import USUAL_COSTS, expected_trial_s
from bench.stats.schedule import block_order

CASES = ("a", "b", "c", "d")


def test_every_block_holds_every_case_once_in_its_own_order() -> None:
    orders = [block_order(CASES, seed=1, block=block) for block in range(20)]
    assert all(sorted(order) == list(CASES) for order in orders)
    assert len(set(orders)) > 10


def test_the_order_depends_on_seed_and_block_and_not_on_the_config() -> None:
    assert block_order(CASES, 1, 0) == block_order(CASES[::-1], 1, 0)
    assert [block_order(CASES, 1, block) for block in range(5)] != [
        block_order(CASES, 2, block) for block in range(5)
    ]


def test_leaving_a_case_out_keeps_the_order_of_the_others() -> None:
    full = block_order(CASES, 3, 7)
    assert block_order("abd", 3, 7) == tuple(case for case in full if case != "c")


def test_every_case_comes_first_equally_often() -> None:
    """1,000 of 4,000 blocks, with a standard deviation of 27."""
    first = Counter(block_order(CASES, 5, block)[0] for block in range(4000))
    assert all(890 <= first[case] <= 1110 for case in CASES)


@pytest.mark.parametrize(
    ("service_s", "workers", "bound_s"),
    [
        ([0.05] * 20, 1, 1.0),
        ([0.05] * 20, 20, 0.05),
        ([0.05] * 20, 5, 0.2),
        ([0.1, 0.1, 1.0], 3, 1.0),
        ([0.1, 0.1, 60.0], 3, 10.0),
        ([60.0] * 4, 2, 20.0),
        ([0.02] * 194, 20, 0.2),
        ([0.05] * 21, 20, 0.1),
        ([0.1, 0.2, 0.3], 2, 0.3),
        ([0.3, 0.4, 0.5], 2, 0.7),
        ([60.0] * 3, 2, 20.0),
    ],
)
def test_the_ideal_is_the_longest_fetch_the_shared_sum_or_the_fetches_that_one_has_in_a_row(
    service_s: list[float], workers: int, bound_s: float
) -> None:
    """The longest of the three; no fetch takes longer than the time-out of ten seconds."""
    assert ideal_s(service_s, workers, 10.0) == pytest.approx(bound_s)


def trial_s(ideal_s: float, rounds: int | None, *, workers: int = 1, fetches: int = 20) -> float:
    """Estimate the trial of a worker that takes 0.3 s to start."""
    countries = Selection("x", ("BR",), fetches)
    case = Case("any", "any", workers, Profile("p", Fixed(0.0)), countries)
    return expected_trial_s(case, ideal_s, rounds, USUAL_COSTS)


def test_a_trial_is_its_start_its_warm_up_and_its_rounds() -> None:
    """Auto takes five short rounds, or one long one; fixed rounds are repeated for a tenth of a second."""
    assert trial_s(1.0, 3) == pytest.approx(0.3 + 4 * (1.014 + 0.018))
    assert trial_s(1.0, None) == pytest.approx(0.3 + 2 * (1.014 + 0.018))
    assert trial_s(0.05, None) == pytest.approx(0.3 + 6 * (0.064 + 0.018))
    assert trial_s(0.01, 2) == pytest.approx(0.3 + 6 * (0.024 + 0.018))
    assert trial_s(0.001, 1, fetches=1) == pytest.approx(0.3 + 21 * (0.0017 + 0.0161))


def test_workers_share_the_work_of_a_client_until_it_is_the_limit() -> None:
    """Twenty fetches of 0.7 ms each: between the fetches of one of five workers, or one after the other."""
    assert trial_s(0.1, 1, workers=5) == pytest.approx(0.3 + 2 * (0.1028 + 0.018))
    assert trial_s(0.01, 1, workers=20, fetches=1000) == pytest.approx(0.3 + 2 * (0.7 + 0.116))
