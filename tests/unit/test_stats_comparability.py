"""Check which stored trials may be compared, and the reasons against the others."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.model.cases import Case
from bench.model.comparison import Comparison
from bench.model.results import Measurement, Run
from bench.stats.comparability import describe_cases, has_fixed_order, incomparable_reasons, match_cases
from bench.stats.verdicts import run_verdicts
from tests.builders import case, run_of, trials
from tests.comparisons import BASE, CANDIDATE, comparison_run, new_comparison

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
MACHINE = {"fingerprint": "f" * 64}


def stored(blocks: int = 8) -> Run:
    """Build a comparison of two equal variants."""
    run = comparison_run(POOL, elapsed_s=lambda _, block: 0.2 + 0.0001 * block)
    assert len(run.trials) == 2 * blocks
    return replace(run, environment=MACHINE)


def test_two_variants_of_one_session_can_be_compared() -> None:
    assert list(incomparable_reasons(stored(), stored())) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda run: replace(run, environment={"fingerprint": "0" * 64}), "on different machines"),
        (lambda run: replace(run, environment={}), "on different machines"),
        (lambda run: replace(run, config={**run.config, "seed": 9}), "different seeds"),
        (lambda run: replace(run, config={**run.config, "sha256": "1" * 64}), "different configs"),
        (lambda run: replace(run, started="2026-02-02T00:00:00+00:00"), "different sessions"),
        (lambda run: replace(run, trials=run.trials[:-2]), "different sessions"),
    ],
)
def test_each_difference_between_runs_is_a_reason(change: Callable[[Run], Run], reason: str) -> None:
    assert reason in "; ".join(incomparable_reasons(stored(), change(stored())))


def test_run_stopped_early_is_refused() -> None:
    """It may have been stopped because of its results."""
    partial = replace(stored(), status="partial")
    assert list(incomparable_reasons(partial, partial)) == [f"{partial.name} was stopped early"]


def reordered(run: Run, first: str) -> Run:
    """Let the same variant go first in every block, as in the usual recipe for CI."""

    def moved(trial: Measurement) -> Measurement:
        return replace(trial, position=0 if trial.case.endswith(first) else 1)

    return replace(run, trials=tuple(map(moved, run.trials)))


def test_order_not_drawn_from_the_seed_is_refused() -> None:
    assert not has_fixed_order(stored())
    for first in ("@main", "@worktree"):
        fixed = reordered(stored(), first)
        assert has_fixed_order(fixed)
        assert "is not that of its seed" in "; ".join(incomparable_reasons(fixed, fixed))
    assert has_fixed_order(replace(stored(), config={"name": "x"}))


def test_cases_are_matched_by_id_and_then_by_strategy_file() -> None:
    thread = case("thread")
    moved, gone, new = replace(POOL, strategy="pool"), case("sequential"), case("processpool_map")
    digests = ({"threadpool_map": "a", "thread": "b"}, {"pool": "a", "thread": "c"})
    found = match_cases((POOL, thread, gone), (new, moved, thread), digests)
    assert found.shared == ((thread, thread),)
    assert found.renamed == ((POOL, moved),)
    assert found.vanished == (gone,)
    assert found.new == (new,)
    workers = replace(moved, workers=2)
    assert match_cases((POOL,), (workers,), digests).renamed == ()
    assert match_cases((POOL,), (moved,), ({}, {})).renamed == ()


def test_verdict_on_a_plain_run_is_the_first_look_that_decides() -> None:
    comparison: Comparison = new_comparison(POOL)
    base, candidate = (replace(POOL, variant=name) for name in (comparison.base, comparison.candidate))
    for blocks, verdict, looked in ((20, "slower", 14), (13, "inconclusive", 8), (7, "inconclusive", 7)):
        values = [0.2 + 0.0001 * block for block in range(blocks)]
        run = run_of(
            {base: trials(base, values), candidate: trials(candidate, [1.08 * each for each in values])}
        )
        (found,) = run_verdicts(run, comparison).metrics
        assert (found.verdict, found.blocks) == (verdict, looked)
        assert found.ratio is not None
        assert found.ratio.estimate == pytest.approx(1.08)
    equal = run_of({base: trials(base, [0.2] * 20), candidate: trials(candidate, [0.2001] * 20)})
    (found,) = run_verdicts(equal, comparison).metrics
    assert (found.verdict, found.blocks) == ("equivalent", 8)


def test_variants_of_one_run_are_compared_block_by_block() -> None:
    """A drift that both share hides a change of ten per cent from blocks that are no pairs."""

    def elapsed_s(of: Case, block: int) -> float:
        return 0.1 * (1 + 0.05 * block) * (1.1 if of.variant == CANDIDATE else 1.0)

    run = comparison_run(POOL, elapsed_s=elapsed_s)
    base, candidate = (next(each for each in run.cases if each.variant == name) for name in (BASE, CANDIDATE))
    (paired,) = describe_cases(run, run, [(base, candidate)])
    assert paired.ratio.low == pytest.approx(1.1)
    assert paired.ratio.high == pytest.approx(1.1)
    assert paired.is_beyond_noise
    (unpaired,) = describe_cases(run, replace(run, started="2027-01-01T00:00:00+00:00"), [(base, candidate)])
    assert unpaired.is_beyond_noise is False


def test_variants_without_a_shared_block_have_a_ratio_without_bounds() -> None:
    run = comparison_run(POOL, elapsed_s=lambda _, block: 0.1 + 0.001 * block)
    base, candidate = (next(each for each in run.cases if each.variant == name) for name in (BASE, CANDIDATE))
    apart = tuple(each for each in run.trials if (each.block < 4) == (each.case == base.id))
    (found,) = describe_cases(replace(run, trials=apart), replace(run, trials=apart), [(base, candidate)])
    assert found.ratio.estimate == pytest.approx(found.second_s / found.first_s)
    assert (found.ratio.low, found.is_beyond_noise) == (None, None)
