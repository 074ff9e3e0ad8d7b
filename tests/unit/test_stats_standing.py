"""Where each case stands: who is fastest, who ties, who failed."""

import pytest

from bench.stats.standing import Range, podiums
from tests.builders import case, failed, round_of, run_of, trials

DRIFT = [1.0, 1.3, 0.9, 1.1, 1.2, 0.8, 1.05, 0.95, 1.15, 1.0]
SEQUENTIAL = case("sequential", workers=1)
POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")


def scaled(factor: float, jitter: float = 0.0) -> list[float]:
    """Return ten block values that share the machine's drift, with a jitter of alternating sign."""
    return [factor * drift * (1 + jitter * (-1) ** block) for block, drift in enumerate(DRIFT)]


def test_the_fastest_has_the_least_median_and_leads_beyond_the_shared_drift() -> None:
    """Blocks differ by half, the cases by a tenth: paired, the difference is plain."""
    run = run_of(
        {
            SEQUENTIAL: trials(SEQUENTIAL, scaled(0.060)),
            POOL: trials(POOL, scaled(0.022)),
            LOOP: trials(LOOP, scaled(0.020)),
        }
    )
    (podium,) = podiums(run)
    assert podium.fastest == LOOP.id
    assert podium.ties == frozenset()
    assert podium.conclusive
    assert podium.baseline == SEQUENTIAL.id


def test_cases_that_cannot_be_told_apart_are_ties() -> None:
    """A difference of changing sign is none."""
    run = run_of({POOL: trials(POOL, scaled(0.0201, 0.1)), LOOP: trials(LOOP, scaled(0.020, -0.1))})
    (podium,) = podiums(run)
    assert podium.ties | {podium.fastest} == {POOL.id, LOOP.id}


def test_times_faster_is_paired_with_the_sequential_case() -> None:
    """The baseline itself has no such figure."""
    run = run_of({SEQUENTIAL: trials(SEQUENTIAL, scaled(0.060)), POOL: trials(POOL, scaled(0.020, 0.01))})
    baseline, pool = podiums(run)[0].rows
    assert baseline.times_faster is None
    assert pool.times_faster is not None
    assert pool.times_faster.ratio.estimate == pytest.approx(3.0, rel=0.02)


def test_failed_trials_stay_out_of_the_timings_and_in_the_row() -> None:
    """A crash leaves nine blocks and is there by name."""
    good = trials(POOL, scaled(0.02))
    crash = failed(POOL, 9, "crash", "killed by SIGSEGV")
    (podium,) = podiums(run_of({POOL: [*good[:9], crash]}))
    (row,) = podium.rows
    assert row.blocks == 9
    assert row.failed == (crash,)


def test_a_case_without_any_timing_still_has_its_row() -> None:
    """Its rivals are unaffected."""
    hang = [failed(POOL, block, "timeout", "not done after 5 s") for block in range(3)]
    (podium,) = podiums(run_of({POOL: hang, LOOP: trials(LOOP, scaled(0.02))}))
    assert podium.rows[0].elapsed is None
    assert podium.fastest == LOOP.id


def test_nothing_is_concluded_where_every_case_failed() -> None:
    """No fastest, no ties."""
    (podium,) = podiums(run_of({POOL: [failed(POOL, 0, "error", "ValueError: no")]}))
    assert podium.fastest is None


def test_few_blocks_are_inconclusive() -> None:
    """Five blocks cannot tell two cases apart at 95 %, however different they are."""
    run = run_of({POOL: trials(POOL, [0.2] * 5), LOOP: trials(LOOP, [0.02] * 5)})
    assert not podiums(run)[0].conclusive


def test_ranges_span_all_timed_rounds() -> None:
    """The least and the greatest that the server saw; 404s apart from other failures."""
    measured = trials(POOL, [0.02, 0.02])
    mixed = round_of(0.03, in_flight=2, ok=1, not_found=1, server_error=1)
    run = run_of({POOL: [measured[0], failed(POOL, 1, "ok", "")]})
    (row,) = podiums(run)[0].rows
    assert row.in_flight == Range(3, 3)
    second = type(measured[1])(POOL.id, 1, 0, "ok", "", 0.2, None, (mixed,))
    (row,) = podiums(run_of({POOL: [measured[0], second]}))[0].rows
    assert (row.in_flight, row.verified) == (Range(2, 3), Range(1, 3))
    assert (row.not_found, row.errors) == (Range(0, 1), Range(0, 1))
