"""Whether a case keeps up with its rate."""

import pytest

from bench.stats.case_summary import summarize_case
from bench.stats.intervals import Interval
from bench.stats.saturation import OpenLoopSummary, saturation_of
from tests.builders import case, trials
from tests.open_loops import open_trials, rated


def summary(capacity: float, rate: float = 100.0, blocks: int = 8) -> OpenLoopSummary:
    """Summarize a case of a capacity at a rate."""
    of = rated("threadpool_map", 4, rate)
    found = summarize_case(of, open_trials(of, capacity, blocks), None).open_loop
    assert found is not None
    return found


def test_case_with_the_capacity_for_a_rate_keeps_up() -> None:
    """Its last fetch is due after 0.99 s and takes 20 ms."""
    found = summary(500.0)
    assert (found.offered, found.backlog, found.waiting) == (100.0, 0, Interval(0.0, 0.0, 0.0))
    assert found.reached.estimate == pytest.approx(100 / 1.01)
    assert found.saturation == "keeps up"
    assert found.p99 is not None
    assert found.p99.estimate == pytest.approx(0.020, rel=1e-3)


def test_case_with_half_of_the_capacity_is_saturated() -> None:
    """When the last of a hundred is due, half of those before it wait; it begins when 99 were done."""
    found = summary(50.0)
    assert found.saturation == "saturated"
    assert found.waiting.estimate == pytest.approx(0.49, abs=0.02)
    assert (found.waiting.low or 0) > 0.4
    assert found.backlog == 50
    assert found.reached.estimate == pytest.approx(50, rel=0.02)
    assert found.late_start_p99_s == pytest.approx(0.98, rel=0.05)
    assert found.p99 is not None
    assert found.p99.estimate == pytest.approx(0.98, rel=0.05)


@pytest.mark.parametrize(
    ("low", "high", "saturation"),
    [
        (0.0, 0.0, "keeps up"),
        (0.0, 0.05, "keeps up"),
        (0.0, 0.051, "undecided"),
        (0.05, 0.5, "undecided"),
        (0.051, 0.5, "saturated"),
        (None, None, "undecided"),
    ],
)
def test_interval_decides(low: float | None, high: float | None, saturation: str) -> None:
    assert saturation_of(Interval(0.05, low, high)) == saturation


def test_five_blocks_tell_nothing_and_six_do() -> None:
    assert summary(50.0, blocks=5).saturation == "undecided"
    assert summary(50.0, blocks=6).saturation == "saturated"


def test_closed_loop_has_no_figures() -> None:
    of = case()
    assert summarize_case(of, trials(of, [0.1] * 6), None).open_loop is None
