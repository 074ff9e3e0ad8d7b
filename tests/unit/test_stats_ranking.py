"""Who is fastest, who ties, who is told apart, and who failed."""

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


def podium_of(measured: dict[Case, list[Measurement]]) -> Ranking:
    """Return the only podium of a run of ten blocks."""
    (podium,) = rankings(run_of(measured))
    return podium


def row_of(podium: Ranking, wanted: Case) -> CaseSummary:
    """Return the row of a case."""
    return next(row for row in podium.rows if row.case == wanted)


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


def test_a_lead_beyond_the_shared_drift_is_seen() -> None:
    """Blocks differ by half, the cases by a tenth: paired, the difference is plain."""
    podium = podium_of(
        {
            SEQUENTIAL: trials(SEQUENTIAL, scaled(0.060)),
            POOL: trials(POOL, scaled(0.022)),
            LOOP: trials(LOOP, scaled(0.020)),
        }
    )
    assert podium.fastest == LOOP.id
    assert podium.slower == {POOL.id, SEQUENTIAL.id}
    assert podium.baseline == SEQUENTIAL.id


def test_cases_that_cannot_be_told_apart_are_ties() -> None:
    """A difference of changing sign is none."""
    podium = podium_of({POOL: trials(POOL, scaled(0.02, 0.1)), LOOP: trials(LOOP, scaled(0.02, -0.1))})
    assert podium.inconclusive | {podium.fastest} == {POOL.id, LOOP.id}


def test_the_fastest_is_chosen_block_by_block() -> None:
    """One case is faster in ten of eleven blocks; the other has the smaller median all the same."""
    slow = [float(block) for block in range(1, 12)]
    quick = [value - 0.4 if value != 6 else value + 0.1 for value in slow]
    podium = podium_of({POOL: trials(POOL, slow), LOOP: trials(LOOP, quick)})
    assert podium.fastest == LOOP.id
    assert podium.slower == {POOL.id}


def test_nobody_wins_by_failing_in_the_slow_blocks() -> None:
    """Its median covers the fast blocks only; compared are the blocks that both have."""
    drift = [1.0] * 7 + [3.0] * 7
    pool = [*trials(POOL, [0.021 * value for value in drift])[:8]]
    loop = trials(LOOP, [0.02 * value for value in drift])
    podium = podium_of({POOL: pool, LOOP: loop})
    assert podium.fastest == LOOP.id


def test_a_case_that_hardly_ever_worked_is_not_ranked() -> None:
    """One lucky block of ten is no measurement of anything."""
    lucky = [*trials(POOL, [0.001]), *(failed(POOL, block, "crash", "") for block in range(1, 4))]
    podium = podium_of(
        {POOL: lucky, LOOP: trials(LOOP, scaled(0.02)), SEQUENTIAL: trials(SEQUENTIAL, scaled(0.06))}
    )
    assert podium.fastest == LOOP.id
    assert podium.slower == {SEQUENTIAL.id}
    assert POOL.id not in podium.inconclusive | podium.untestable
    assert podium.skipped == {POOL.id: 6}


def test_cases_without_a_common_block_are_undecided() -> None:
    """Nothing was compared, so nothing is said."""
    podium = podium_of({POOL: trials(POOL, [0.02] * 6), LOOP: shifted(LOOP, [0.03] * 6, 6)})
    assert podium.untestable | {podium.fastest} == {POOL.id, LOOP.id}


def test_one_failed_trial_does_not_silence_the_table() -> None:
    """Six cases in ten blocks; one of them fails once. The others are told apart as before."""
    cases = [case("threadpool_map", workers=workers) for workers in range(1, 7)]
    measured = {each: trials(each, scaled(0.02 * (1 + number / 5))) for number, each in enumerate(cases)}
    measured[cases[5]] = [*measured[cases[5]][:9], failed(cases[5], 9, "timeout", "")]
    podium = podium_of(measured)
    assert podium.fastest == cases[0].id
    assert podium.slower == {each.id for each in cases[1:5]}
    assert podium.untestable == {cases[5].id}
    assert podium.blocks_needed == 10


