"""Who is still run: from the trials alone, so that a journal leads where the run was."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.cases import Stopping
from bench.model.results import Measurement, Run
from bench.model.trial_outcome import Outcome
from bench.stats.retries import MOST_REPEATS, final_attempts, is_final
from bench.stats.run_state import RunState, rule_of, stops_of
from bench.stats.stopping_rule import Stop, StoppingRule, stopping_rule
from tests.builders import case, failed, round_of, run_of, trials

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
NOISY = [0.02, 0.03] * 32
RULE = stopping_rule(64, Stopping(8, 0.03, None))


def stored(measured: list[Measurement], blocks: int, stopping: Stopping | None) -> Run:
    """Build a run of both cases with its rule in its config."""
    rule = None
    if stopping is not None:
        rule = {
            "least_blocks": stopping.least_blocks,
            "precision": stopping.precision,
            "budget_s": stopping.budget_s,
        }
    run = run_of({POOL: measured, LOOP: []})
    return replace(run, config={**run.config, "blocks": blocks, "stopping": rule})


def counted(measured: list[Measurement], rule: StoppingRule) -> RunState:
    """Let a tally take trials in the order of their blocks."""
    tally = RunState([POOL.id, LOOP.id], rule)
    for trial in sorted(measured, key=lambda trial: trial.block):
        tally.take(trial)
    return tally


def invalid(block: int, attempt: int) -> Measurement:
    """Build an attempt that the machine spoilt."""
    return replace(failed(POOL, block, "invalid", "the server was late"), attempt=attempt)


def test_a_precise_case_leaves_and_the_other_goes_on() -> None:
    """After eight blocks only the noisy one is due, to the last block."""
    tally = counted([*trials(POOL, [0.02] * 8), *trials(LOOP, NOISY[:8])], RULE)
    assert (tally.blocks, tally.due) == (8, {LOOP.id: 0})
    for trial in trials(LOOP, NOISY)[8:]:
        assert tally.due == {LOOP.id: 0}
        tally.take(trial)
    assert tally.due == {}
    assert tally.stops[POOL.id] == Stop("precise", 8, 0.0)
    assert tally.stops[LOOP.id].reason == "blocks"


def test_the_budget_counts_every_trial_whatever_it_yielded() -> None:
    """Eight blocks of a success, a failure and a repeated trial."""
    took = [
        replace(trial, took_s=1.0)
        for block in range(8)
        for trial in (
            invalid(block, 0),
            replace(trials(POOL, NOISY)[block], attempt=1),
            failed(LOOP, block, "error", ""),
        )
    ]
    for budget_s, reason in ((24.0, "budget"), (24.1, None)):
        tally = counted(took, stopping_rule(64, Stopping(8, None, budget_s)))
        assert {stop.reason for stop in tally.stops.values()} == ({reason} if reason else set())


@pytest.mark.parametrize(
    ("outcome", "strikes"), [("crash", 3), ("timeout", 3), ("invalid", 3), ("escape", 1), ("error", None)]
)
def test_a_case_that_keeps_failing_is_given_up(outcome: Outcome, strikes: int | None) -> None:
    """After three crashes, time-outs or trials that stayed invalid, or one escape."""
    fallen = [replace(failed(POOL, block, outcome, ""), attempt=MOST_REPEATS) for block in range(6)]
    tally = RunState([POOL.id], stopping_rule(6, None))
    stops = [tally.take(trial) for trial in fallen]
    if strikes is None:
        assert tally.stops == {POOL.id: Stop("blocks", 6, None)}
    else:
        assert tally.stops == {POOL.id: Stop("given up", strikes, None)}
        assert [bool(said) for said in stops] == [False] * (strikes - 1) + [True] + [False] * (6 - strikes)


def test_an_invalid_attempt_leaves_its_trial_due() -> None:
    """With the number of the attempt that comes next; the last one settles it."""
    tally = RunState([POOL.id, LOOP.id], RULE)
    for attempt in range(MOST_REPEATS):
        tally.take(invalid(0, attempt))
        assert tally.due == {POOL.id: attempt + 1, LOOP.id: 0}
    tally.take(invalid(0, MOST_REPEATS))
    assert tally.due == {LOOP.id: 0}


def test_what_is_not_due_changes_nothing() -> None:
    """Another block, a stranger, a second measurement of the same trial."""
    tally = RunState([POOL.id, LOOP.id], RULE)
    first, second = trials(POOL, [0.02, 0.02])
    tally.take(first)
    for stray in (first, second, failed(case("sequential"), 0, "ok", "")):
        assert tally.take(stray) == {}
    assert (tally.blocks, tally.due) == (0, {LOOP.id: 0})


def test_the_last_attempt_is_the_one_that_counts() -> None:
    """Of the others nothing is left, even where the run ended before the repetition."""
    attempts = [invalid(0, attempt) for attempt in range(MOST_REPEATS + 1)]
    good = replace(trials(POOL, [0.02])[0], attempt=2)
    assert [is_final(trial) for trial in (*attempts, good)] == [False, False, False, True, True]
    assert final_attempts([attempts[0], attempts[1], good, attempts[0]]) == [good]


measured_blocks = st.lists(
    st.tuples(st.sampled_from(["ok", "error", "crash", "invalid"]), st.floats(0.01, 0.02)),
    min_size=1,
    max_size=60,
)


@given(measured_blocks, st.floats(0.5, 40.0), st.data())
def test_a_journal_leads_to_the_same_decisions(
    yielded: list[tuple[Outcome, float]], budget_s: float, data: st.DataObject
) -> None:
    """What a run decided while it went on is what is read from its trials, at any moment."""
    stopping = Stopping(6, 0.05, budget_s)
    tally = RunState([POOL.id, LOOP.id], stopping_rule(40, stopping))
    journal: list[Measurement] = []
    for outcome, value in yielded:
        if not tally.due:
            break
        case_id = data.draw(st.sampled_from(sorted(tally.due)))
        trial = replace(
            failed(POOL, tally.blocks, outcome, ""),
            case=case_id,
            attempt=tally.due[case_id],
            took_s=value * 40,
        )
        journal.append(replace(trial, rounds=(round_of(value),)) if outcome == "ok" else trial)
        tally.take(journal[-1])
    assert stops_of(stored(journal, 40, stopping)) == tally.stops


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        ({"blocks": 10}, StoppingRule((10,))),
        ({"blocks": 10, "stopping": None}, StoppingRule((10,))),
        (
            {"blocks": 11, "stopping": {"least_blocks": 8, "precision": 0.03, "budget_s": None}},
            StoppingRule((8, 11), 0.03),
        ),
        (
            {"blocks": 11, "stopping": {"least_blocks": 8, "precision": None, "budget_s": 60}},
            StoppingRule((8, 11), None, 60),
        ),
        (
            {"blocks": 10, "stopping": {"least_blocks": 0, "precision": None, "budget_s": 1.0}},
            StoppingRule((10,)),
        ),
        ({"blocks": "ten"}, None),
        ({"blocks": 0}, None),
        ({}, None),
    ],
)
def test_the_rule_is_read_from_a_stored_config(config: dict[str, object], rule: StoppingRule | None) -> None:
    """One that makes no sense is none."""
    assert rule_of(replace(stored([], 1, None), config=config)) == rule
