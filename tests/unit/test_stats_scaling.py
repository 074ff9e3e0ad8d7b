"""Check the scaling of a series: the law, the knee, and the points that they come from."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.results import Run
from bench.stats.intervals import Interval
from bench.stats.pairwise import PairedRatio, compare_cases
from bench.stats.scalability_law import UniversalLaw, fit_law
from bench.stats.scaling import ScalingPoint, Series, find_knee, fit_block_laws, summarize_scaling
from bench.stats.signed_rank import shift_interval
from tests.builders import case, failed, run_of, trials

WORKERS = (1, 2, 5, 10, 20, 50, 100, 200)
LAW = UniversalLaw(rate=80.0, contention=0.03, coherency=0.0001)

rates = st.floats(1e-2, 1e4)
shares = st.one_of(st.just(0.0), st.floats(1e-5, 0.9))
costs = st.one_of(st.just(0.0), st.floats(1e-6, 0.01))


def elapsed_s(law: UniversalLaw, fetches: int = 1000) -> dict[int, float]:
    """Return the elapsed time of so many fetches by the law, by workers."""
    return {workers: fetches / law.throughput(workers) for workers in WORKERS}


def scaling_run(blocks: int, law: UniversalLaw = LAW, noise: float = 0.02, seed: int = 1) -> Run:
    """Build a run of one series by the law, with drift that a block shares and noise of its own."""
    source = random.Random(seed)
    drift = [source.lognormvariate(0, 0.1) for _ in range(blocks)]
    return run_of(
        {
            case(workers=workers): trials(
                case(workers=workers), [value * level * source.lognormvariate(0, noise) for level in drift]
            )
            for workers, value in elapsed_s(law, 3).items()
        }
    )


def series_of(run: Run) -> Series:
    """Return the only series of a run."""
    (scaling,) = summarize_scaling(run)
    (series,) = scaling.series
    return series


@given(rates, shares, costs)
def test_law_is_recovered_from_exact_throughputs(rate: float, contention: float, coherency: float) -> None:
    law = UniversalLaw(rate, contention, coherency)
    found = fit_law({workers: law.throughput(workers) for workers in WORKERS})
    assert found is not None
    assert found.rate == pytest.approx(rate, rel=1e-6)
    assert found.contention == pytest.approx(contention, rel=1e-6, abs=1e-9)
    assert found.coherency == pytest.approx(coherency, rel=1e-6, abs=1e-11)


@given(st.lists(st.floats(0.1, 100.0), min_size=8, max_size=8), st.floats(0.01, 100.0), st.randoms())
def test_fit_does_not_depend_on_unit_or_order(
    values: list[float], unit: float, shuffler: random.Random
) -> None:
    throughputs = dict(zip(WORKERS, values, strict=True))
    shuffled = list(throughputs.items())
    shuffler.shuffle(shuffled)
    law = fit_law(throughputs)
    other = fit_law({workers: unit * value for workers, value in shuffled})
    if law is None or other is None:
        assert law is other
        return
    assert other.rate == pytest.approx(unit * law.rate)
    assert other.contention == pytest.approx(law.contention, abs=1e-9)
    assert other.coherency == pytest.approx(law.coherency, abs=1e-11)


@given(rates, shares, costs)
def test_no_number_of_workers_exceeds_the_peak(rate: float, contention: float, coherency: float) -> None:
    """A law without coherency has no peak, one without contention no limit either."""
    law = UniversalLaw(rate, contention, coherency)
    assert all(law.throughput(workers) <= law.limit * (1 + 1e-9) for workers in range(1, 3000, 7))
    assert math.isinf(law.peak) == (coherency == 0)
    assert math.isinf(law.limit) == (coherency == 0 and contention == 0)
    if coherency > 0:
        for workers in (law.peak * 0.99, law.peak * 1.01):
            assert law.throughput(max(1.0, workers)) <= law.limit


def test_known_law_has_its_known_peak() -> None:
    """Gunther: N* is the root of (1 - contention) / coherency; here 0.97 / 0.0001."""
    assert LAW.peak == pytest.approx(98.49, abs=0.01)
    assert LAW.throughput(1) == 80.0
    assert LAW.throughput(2) == pytest.approx(160 / 1.0302)


def test_throughput_that_falls_too_fast_has_no_law() -> None:
    """One worker would be infinitely fast."""
    assert fit_law({2: 10.0, 4: 1.0, 8: 0.1, 16: 0.01}) is None


def point(workers: int, low: float | None, high: float = 3.0) -> ScalingPoint:
    """Build a point whose gain over the one before has these bounds."""
    ratio = Interval(high if low is None else (low + high) / 2, low, None if low is None else high)
    plain = Interval(1.0, 0.9, 1.1)
    return ScalingPoint(workers, 10, plain, plain, PairedRatio(ratio, 0.01, 10))


FIRST = replace(point(1, 1.0), gain=None)


@pytest.mark.parametrize(
    ("lows", "knee", "resumed"),
    [
        ([1.9, 1.5, 1.06], None, []),
        ([1.9, 1.5, 1.05], 4, []),
        ([1.9, 1.04, 1.5], 2, [8]),
        ([1.9, 0.7, 0.9], 2, []),
        ([1.0, 1.5, 1.5], 1, [4, 8]),
        ([None, 1.5, 1.5], 1, [4, 8]),
    ],
)
def test_knee_is_the_first_point_whose_next_step_may_gain_less_than_5_percent(
    lows: Sequence[float | None], knee: int | None, resumed: list[int]
) -> None:
    """A gain of exactly 5 % is not excluded; too few blocks show no gain."""
    found = find_knee([FIRST, *(point(2**place, low) for place, low in enumerate(lows, 1))])
    assert (found and found.point.workers) == knee
    assert [later.workers for later in (found.resumed if found else ())] == resumed


@pytest.mark.parametrize(
    ("left_out", "knee", "failed"),
    [((3,), 2, (3,)), ((5, 6), 4, (5, 6)), ((1, 16), None, ()), ((), None, ())],
)
def test_search_for_the_knee_ends_at_a_gap_of_failed_cases(
    left_out: Sequence[int], knee: int | None, failed: Sequence[int]
) -> None:
    found = find_knee([replace(FIRST, workers=2), point(4, 1.5), point(8, 1.5)], left_out)
    assert (found and found.point.workers) == knee
    assert (found.failed if found else ()) == failed


def test_series_has_its_law_knee_and_gains() -> None:
    """The peak of the law is at 98 workers: the step to 100 gains 9 %, the one to 200 loses."""
    series = series_of(scaling_run(10))
    assert [each.workers for each in series.points] == list(WORKERS)
    assert series.law is not None
    assert_holds(series.law.contention, LAW.contention)
    assert_holds(series.law.coherency, LAW.coherency)
    assert_holds(series.law.peak, LAW.peak)
    assert series.law.lawless == 0
    assert 0.005 < series.law.misfit < 0.06
    assert series.knee is not None
    assert series.knee.point.workers == 100
    assert series.knee.resumed == ()
    assert series.points[0].gain is None
    assert series.points[1].gain is not None
    assert_holds(series.points[1].gain.ratio, 2 / 1.0302)


def assert_holds(interval: Interval, truth: float) -> None:
    """Fail unless the truth lies within."""
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low <= truth <= interval.high


def test_shared_drift_does_not_widen_the_gains() -> None:
    gain = series_of(scaling_run(10, noise=0.001)).points[3].gain
    assert gain is not None
    assert gain.ratio.low is not None
    assert gain.ratio.high is not None
    assert gain.ratio.high / gain.ratio.low < 1.01


def test_knee_takes_six_blocks() -> None:
    six, five = (series_of(scaling_run(blocks, noise=0.001)).knee for blocks in (6, 5))
    assert six is not None
    assert six.point.workers == 100
    assert five is not None
    assert five.point.workers == 1
    assert five.step.gain is not None
    assert five.step.gain.ratio.low is None


def test_efficiency_is_computed_block_by_block() -> None:
    values = [0.04, 0.05, 0.025, 0.08, 0.1, 0.03, 0.06]
    run = run_of({case(workers=count): trials(case(workers=count), values) for count in (1, 2, 3)})
    assert series_of(run).points[0].efficiency == Interval(0.02 / 0.05, 0.02 / 0.1, 0.02 / 0.025)


def test_only_complete_blocks_are_fitted() -> None:
    run = scaling_run(10)
    lost = next(trial for trial in run.trials if trial.block == 3 and "/20/" in trial.case)
    crash = failed(case(workers=20), 3, "crash", "")
    found = series_of(replace(run, trials=tuple(crash if trial is lost else trial for trial in run.trials)))
    assert found.law is not None
    assert found.law.blocks == 9
    assert [each.blocks for each in found.points] == [10, 10, 10, 10, 9, 10, 10, 10]


def test_point_that_mostly_failed_is_left_out() -> None:
    run = scaling_run(6)
    crashes = [failed(case(workers=100), block, "crash", "") for block in range(3)]
    kept = [trial for trial in run.trials if "/100/" not in trial.case]
    series = series_of(replace(run, trials=(*kept, *crashes)))
    assert [each.workers for each in series.points] == [1, 2, 5, 10, 20, 50, 200]
    assert series.left_out == (100,)
    assert series.knee is not None
    assert series.knee.point.workers == 50
    assert series.knee.failed == (100,)


def test_two_numbers_of_workers_are_no_series() -> None:
    run = run_of({case(workers=count): trials(case(workers=count), [0.04] * 6) for count in (1, 2)})
    assert summarize_scaling(run)[0].series == ()


def test_three_points_are_met_exactly_by_the_law() -> None:
    """There are three parameters."""
    samples = {workers: dict.fromkeys(range(6), 100 / LAW.throughput(workers)) for workers in (1, 20, 200)}
    law = fit_block_laws(samples, 100)
    assert law is not None
    assert law.misfit == pytest.approx(0, abs=1e-9)
    assert law.peak.estimate == pytest.approx(LAW.peak)


def test_misfit_is_reported_if_a_parameter_would_be_negative() -> None:
    samples = {workers: dict.fromkeys(range(6), 1 / rate) for workers, rate in {1: 1, 2: 3, 4: 9}.items()}
    law = fit_block_laws(samples, 1)
    assert law is not None
    assert law.misfit == pytest.approx(3 / 7)
    assert law.peak == Interval(math.inf, math.inf, math.inf)


def test_block_without_a_law_is_left_out_and_counted() -> None:
    samples = {
        workers: {**dict.fromkeys(range(6), 100 / LAW.throughput(workers)), 6: float(workers**4)}
        for workers in (2, 4, 8, 16)
    }
    law = fit_block_laws(samples, 100)
    assert law is not None
    assert (law.blocks, law.lawless) == (6, 1)
    assert law.contention.estimate == pytest.approx(LAW.contention)
    assert law.contention.high == pytest.approx(LAW.contention)


def test_series_has_no_law_if_no_block_has_one() -> None:
    samples = {workers: dict.fromkeys(range(6), float(workers**4)) for workers in (2, 4, 8, 16)}
    assert fit_block_laws(samples, 100) is None


def test_peak_missing_in_some_blocks_has_an_infinite_upper_bound() -> None:
    down, flat = replace(LAW, coherency=0.001), replace(LAW, coherency=0.0)
    laws = [down] * 5 + [flat] * 4
    samples: Mapping[int, dict[int, float]] = {
        workers: {block: 100 / law.throughput(workers) for block, law in enumerate(laws)}
        for workers in WORKERS
    }
    law = fit_block_laws(samples, 100)
    assert law is not None
    assert law.peak.estimate == pytest.approx(down.peak)
    assert law.peak.low == pytest.approx(down.peak)
    assert law.peak.high == math.inf


def test_clients_and_connections_have_their_own_series() -> None:
    closing = [replace(case(workers=count), keep_alive=False) for count in (1, 2, 3)]
    loops = [case("asyncio_gather", "aiohttp", count) for count in (3, 2, 1)]
    (scaling,) = summarize_scaling(run_of({each: trials(each, [0.04] * 6) for each in (*loops, *closing)}))
    assert [(each.key.strategy, each.key.keep_alive) for each in scaling.series] == [
        ("asyncio_gather", True),
        ("threadpool_map", False),
    ]
    assert [each.workers for each in scaling.series[0].points] == [1, 2, 3]


@pytest.mark.no_cover  # tracing takes twice as long as the simulation
@pytest.mark.parametrize("steps", [6000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_steps_below_the_knee_gain_as_much_as_promised(steps: int) -> None:
    """Series whose third step gains exactly 5 %: at most 2.5 % of them pass it.

    Log-ratios are symmetric about their median here, so that ten blocks pass with a chance of 2.44 %.
    """
    source = random.Random(3)
    gains = [1.8, 1.4, 1.05, 1.02]
    passed = 0
    for _ in range(steps):
        passed += _passes(source, gains[2])
    assert 0.02 <= passed / steps <= 0.0275
    whole = [_knee_workers(source, gains) for _ in range(2000)]
    assert sum(workers > 4 for workers in whole) / 2000 <= 0.0375
    assert sum(workers == 4 for workers in whole) / 2000 >= 0.95


def _passes(source: random.Random, gain: float) -> bool:
    """Draw ten blocks of one step, with the same noise for both points, and compare its gain with 5 %."""
    slow = [gain * source.lognormvariate(0, 0.1) for _ in range(10)]
    quick = [source.lognormvariate(0, 0.1) for _ in range(10)]
    return replace(FIRST, gain=compare_cases(quick, slow)).is_worth_it


@pytest.mark.no_cover  # tracing takes twice as long as the simulation
def test_one_sided_spikes_keep_the_chance_of_the_knee_for_pseudo_medians_only() -> None:
    """4,000 steps of 20 blocks, spiky on the slower side: 2 % pass by the pseudo-median, 10 % by medians."""
    source = random.Random(4)
    many = [_spiky(source) for _ in range(200_000)]
    pseudo_median = median((one + other) / 2 for one, other in pairwise(many))
    draws = [[_spiky(source) for _ in range(20)] for _ in range(4000)]
    assert 0.01 <= _share_passing(draws, pseudo_median) <= 0.03
    assert 0.07 <= _share_passing(draws, median(many)) <= 0.13


def _spiky(source: random.Random) -> float:
    """Draw a log-ratio in which only the slower point has spikes, in three of ten blocks."""
    return source.gauss(0, 0.01) + (source.expovariate(1 / 0.3) if source.random() < 0.3 else 0.0)


def _share_passing(draws: Sequence[Sequence[float]], truth: float) -> float:
    """Return the share of steps that pass if their true gain is this one."""
    bounds = (shift_interval(draw).low for draw in draws)
    return sum(low is not None and low - truth > 0 for low in bounds) / len(draws)


def _knee_workers(source: random.Random, gains: Sequence[float]) -> int:
    """Draw a series with these gains over 1, 2, 4, 8 and 16 workers; return the workers at its knee."""
    drift = [source.lognormvariate(0, 0.3) for _ in range(10)]
    level, samples = 1.0, []
    for gain in [1.0, *gains]:
        level /= gain
        samples.append([level * each * source.lognormvariate(0, 0.02) for each in drift])
    rungs = [FIRST] + [
        replace(point(2**place, 1.0), gain=compare_cases(samples[place], samples[place - 1]))
        for place in range(1, len(samples))
    ]
    found = find_knee(rungs)
    return found.point.workers if found else 32