def test_few_blocks_are_undecided_however_different_they_are() -> None:
    """Five blocks cannot tell two cases apart at 95 %; six can."""
    five = podium_of({POOL: trials(POOL, [0.2] * 5), LOOP: trials(LOOP, [0.02] * 5)})
    assert five.untestable == {POOL.id}
    six = podium_of({POOL: trials(POOL, [0.2] * 6), LOOP: trials(LOOP, [0.02] * 6)})
    assert six.slower == {POOL.id}


def test_nothing_is_concluded_where_every_case_failed() -> None:
    """No fastest, no ties."""
    podium = podium_of({POOL: [failed(POOL, 0, "error", "ValueError: no")]})
    assert podium.fastest is None
    assert podium.ranked == 0


@pytest.mark.no_cover  # tracing takes twice as long as the simulation
@pytest.mark.parametrize(("cases", "blocks"), [(2, 8), (6, 12), (10, 14)])
def test_identical_cases_are_told_apart_in_one_run_of_twenty_at_most(cases: int, blocks: int) -> None:
    """200 runs of identical cases under shared drift: the binomial limit of 5 % at 99.9 % is 10.5 %."""
    source = random.Random(cases)
    entrants = [case("threadpool_map", workers=workers) for workers in range(1, cases + 1)]
    templates = {each: trials(each, [1.0])[0] for each in entrants}
    alarms = 0
    for _ in range(200):
        drift = [source.lognormvariate(0, 0.3) for _ in range(blocks)]
        measured = {
            each: timed(template, [level * source.lognormvariate(0, 0.05) for level in drift])
            for each, template in templates.items()
        }
        alarms += bool(podium_of(measured).slower)
    assert alarms <= 21


def test_times_faster_is_paired_with_the_sequential_case() -> None:
    """The baseline itself has no such figure."""
    podium = podium_of({SEQUENTIAL: trials(SEQUENTIAL, scaled(0.06)), POOL: trials(POOL, scaled(0.02, 0.01))})
    baseline, pool = (row_of(podium, each).figures for each in (SEQUENTIAL, POOL))
    assert baseline is not None
    assert baseline.times_faster is None
    assert pool is not None
    assert pool.times_faster is not None
    assert pool.times_faster.ratio.estimate == pytest.approx(3.0, rel=0.02)


def test_efficiency_is_the_ideal_over_the_elapsed_time_that_is_shown() -> None:
    """Both are of the faster half of the rounds; two interrupted rounds change neither."""
    rounds = tuple(round_of(value) for value in (0.021, 0.021, 0.021, 0.08, 0.09))
    measured = [replace(trial, rounds=rounds) for trial in trials(POOL, [0.021] * 6)]
    figures = row_of(podium_of({POOL: measured}), POOL).figures
    assert figures is not None
    assert figures.elapsed.estimate == pytest.approx(0.021)
    assert figures.efficiency == pytest.approx(0.02 / 0.021)


def test_failed_trials_stay_out_of_the_timings_and_in_the_row() -> None:
    """A crash leaves nine blocks and is there by name."""
    crash = failed(POOL, 9, "crash", "killed by SIGSEGV")
    row = row_of(podium_of({POOL: [*trials(POOL, scaled(0.02))[:9], crash]}), POOL)
    assert row.blocks == 9
    assert row.failed == (crash,)


def test_ranges_span_all_timed_rounds() -> None:
    """The least and the greatest that the server saw; 404s apart from other failures."""
    mixed = round_of(0.03, in_flight=2, ok=1, not_found=1, server_error=1)
    first, second = trials(POOL, [0.02, 0.02])
    figures = row_of(podium_of({POOL: [first, replace(second, rounds=(mixed,))]}), POOL).figures
    assert figures is not None
    assert (figures.in_flight, figures.verified) == (Range(2, 3), Range(1, 3))
    assert (figures.not_found, figures.errors) == (Range(0, 1), Range(0, 1))


