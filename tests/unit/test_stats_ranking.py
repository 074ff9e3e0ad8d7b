"""Check the fastest case, the cases that cannot be told from it, and the row of each case."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bench.model.cases import Case
from bench.model.results import Measurement, Run
from bench.stats.case_summary import CaseSummary, Range
from bench.stats.ranking import Ranking, rankings
from tests.builders import case, failed, round_of, run_of, trials

DRIFT = [1.0, 1.3, 0.9, 1.1, 1.2, 0.8, 1.05, 0.95, 1.15, 1.0]
SEQUENTIAL = case("sequential", workers=1)
POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")


def scaled(factor: float, jitter: float = 0.0) -> list[float]:
    """Return ten block values that share the machine's drift, with a jitter of alternating sign."""
    return [factor * drift * (1 + jitter * (-1) ** block) for block, drift in enumerate(DRIFT)]


def ranking_of(measured: dict[Case, list[Measurement]]) -> Ranking:
    """Rank a run of ten blocks with one profile."""
    (ranking,) = rankings(run_of(measured))
    return ranking


def row_of(ranking: Ranking, wanted: Case) -> CaseSummary:
    """Return the row of a case."""
    return next(row for row in ranking.rows if row.case == wanted)


def timed(template: Measurement, values: Sequence[float]) -> list[Measurement]:
    """Build trials that differ from a template by their time alone, and have no latencies to sum up."""
    (round_,) = template.rounds
    return [
        replace(template, block=block, latency="", rounds=(replace(round_, elapsed_s=value),))
        for block, value in enumerate(values)
    ]


def shifted(of: Case, values: Sequence[float], first: int) -> list[Measurement]:
    """Build trials for the blocks from ``first`` on."""
    return [replace(trial, block=trial.block + first) for trial in trials(of, values)]


def test_lead_smaller_than_shared_drift_is_found() -> None:
    """Blocks differ by half, the cases by a tenth."""
    ranking = ranking_of(
        {
            SEQUENTIAL: trials(SEQUENTIAL, scaled(0.060)),
            POOL: trials(POOL, scaled(0.022)),
            LOOP: trials(LOOP, scaled(0.020)),
        }
    )
    assert ranking.fastest == LOOP.id
    assert ranking.slower == {POOL.id, SEQUENTIAL.id}
    assert ranking.baseline == SEQUENTIAL.id


def test_cases_that_cannot_be_told_apart_are_inconclusive() -> None:
    ranking = ranking_of({POOL: trials(POOL, scaled(0.02, 0.1)), LOOP: trials(LOOP, scaled(0.02, -0.1))})
    assert ranking.inconclusive | {ranking.fastest} == {POOL.id, LOOP.id}


def test_fastest_is_chosen_block_by_block() -> None:
    """One case is faster in ten of eleven blocks; the other has the smaller median all the same."""
    slow = [float(block) for block in range(1, 12)]
    quick = [value - 0.4 if value != 6 else value + 0.1 for value in slow]
    ranking = ranking_of({POOL: trials(POOL, slow), LOOP: trials(LOOP, quick)})
    assert ranking.fastest == LOOP.id
    assert ranking.slower == {POOL.id}


def test_case_does_not_win_by_failing_in_slow_blocks() -> None:
    """Its median covers the fast blocks only; the blocks that both have are compared."""
    drift = [1.0] * 7 + [3.0] * 7
    pool = [*trials(POOL, [0.021 * value for value in drift])[:8]]
    loop = trials(LOOP, [0.02 * value for value in drift])
    ranking = ranking_of({POOL: pool, LOOP: loop})
    assert ranking.fastest == LOOP.id


def test_case_that_hardly_ever_succeeded_is_not_ranked() -> None:
    lucky = [*trials(POOL, [0.001]), *(failed(POOL, block, "crash", "") for block in range(1, 4))]
    ranking = ranking_of(
        {POOL: lucky, LOOP: trials(LOOP, scaled(0.02)), SEQUENTIAL: trials(SEQUENTIAL, scaled(0.06))}
    )
    assert ranking.fastest == LOOP.id
    assert ranking.slower == {SEQUENTIAL.id}
    assert POOL.id not in ranking.inconclusive | ranking.untestable
    assert ranking.skipped == {POOL.id: 6}


def test_cases_without_a_common_block_are_untestable() -> None:
    ranking = ranking_of({POOL: trials(POOL, [0.02] * 6), LOOP: shifted(LOOP, [0.03] * 6, 6)})
    assert ranking.untestable | {ranking.fastest} == {POOL.id, LOOP.id}


