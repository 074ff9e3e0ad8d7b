"""The lines that say why each case stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bench.model.cases import Case
from bench.model.results import Measurement, Run
from bench.report.stop_reasons import percent, stop_lines
from tests.builders import case, failed, run_of, trials

SLOW = case("processpool_map", workers=5)
POOL = case("threadpool_as_completed", workers=20)
LOOP = case("asyncio_gather", "aiohttp", workers=20)


def stopped_run(
    precision: float | None, budget_s: float | None, measured: Mapping[Case, Sequence[Measurement]]
) -> Run:
    """Build a run that stops after 8 to 16 blocks."""
    run = run_of(measured)
    rule = {"least_blocks": 8, "precision": precision, "budget_s": budget_s}
    return replace(run, config={**run.config, "blocks": 16, "stopping": rule})


def test_each_case_of_a_run_says_why_it_stopped() -> None:
    noisy = [0.02, 0.03] * 8
    crashed = [failed(SLOW, block, "crash", "") for block in range(3)]
    run = stopped_run(0.03, None, {LOOP: trials(LOOP, [0.02] * 8), POOL: trials(POOL, noisy), SLOW: crashed})
    assert stop_lines(run) == [
        "Stopping: 8 to 16 blocks; until a median is known to ±3%, looked at after 8, 11, 16.",
        f"{LOOP.id}: precise enough after 8 blocks (±0%)",
        f"{POOL.id}: ended with the last of 16 blocks (±20%)",
        f"{SLOW.id}: given up after 3 blocks",
    ]


def test_a_run_says_whether_its_budget_or_an_interrupt_ended_it() -> None:
    measured = {LOOP: trials(LOOP, [0.02, 0.03] * 5), POOL: trials(POOL, [0.02] * 8)}
    assert stop_lines(stopped_run(0.01, 5.8, measured)) == [
        (
            "Stopping: 8 to 16 blocks; until a median is known to ±1%, looked at after 8, 11, 16; "
            "none begun once 5.8 s of trials are spent."
        ),
        f"{LOOP.id}: ended with the budget, after 9 blocks (±25%)",
        f"{POOL.id}: precise enough after 8 blocks (±0%)",
    ]
    assert stop_lines(stopped_run(None, 60.0, {LOOP: trials(LOOP, [0.02] * 9)})) == [
        "Stopping: 8 to 16 blocks; none begun once 1 min 0 s of trials are spent.",
        f"{LOOP.id}: interrupted",
    ]


def test_a_run_of_fixed_blocks_has_no_lines_about_stopping() -> None:
    assert stop_lines(run_of({LOOP: trials(LOOP, [0.02] * 10)})) == []


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.0, "0%"), (0.0004, "0.04%"), (0.0213, "2.1%"), (0.099, "9.9%"), (0.254, "25%"), (3.0, "300%")],
)
def test_a_precision_has_at_most_two_digits(part: float, text: str) -> None:
    assert percent(part) == text
