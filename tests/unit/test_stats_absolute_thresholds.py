"""Check the verdicts on absolute thresholds: kept, broken or open."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.comparison import Bound, BoundedFigure, Comparison, Relation
from bench.model.results import Measurement
from bench.stats.absolute_thresholds import BoundVerdict, bound_status, bound_verdicts
from bench.stats.intervals import Interval, median_interval
from bench.stats.metrics import metric_value
from tests.builders import case, failed, round_of, trials
from tests.comparisons import BASE, CANDIDATE, new_comparison

POOL = replace(case(), variant=CANDIDATE)
PLAIN = case().id
OPPOSITE: dict[Relation, Relation] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}

times = st.floats(1e-4, 1e3)
samples = st.lists(times, min_size=1, max_size=25)
unequal = st.sampled_from(sorted(OPPOSITE))


def _comparison(*bounds: Bound, repeats: int = 1) -> Comparison:
    return replace(new_comparison(case()), bounds=bounds, repeats={PLAIN: repeats})


def _found(bound: Bound, measured: Sequence[Measurement], repeats: int = 1) -> BoundVerdict:
    (found,) = bound_verdicts(_comparison(bound, repeats=repeats), measured)
    return found


def _elapsed(relation: Relation, value: float) -> Bound:
    return Bound("*", "elapsed", relation, value)


def _failing(*errors: int) -> list[Measurement]:
    """Build a block per count of errors, which are in its second round; the first has one not found."""
    rounds = [(round_of(0.1, ok=9, not_found=1), round_of(0.1, ok=10 - each, reset=each)) for each in errors]
    blocks = trials(POOL, [0.1] * len(errors))
    return [replace(block, rounds=both) for block, both in zip(blocks, rounds, strict=True)]


@pytest.mark.parametrize(
    ("relation", "value", "verdict"),
    [
        ("<", 0.2, "kept"),
        ("<", 0.106, "kept"),
        ("<", 0.105, "open"),
        ("<=", 0.105, "kept"),
        ("<", 0.102, "open"),
        ("<", 0.1, "broken"),
        ("<=", 0.1, "open"),
        ("<=", 0.09, "broken"),
        (">", 0.09, "kept"),
        (">=", 0.1, "kept"),
        (">", 0.1, "open"),
        (">", 0.105, "broken"),
        ("==", 0.102, "open"),
        ("==", 0.2, "broken"),
    ],
)
def test_bound_is_kept_if_it_holds_for_the_whole_interval(
    relation: Relation, value: float, verdict: str
) -> None:
    interval = Interval(0.1025, 0.1, 0.105)
    assert bound_status(_elapsed(relation, value), interval) == verdict


@given(samples, unequal, times)
def test_elapsed_bound_is_compared_with_the_median_over_blocks(
    values: list[float], relation: Relation, value: float
) -> None:
    bound = _elapsed(relation, value)
    measured = trials(POOL, values)
    found = _found(bound, measured)
    figures = [each for trial in measured if (each := metric_value(trial, "elapsed")) is not None]
    assert found.found == median_interval(figures)
    assert (found.verdict, found.blocks) == (bound_status(bound, median_interval(figures)), len(values))
    if len(values) < 6:
        assert found.verdict == "open"


@given(samples, unequal, times)
def test_opposite_bound_has_the_opposite_verdict(
    values: list[float], relation: Relation, value: float
) -> None:
    mirrored = {"kept": "broken", "broken": "kept", "open": "open"}
    measured = trials(POOL, values)
    found = _found(_elapsed(relation, value), measured)
    assert _found(_elapsed(OPPOSITE[relation], value), measured).verdict == mirrored[found.verdict]


@given(samples, st.tuples(times, times))
def test_wider_bound_is_kept_if_a_narrower_one_is(values: list[float], both: tuple[float, float]) -> None:
    order = {"broken": 0, "open": 1, "kept": 2}
    narrow, wide = (_found(_elapsed("<", each), trials(POOL, values)).verdict for each in sorted(both))
    assert order[narrow] <= order[wide]


@given(samples, times, st.randoms())
def test_order_of_blocks_does_not_change_the_verdict(
    values: list[float], value: float, shuffler: random.Random
) -> None:
    shuffled = [*values]
    shuffler.shuffle(shuffled)
    bound = _elapsed("<", value)
    assert _found(bound, trials(POOL, values)) == _found(bound, trials(POOL, shuffled))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(0, 9))
def test_one_block_with_too_many_errors_breaks_the_bound(errors: list[int], most: int) -> None:
    """One block is enough to keep it, too: counts need no interval. Not found is not an error."""
    found = _found(Bound("*", "errors", "<=", most), _failing(*errors))
    assert found.verdict == ("broken" if max(errors) > most else "kept")
    assert found.found == Interval(max(errors), min(errors), max(errors))
    none = _found(Bound("*", "errors", "==", 0), _failing(*errors))
    assert none.verdict == ("broken" if any(errors) else "kept")


def test_efficiency_is_mean_ideal_divided_by_mean_elapsed() -> None:
    measured = [replace(each, rounds=(round_of(0.02), round_of(0.06))) for each in trials(POOL, [0.04] * 6)]
    found = _found(Bound("*", "efficiency", ">", 0.49), measured)
    assert found.verdict == "kept"
    assert found.found is not None
    assert found.found.estimate == pytest.approx(0.5)
    assert _found(Bound("*", "efficiency", ">", 0.51), measured).verdict == "broken"


@pytest.mark.parametrize("name", get_args(BoundedFigure))
def test_bounds_are_for_one_round_of_the_config(name: BoundedFigure) -> None:
    """If a round is repeated three times, its time and errors count a third; memory and p99 are no sums."""
    measured = _failing(*[7] * 6)
    once = _found(Bound("*", name, "<", 1e9), measured).found
    longer = _found(Bound("*", name, "<", 1e9), measured, repeats=3).found
    assert once is not None
    assert longer is not None
    if name == "errors":
        assert (once.estimate, longer.estimate) == (7, 3)  # rounded up: a failure is never lost
    else:
        assert longer.estimate == pytest.approx(once.estimate / (3 if name in {"elapsed", "cpu"} else 1))


def test_bounds_apply_to_the_cases_of_their_pattern() -> None:
    other = case("sequential", workers=1)
    bounds = (
        Bound("seq*", "elapsed", "<", 1.0),
        Bound("*", "p99", "<", 1.0),
        Bound("nothing", "cpu", "<", 1.0),
    )
    of = replace(new_comparison(case(), other), bounds=bounds)
    measured = trials(replace(other, variant=CANDIDATE), [0.1] * 6)
    assert [(each.case, each.bound.figure, each.verdict) for each in bound_verdicts(of, measured)] == [
        (case().id, "p99", "open"),
        (other.id, "elapsed", "kept"),
        (other.id, "p99", "kept"),
    ]


def test_only_the_candidates_last_success_of_each_block_counts() -> None:
    bound = _elapsed("<", 0.5)
    slow_base = trials(replace(POOL, variant=BASE), [9.0] * 6)
    good = trials(POOL, [0.1] * 6)
    spoilt = [replace(each, rounds=(round_of(9.0),)) for each in good]
    again = [replace(each, attempt=1) for each in good]
    crash = [failed(POOL, 6, "crash", "why")]
    found = _found(bound, [*slow_base, *spoilt, *again, *crash])
    assert (found.verdict, found.blocks) == ("kept", 6)
    assert _found(bound, [*slow_base, *crash]) == BoundVerdict(PLAIN, bound, "open", None, 0)


def test_bound_on_an_unmeasured_figure_is_open() -> None:
    bare = [replace(each, probes={}) for each in trials(POOL, [0.1] * 6)]
    found = _found(Bound("*", "memory", "<", 1e9), bare)
    assert (found.verdict, found.found, found.blocks) == ("open", None, 0)