def test_only_a_complete_run_has_given_cases_up() -> None:
    """In an interrupted one, blocks are missing for another reason."""
    run = run_of(
        {POOL: [*trials(POOL, [0.02]), *(failed(POOL, block, "timeout", "") for block in (1, 2, 3))]}
    )
    assert rankings(run)[0].skipped == {POOL.id: 6}
    assert rankings(replace(run, status="partial"))[0].skipped == {}


def test_a_case_that_left_the_blocks_early_is_ranked_and_not_given_up() -> None:
    """Enough was known of it after eight blocks; the other one took twenty."""
    podium = podium_of({POOL: trials(POOL, scaled(0.02)[:8]), LOOP: trials(LOOP, scaled(0.03) * 2)})
    assert podium.fastest == POOL.id
    assert podium.slower == {LOOP.id}
    assert podium.skipped == {}


def stopping_run(measured: Mapping[Case, Sequence[Measurement]]) -> Run:
    """Build a run whose cases may leave after eight blocks, precise to 3 %."""
    stopping = {"least_blocks": 8, "precision": 0.03, "budget_s": None}
    run = run_of(measured)
    return replace(run, config={**run.config, "blocks": 64, "stopping": stopping})


def test_a_case_that_left_with_a_crash_in_its_last_block_was_not_given_up() -> None:
    """It was precise by then; that its last trial failed makes it neither unranked nor given up."""
    early = [*trials(POOL, [0.020, 0.0201, 0.0202] * 2 + [0.02]), failed(POOL, 7, "crash", "")]
    run = stopping_run({POOL: early, LOOP: trials(LOOP, [0.03, 0.05] * 32)})
    podium = rankings(run)[0]
    assert podium.fastest == POOL.id
    assert podium.skipped == {}


def test_a_case_given_up_is_held_against_the_blocks_that_others_were_run_in() -> None:
    """Of eight blocks, and not of the sixty-four that there might have been."""
    lost = [failed(POOL, block, "crash", "") for block in range(3)]
    run = stopping_run({POOL: lost, LOOP: trials(LOOP, [0.02] * 8)})
    assert rankings(run)[0].skipped == {POOL.id: 5}


def test_no_case_is_the_fastest_that_another_is_surely_faster_than() -> None:
    """It is ahead of two that left early, and behind one that was slow in the blocks of those two."""
    steady, late, first, second = (case("threadpool_map", workers=workers) for workers in (2, 3, 4, 5))
    podium = podium_of(
        {
            steady: trials(steady, [0.100] * 60),
            late: trials(late, [0.300] * 6 + [0.090] * 54),
            first: trials(first, [0.110] * 6),
            second: trials(second, [0.120] * 6),
        }
    )
    assert podium.fastest == late.id
    assert steady.id in podium.slower


def test_repeated_trials_are_no_further_blocks() -> None:
    """An invalid trial and its repetition are one block, in which the case succeeded."""
    invalid = [failed(POOL, block, "invalid", "a stranger") for block in range(10)]
    again = [replace(trial, attempt=1) for trial in trials(POOL, scaled(0.02))]
    podium = podium_of({POOL: [*invalid, *again], LOOP: trials(LOOP, scaled(0.03))})
    assert podium.fastest == POOL.id


def test_a_row_that_is_one_of_many_is_a_tie_with_the_baseline() -> None:
    """By its own interval it is faster; among sixteen rows that is nothing to go by."""
    cases = [case("threadpool_map", workers=workers) for workers in range(2, 17)]
    lead = [0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11, 0.12, 0.13, -0.055]
    slow = [value * (1 + more) for value, more in zip(scaled(0.02), lead, strict=True)]
    others = {each: trials(each, scaled(0.02, 0.1)) for each in cases}
    podium = podium_of({SEQUENTIAL: trials(SEQUENTIAL, slow), LOOP: trials(LOOP, scaled(0.02)), **others})
    figures = row_of(podium, LOOP).figures
    assert figures is not None
    assert figures.times_faster is not None
    assert figures.times_faster.ratio.low is not None
    assert figures.times_faster.ratio.low > 1
    assert figures.times_faster.verdict == "inconclusive"
