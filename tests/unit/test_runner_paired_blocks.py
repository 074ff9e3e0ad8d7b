"""The block loop of a comparison with fakes in place of its pairs: coins, retries, stops, and resuming."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.errors import UnreadableResultError
from bench.model.cases import Case
from bench.model.stored_comparison import read_comparison
from bench.model.trial_outcome import Outcome
from bench.stats.schedule import alternation, replay
from bench.stats.verdicts import comparison_verdicts
from tests.builders import case
from tests.comparisons import BASE, CANDIDATE, comparison_run, experiment, new_comparison

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")


def slower_by(factor: float) -> Callable[[Case, int], float]:
    """Return the rounds of a candidate that takes ``factor`` times as long, with some noise of the block."""

    def elapsed_s(of: Case, block: int) -> float:
        noise = 1 + 0.001 * (hash((block * 7919) % 13) % 5) + 0.0001 * block
        return 0.2 * noise * (factor if of.variant == CANDIDATE else 1)

    return elapsed_s


def test_rounds_alternate_so_that_steady_drift_cancels() -> None:
    assert alternation(5) == (0, 1, 1, 0, 0, 1, 1, 0, 0, 1)
    assert sum(place * (1, -1)[which] for place, which in enumerate(alternation(4))) == 0


def test_a_comparison_ends_when_every_metric_is_decided() -> None:
    """Equal variants after the first look, a slower one at the first look that may alarm."""
    assert len({trial.block for trial in comparison_run(POOL, elapsed_s=slower_by(1.0)).trials}) == 8
    run = comparison_run(POOL, elapsed_s=slower_by(1.08))
    kept = read_comparison(run)
    assert kept is not None
    (verdict,) = comparison_verdicts(kept, run.trials).metrics
    assert (verdict.verdict, verdict.blocks) == ("slower", 14)
    assert verdict.ratio is not None
    assert verdict.ratio.estimate == pytest.approx(1.08)


def test_a_decided_case_stops_and_the_others_go_on() -> None:
    def elapsed_s(of: Case, block: int) -> float:
        return slower_by(1.1 if of.strategy == POOL.strategy else 1.0)(of, block)

    run = comparison_run(POOL, LOOP, elapsed_s=elapsed_s)
    blocks = {
        each.id: {trial.block for trial in run.trials if trial.case.startswith(each.id)}
        for each in (POOL, LOOP)
    }
    assert (len(blocks[POOL.id]), len(blocks[LOOP.id])) == (14, 8)


def test_coins_decide_which_variant_starts_first() -> None:
    run = comparison_run(POOL, elapsed_s=slower_by(1.0), seed=5)
    firsts = [trial.case.partition("@")[2] for trial in run.trials if trial.position == 0]
    assert set(firsts) == {BASE, CANDIDATE}
    assert [trial.position for trial in run.trials] == [0, 1] * 8


@pytest.mark.parametrize(
    ("outcome", "attempts", "why", "failed"),
    [
        ("invalid", 4, "its trials were disturbed too often", []),
        ("crash", 1, "its trials kept failing", ["crash"] * 3),
    ],
)
def test_only_disturbed_pairs_are_retried(
    outcome: Outcome, attempts: int, why: str, failed: list[Outcome]
) -> None:
    """An invalid pair is retried three times, a crash is not; three such blocks end the case."""

    def elapsed_s(of: Case, _: int) -> float | Outcome:
        return outcome if of.variant == CANDIDATE else 0.2

    run = comparison_run(POOL, elapsed_s=elapsed_s)
    assert len(run.trials) == 2 * 3 * attempts
    kept = read_comparison(run)
    assert kept is not None
    found = comparison_verdicts(kept, run.trials)
    assert [(each.verdict, each.why) for each in found.metrics] == [("inconclusive", why)]
    assert [trial.outcome for trial in found.failed.get(POOL.id, ())] == failed


def test_the_budget_ends_a_comparison_between_blocks() -> None:
    """What is undecided then is inconclusive."""
    run = comparison_run(POOL, elapsed_s=slower_by(1.08), comparison=new_comparison(POOL, budget_s=5.0))
    kept = read_comparison(run)
    assert kept is not None
    (verdict,) = comparison_verdicts(kept, run.trials).metrics
    assert (verdict.verdict, verdict.why) == ("inconclusive", "the budget was spent")
    assert 8 > verdict.blocks > 2


def test_a_resumed_comparison_continues_where_its_journal_ends() -> None:
    """The first trial of a pair whose second one is missing is dropped, and the pair is run again."""
    whole = comparison_run(POOL, LOOP, elapsed_s=slower_by(1.08))
    of = experiment(POOL, LOOP, comparison=replace(new_comparison(POOL, LOOP), coins=1))
    for end in range(len(whole.trials)):
        kept = whole.trials[:end]
        assert replay(of, kept).kept == whole.trials[: end // 2 * 2]
        assert comparison_run(POOL, LOOP, elapsed_s=slower_by(1.08), kept=kept).trials == whole.trials


def test_a_lone_first_trial_within_a_journal_is_dropped() -> None:
    """A run that was interrupted between the two lines of a pair, and resumed, has one."""
    whole = comparison_run(POOL, LOOP, elapsed_s=slower_by(1.08))
    of = experiment(POOL, LOOP, comparison=replace(new_comparison(POOL, LOOP), coins=1))
    for end in range(1, len(whole.trials), 2):
        journal = (*whole.trials[:end], *whole.trials[end - 1 :])
        assert replay(of, journal).kept == whole.trials


def test_trials_of_another_comparison_are_refused() -> None:
    """Of another seed, for instance: sooner or later its coins differ."""
    of = experiment(POOL, LOOP, seed=2)
    with pytest.raises(UnreadableResultError, match="does not match the schedule"):
        replay(of, comparison_run(POOL, LOOP, elapsed_s=slower_by(1.0)).trials)
    shuffled = comparison_run(POOL, elapsed_s=slower_by(1.0)).trials[::-1]
    with pytest.raises(UnreadableResultError):
        replay(experiment(POOL), shuffled)


def test_a_metric_without_values_is_given_up_after_three_blocks() -> None:
    """The other metrics decide when the comparison ends."""
    run = comparison_run(
        POOL, elapsed_s=slower_by(1.0), comparison=new_comparison(POOL, metrics=("elapsed", "cpu"))
    )
    without = tuple(
        replace(trial, rounds=tuple(replace(round_, probes={}) for round_ in trial.rounds))
        for trial in run.trials
    )
    kept = read_comparison(run)
    assert kept is not None
    found = {each.metric: each for each in comparison_verdicts(kept, without).metrics}
    assert found["elapsed"].verdict == "equivalent"
    assert (found["cpu"].verdict, found["cpu"].why) == ("inconclusive", "it was not measured")


def test_other_margins_judge_every_trial_of_a_comparison() -> None:
    """A case that stopped by its own margins keeps no other from its verdict; an alarm needs no margin."""

    def elapsed_s(of: Case, block: int) -> float:
        return slower_by(1.08 if of.strategy == POOL.strategy else 1.001)(of, block)

    run = comparison_run(POOL, LOOP, elapsed_s=elapsed_s)
    kept = read_comparison(run)
    assert kept is not None
    strict = replace(kept, margins=dict.fromkeys(kept.margins, 0.0001))
    pool, loop = comparison_verdicts(strict, run.trials, kept).metrics
    assert (pool.verdict, pool.blocks) == ("slower", 14)
    assert loop.verdict == "inconclusive"
    assert loop.why == "the case was no longer run: its own comparison had decided it"


def test_disturbed_blocks_are_replaced_by_later_ones() -> None:
    """Every third block is disturbed, and the last look is still reached."""

    def elapsed_s(of: Case, block: int) -> float | Outcome:
        wide = 0.2 * (1 + 0.2 * ((block * 7) % 5 - 2)) if of.variant == CANDIDATE else 0.2
        return "invalid" if block % 3 == 0 else wide

    run = comparison_run(POOL, elapsed_s=elapsed_s)
    kept = read_comparison(run)
    assert kept is not None
    found = comparison_verdicts(kept, run.trials)
    assert found.metrics[0].blocks == 64
    assert found.spoilt == 32
