"""The block loop of a contest with a fake in place of a duet: coins, repetitions, departures, resuming."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.errors import UnreadableResultError
from bench.model.cases import Case
from bench.model.trial_outcome import Outcome
from bench.runner.schedule import replay_pairs
from bench.stats.block_order import alternation
from bench.stats.verdicts import comparison_verdicts
from bench.storage.comparison import read_comparison
from tests.builders import case
from tests.contests import BASE, CANDIDATE, contest, contested, experiment

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")


def slower_by(factor: float) -> Callable[[Case, int], float]:
    """Let the candidate take so many times as long, with a little noise of the block's own."""

    def elapsed_s(of: Case, block: int) -> float:
        noise = 1 + 0.001 * (hash((block * 7919) % 13) % 5) + 0.0001 * block
        return 0.2 * noise * (factor if of.variant == CANDIDATE else 1)

    return elapsed_s


def test_rounds_alternate_so_that_drift_takes_no_side() -> None:
    """ABBA, and each side as often as the other."""
    assert alternation(5) == (0, 1, 1, 0, 0, 1, 1, 0, 0, 1)
    assert sum(place * (1, -1)[side] for place, side in enumerate(alternation(4))) == 0


def test_a_contest_ends_when_all_is_decided() -> None:
    """Equal sides after the first look, a slower one at the first look that may alarm."""
    assert len({trial.block for trial in contested(POOL, elapsed_s=slower_by(1.0)).trials}) == 8
    run = contested(POOL, elapsed_s=slower_by(1.08))
    kept = read_comparison(run)
    assert kept is not None
    (verdict,) = comparison_verdicts(kept, run.trials).metrics
    assert (verdict.verdict, verdict.blocks) == ("slower", 14)
    assert verdict.ratio is not None
    assert verdict.ratio.estimate == pytest.approx(1.08)


def test_a_decided_case_leaves_and_the_others_go_on() -> None:
    """The equal one after eight blocks."""

    def elapsed_s(of: Case, block: int) -> float:
        return slower_by(1.1 if of.strategy == POOL.strategy else 1.0)(of, block)

    run = contested(POOL, LOOP, elapsed_s=elapsed_s)
    blocks = {
        each.id: {trial.block for trial in run.trials if trial.case.startswith(each.id)}
        for each in (POOL, LOOP)
    }
    assert (len(blocks[POOL.id]), len(blocks[LOOP.id])) == (14, 8)


def test_coins_decide_which_side_goes_first() -> None:
    """Either does about as often, and not in turns; the positions tell."""
    run = contested(POOL, elapsed_s=slower_by(1.0), seed=5)
    firsts = [trial.case.partition("@")[2] for trial in run.trials if trial.position == 0]
    assert set(firsts) == {BASE, CANDIDATE}
    assert [trial.position for trial in run.trials] == [0, 1] * 8


@pytest.mark.parametrize(
    ("outcome", "attempts", "why", "failed"),
    [
        ("invalid", 4, "the machine kept spoiling its blocks", []),
        ("crash", 1, "its trials kept failing", ["crash"] * 3),
    ],
)
def test_only_what_the_machine_spoilt_is_tried_again(
    outcome: Outcome, attempts: int, why: str, failed: list[Outcome]
) -> None:
    """An invalid duet comes again three times, a crash does not; three such blocks end the case."""

    def elapsed_s(of: Case, _: int) -> float | Outcome:
        return outcome if of.variant == CANDIDATE else 0.2

    run = contested(POOL, elapsed_s=elapsed_s)
    assert len(run.trials) == 2 * 3 * attempts
    kept = read_comparison(run)
    assert kept is not None
    found = comparison_verdicts(kept, run.trials)
    assert [(each.verdict, each.why) for each in found.metrics] == [("inconclusive", why)]
    assert [trial.outcome for trial in found.failed.get(POOL.id, ())] == failed


