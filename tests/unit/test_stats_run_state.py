"""The state of a run follows from its trials alone, so that a journal leads to where the run was."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.cases import Stopping
from bench.model.observer import Stop
from bench.model.results import Measurement, Run
from bench.model.trial_outcome import Outcome
from bench.stats.retries import MOST_REPEATS, final_attempts, is_final
from bench.stats.run_state import RunState, StoppingRule, rule_of, stopping_rule, stops_of
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
    """Add trials to a state in the order of their blocks."""
    state = RunState([POOL.id, LOOP.id], rule)
    state.add(*sorted(measured, key=lambda trial: trial.block))
    return state


def invalid(block: int, attempt: int) -> Measurement:
    """Build an attempt that the server disturbed."""
    return replace(failed(POOL, block, "invalid", "the server was late"), attempt=attempt)


def test_a_precise_case_stops_and_a_noisy_one_is_due_to_the_last_block() -> None:
    state = counted([*trials(POOL, [0.02] * 8), *trials(LOOP, NOISY[:8])], RULE)
    assert (state.blocks, state.due) == (8, {LOOP.id: 0})
    for trial in trials(LOOP, NOISY)[8:]:
        assert state.due == {LOOP.id: 0}
        state.add(trial)
    assert state.due == {}
    assert state.stops[POOL.id] == Stop("precise", 8, 0.0)
    assert state.stops[LOOP.id].reason == "blocks"


def test_the_budget_counts_successes_failures_and_retries() -> None:
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
        state = counted(took, stopping_rule(64, Stopping(8, None, budget_s)))
        assert {stop.reason for stop in state.stops.values()} == ({reason} if reason else set())


@pytest.mark.parametrize(
    ("outcome", "attempt", "strikes"),
    [
        ("crash", MOST_REPEATS, 3),
        ("timeout", MOST_REPEATS, 3),
        ("invalid", MOST_REPEATS, 3),
        ("escape", MOST_REPEATS, 1),
        ("error", MOST_REPEATS, 3),
        ("error", 0, None),
    ],
)
def test_a_case_that_keeps_failing_is_given_up(outcome: Outcome, attempt: int, strikes: int | None) -> None:
    """After three crashes, time-outs or trials that failed in the last attempt, too, or one escape."""
    failures = [replace(failed(POOL, block, outcome, ""), attempt=attempt) for block in range(6)]
    state = RunState([POOL.id], stopping_rule(6, None))
    stops = [state.add(trial) for trial in failures]
    if strikes is None:
        assert state.stops == {POOL.id: Stop("blocks", 6, None)}
    else:
        assert state.stops == {POOL.id: Stop("given up", strikes, None)}
        assert [bool(said) for said in stops] == [False] * (strikes - 1) + [True] + [False] * (6 - strikes)


def test_an_invalid_attempt_is_followed_by_another_until_the_last() -> None:
    state = RunState([POOL.id, LOOP.id], RULE)
    for attempt in range(MOST_REPEATS):
        state.add(invalid(0, attempt))
        assert state.due == {POOL.id: attempt + 1, LOOP.id: 0}
    state.add(invalid(0, MOST_REPEATS))
    assert state.due == {LOOP.id: 0}


def test_a_trial_that_is_not_due_is_ignored() -> None:
    """Of the same trial again, of another block, and of an unknown case."""
    state = RunState([POOL.id, LOOP.id], RULE)
    first, second = trials(POOL, [0.02, 0.02])
    state.add(first)
    for stray in (first, second, failed(case("sequential"), 0, "ok", "")):
        assert state.add(stray) == {}
    assert (state.blocks, state.due) == (0, {LOOP.id: 0})


def test_only_the_last_attempt_of_a_trial_counts() -> None:
    """The others do not, even where the run ended before the retry."""
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
def test_the_stops_of_a_run_follow_from_its_journal(
    yielded: list[tuple[Outcome, float]], budget_s: float, data: st.DataObject
) -> None:
    stopping = Stopping(6, 0.05, budget_s)
    state = RunState([POOL.id, LOOP.id], stopping_rule(40, stopping))
    journal: list[Measurement] = []
    for outcome, value in yielded:
        if not state.due:
            break
        case_id = data.draw(st.sampled_from(sorted(state.due)))
        trial = replace(
            failed(POOL, state.blocks, outcome, ""),
            case=case_id,
            attempt=state.due[case_id],
            took_s=value * 40,
        )
        journal.append(replace(trial, rounds=(round_of(value),)) if outcome == "ok" else trial)
        state.add(journal[-1])
    assert stops_of(stored(journal, 40, stopping)) == state.stops


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
def test_the_rule_is_read_from_a_stored_config_unless_it_is_nonsense(
    config: dict[str, object], rule: StoppingRule | None
) -> None:
    assert rule_of(replace(stored([], 1, None), config=config)) == rule