def test_one_failed_trial_leaves_other_cases_ranked() -> None:
    cases = [case("threadpool_map", workers=workers) for workers in range(1, 7)]
    measured = {each: trials(each, scaled(0.02 * (1 + number / 5))) for number, each in enumerate(cases)}
    measured[cases[5]] = [*measured[cases[5]][:9], failed(cases[5], 9, "timeout", "")]
    ranking = ranking_of(measured)
    assert ranking.fastest == cases[0].id
    assert ranking.slower == {each.id for each in cases[1:5]}
    assert ranking.untestable == {cases[5].id}
    assert ranking.blocks_needed == 10


def test_five_blocks_are_untestable_however_different_they_are() -> None:
    five = ranking_of({POOL: trials(POOL, [0.2] * 5), LOOP: trials(LOOP, [0.02] * 5)})
    assert five.untestable == {POOL.id}
    six = ranking_of({POOL: trials(POOL, [0.2] * 6), LOOP: trials(LOOP, [0.02] * 6)})
    assert six.slower == {POOL.id}


def test_no_case_is_ranked_if_every_case_failed() -> None:
    ranking = ranking_of({POOL: [failed(POOL, 0, "error", "ValueError: no")]})
    assert ranking.fastest is None
    assert ranking.ranked == 0


@pytest.mark.long
@pytest.mark.no_cover  # tracing takes twice as long as the simulation
@pytest.mark.parametrize(("cases", "blocks"), [(2, 8), (6, 12), pytest.param(10, 14, marks=pytest.mark.slow)])
def test_identical_cases_are_told_apart_in_one_run_of_twenty_at_most(cases: int, blocks: int) -> None:
    """200 runs of identical cases under shared drift: the binomial limit of 5 % at 99.9 % is 10.5 %."""
    source = random.Random(cases)
    identical = [case("threadpool_map", workers=workers) for workers in range(1, cases + 1)]
    templates = {each: trials(each, [1.0])[0] for each in identical}
    alarms = 0
    for _ in range(200):
        drift = [source.lognormvariate(0, 0.3) for _ in range(blocks)]
        measured = {
            each: timed(template, [level * source.lognormvariate(0, 0.05) for level in drift])
            for each, template in templates.items()
        }
        alarms += bool(ranking_of(measured).slower)
    assert alarms <= 21


def test_times_faster_is_paired_with_the_sequential_case() -> None:
    pool_trials = trials(POOL, scaled(0.02, 0.01))
    ranking = ranking_of({SEQUENTIAL: trials(SEQUENTIAL, scaled(0.06)), POOL: pool_trials})
    baseline, pool = (row_of(ranking, each).figures for each in (SEQUENTIAL, POOL))
    assert baseline is not None
    assert baseline.times_faster is None
    assert pool is not None
    assert pool.times_faster is not None
    assert pool.times_faster.ratio.estimate == pytest.approx(3.0, rel=0.02)


def test_efficiency_is_ideal_divided_by_the_elapsed_time_shown() -> None:
    """Both are of the faster half of the rounds; two interrupted rounds change neither."""
    rounds = tuple(round_of(value) for value in (0.021, 0.021, 0.021, 0.08, 0.09))
    measured = [replace(trial, rounds=rounds) for trial in trials(POOL, [0.021] * 6)]
    figures = row_of(ranking_of({POOL: measured}), POOL).figures
    assert figures is not None
    assert figures.elapsed.estimate == pytest.approx(0.021)
    assert figures.efficiency == pytest.approx(0.02 / 0.021)


def test_efficiency_takes_the_ideal_of_the_rounds_that_are_shown() -> None:
    """In the slower rounds the server was late, and their own ideal was longer."""
    late = [replace(round_of(value), ideal_s=0.06) for value in (0.08, 0.09)]
    rounds = (*late, round_of(0.025), round_of(0.025))
    measured = [replace(trial, rounds=rounds) for trial in trials(POOL, [0.025] * 6)]
    figures = row_of(ranking_of({POOL: measured}), POOL).figures
    assert figures is not None
    assert figures.efficiency == pytest.approx(0.02 / 0.025)


def test_failed_trials_are_named_but_not_timed() -> None:
    crash = failed(POOL, 9, "crash", "killed by SIGSEGV")
    row = row_of(ranking_of({POOL: [*trials(POOL, scaled(0.02))[:9], crash]}), POOL)
    assert row.blocks == 9
    assert row.failed == (crash,)