def test_the_budget_ends_a_contest_between_blocks() -> None:
    """And what is undecided then is inconclusive."""
    run = contested(POOL, elapsed_s=slower_by(1.08), terms=contest(POOL, budget_s=5.0))
    kept = read_comparison(run)
    assert kept is not None
    (verdict,) = comparison_verdicts(kept, run.trials).metrics
    assert (verdict.verdict, verdict.why) == ("inconclusive", "the budget was spent")
    assert 8 > verdict.blocks > 2


def test_a_contest_that_was_left_goes_on_as_if_it_had_not_been() -> None:
    """Wherever it was left, in the midst of a duet, too: its first half is then dropped, and run again."""
    whole = contested(POOL, LOOP, elapsed_s=slower_by(1.08))
    of = experiment(POOL, LOOP, terms=replace(contest(POOL, LOOP), coins=1))
    assert of.contest is not None
    for end in range(len(whole.trials)):
        kept = whole.trials[:end]
        counted = replay_pairs(of, of.contest, kept).trials
        assert len(counted) == end // 2 * 2
        resumed = contested(POOL, LOOP, elapsed_s=slower_by(1.08), kept=kept)
        assert replay_pairs(of, of.contest, resumed.trials).trials == whole.trials


def test_trials_of_something_else_are_refused() -> None:
    """Of another seed, for instance: sooner or later its coins differ."""
    of = experiment(POOL, LOOP, seed=2)
    assert of.contest is not None
    with pytest.raises(UnreadableResultError, match="was not due then"):
        replay_pairs(of, of.contest, contested(POOL, LOOP, elapsed_s=slower_by(1.0)).trials)
    shuffled = contested(POOL, elapsed_s=slower_by(1.0)).trials[::-1]
    with pytest.raises(UnreadableResultError):
        replay_pairs(experiment(POOL), contest(POOL), shuffled)


def test_a_metric_that_is_not_measured_is_waited_for_three_blocks() -> None:
    """The others decide when the contest ends."""
    run = contested(POOL, elapsed_s=slower_by(1.0), terms=contest(POOL, metrics=("elapsed", "cpu")))
    without = tuple(
        replace(trial, rounds=tuple(replace(round_, probes={}) for round_ in trial.rounds))
        for trial in run.trials
    )
    kept = read_comparison(run)
    assert kept is not None
    found = {each.metric: each for each in comparison_verdicts(kept, without).metrics}
    assert found["elapsed"].verdict == "equivalent"
    assert (found["cpu"].verdict, found["cpu"].why) == ("inconclusive", "it was not measured")


def test_other_terms_judge_all_that_was_measured() -> None:
    """A case that the contest had let go keeps no other from its verdict, and an alarm needs no margin."""

    def elapsed_s(of: Case, block: int) -> float:
        return slower_by(1.08 if of.strategy == POOL.strategy else 1.001)(of, block)

    run = contested(POOL, LOOP, elapsed_s=elapsed_s)
    kept = read_comparison(run)
    assert kept is not None
    strict = replace(kept, margins=dict.fromkeys(kept.margins, 0.0001))
    pool, loop = comparison_verdicts(strict, run.trials, kept).metrics
    assert (pool.verdict, pool.blocks) == ("slower", 14)
    assert (loop.verdict, loop.why) == ("inconclusive", "the contest had let the case go by its own terms")


def test_blocks_that_are_spoilt_now_and_then_are_made_up_for() -> None:
    """Every third one, and yet the last look comes."""

    def elapsed_s(of: Case, block: int) -> float | Outcome:
        wide = 0.2 * (1 + 0.2 * ((block * 7) % 5 - 2)) if of.variant == CANDIDATE else 0.2
        return "invalid" if block % 3 == 0 else wide

    run = contested(POOL, elapsed_s=elapsed_s)
    kept = read_comparison(run)
    assert kept is not None
    found = comparison_verdicts(kept, run.trials)
    assert found.metrics[0].blocks == 64
    assert found.spoilt == 32