def test_ranges_span_all_timed_rounds() -> None:
    mixed = round_of(0.03, in_flight=2, ok=1, not_found=1, server_error=1)
    first, second = trials(POOL, [0.02, 0.02])
    figures = row_of(ranking_of({POOL: [first, replace(second, rounds=(mixed,))]}), POOL).figures
    assert figures is not None
    assert (figures.in_flight, figures.verified) == (Range(2, 3), Range(1, 3))
    assert (figures.not_found, figures.errors) == (Range(0, 1), Range(0, 1))


def test_only_a_complete_run_counts_skipped_trials() -> None:
    """In an interrupted run, blocks are missing for another reason."""
    run = run_of(
        {POOL: [*trials(POOL, [0.02]), *(failed(POOL, block, "timeout", "") for block in (1, 2, 3))]}
    )
    assert rankings(run)[0].skipped == {POOL.id: 6}
    assert rankings(replace(run, status="partial"))[0].skipped == {}


def test_case_that_stopped_early_is_ranked() -> None:
    """It was precise after eight blocks; the other case took twenty."""
    ranking = ranking_of({POOL: trials(POOL, scaled(0.02)[:8]), LOOP: trials(LOOP, scaled(0.03) * 2)})
    assert ranking.fastest == POOL.id
    assert ranking.slower == {LOOP.id}
    assert ranking.skipped == {}


def stopping_run(measured: Mapping[Case, Sequence[Measurement]]) -> Run:
    """Build a run whose cases may leave after eight blocks, precise to 3 %."""
    stopping = {"least_blocks": 8, "precision": 0.03, "budget_s": None}
    run = run_of(measured)
    return replace(run, config={**run.config, "blocks": 64, "stopping": stopping})


def test_case_that_crashed_in_its_last_block_is_still_ranked() -> None:
    early = [*trials(POOL, [0.020, 0.0201, 0.0202] * 2 + [0.02]), failed(POOL, 7, "crash", "")]
    run = stopping_run({POOL: early, LOOP: trials(LOOP, [0.03, 0.05] * 32)})
    ranking = rankings(run)[0]
    assert ranking.fastest == POOL.id
    assert ranking.skipped == {}


def test_skipped_trials_are_counted_up_to_the_blocks_of_other_cases() -> None:
    """Of eight blocks, and not of the planned sixty-four."""
    lost = [failed(POOL, block, "crash", "") for block in range(3)]
    run = stopping_run({POOL: lost, LOOP: trials(LOOP, [0.02] * 8)})
    assert rankings(run)[0].skipped == {POOL.id: 5}


def test_fastest_is_a_case_that_none_is_surely_faster_than() -> None:
    """One case is ahead of two that stopped early, and behind one that was slow in their blocks."""
    steady, late, first, second = (case("threadpool_map", workers=workers) for workers in (2, 3, 4, 5))
    ranking = ranking_of(
        {
            steady: trials(steady, [0.100] * 60),
            late: trials(late, [0.300] * 6 + [0.090] * 54),
            first: trials(first, [0.110] * 6),
            second: trials(second, [0.120] * 6),
        }
    )
    assert ranking.fastest == late.id
    assert steady.id in ranking.slower


def test_repeated_trials_do_not_count_as_blocks() -> None:
    invalid = [failed(POOL, block, "invalid", "a stranger") for block in range(10)]
    again = [replace(trial, attempt=1) for trial in trials(POOL, scaled(0.02))]
    ranking = ranking_of({POOL: [*invalid, *again], LOOP: trials(LOOP, scaled(0.03))})
    assert ranking.fastest == POOL.id


def test_row_among_many_is_inconclusive_against_the_baseline() -> None:
    """By its own interval it is faster; among sixteen rows that is not enough."""
    cases = [case("threadpool_map", workers=workers) for workers in range(2, 17)]
    lead = [0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11, 0.12, 0.13, -0.055]
    slow = [value * (1 + more) for value, more in zip(scaled(0.02), lead, strict=True)]
    others = {each: trials(each, scaled(0.02, 0.1)) for each in cases}
    ranking = ranking_of({SEQUENTIAL: trials(SEQUENTIAL, slow), LOOP: trials(LOOP, scaled(0.02)), **others})
    figures = row_of(ranking, LOOP).figures
    assert figures is not None
    assert figures.times_faster is not None
    assert figures.times_faster.ratio.low is not None
    assert figures.times_faster.ratio.low > 1
    assert figures.times_faster.verdict == "inconclusive"
