"""Finding the cases that discarded trials left with too few blocks, and the exit code of such a run."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.app.execute import exit_code_of
from bench.errors import ExitCode
from bench.model.results import Measurement, Run
from bench.model.trial_outcome import Outcome
from bench.stats.missing_blocks import cases_with_too_few_blocks
from bench.stats.retries import MOST_REPEATS
from tests.builders import case, failed, run_of, trials

POOL, LOOP = case("threadpool_map"), case("asyncio_gather")


def run_with(outcomes: Sequence[Outcome], blocks: int) -> Run:
    """Build a run of one good case, and one whose blocks end like this."""
    measured: list[Measurement] = []
    for block, outcome in enumerate(outcomes):
        if outcome == "ok":
            measured.append(trials(LOOP, [0.03] * (block + 1))[-1])
        else:
            ended = failed(LOOP, block, outcome, "the clock jumped by +2 s")
            measured.append(replace(ended, attempt=MOST_REPEATS if outcome == "invalid" else 0))
    run = run_of({POOL: trials(POOL, [0.02] * blocks), LOOP: measured})
    return replace(run, config={**run.config, "blocks": blocks, "stopping": None})


@pytest.mark.parametrize(
    ("outcomes", "blocks", "is_short", "code"),
    [
        (["ok"] * 6, 6, False, ExitCode.OK),
        (["ok"] * 6 + ["invalid"] * 2, 8, False, ExitCode.OK),
        (["ok"] * 5 + ["invalid"], 6, True, ExitCode.INCONCLUSIVE),
        (["ok", "invalid", "invalid", "invalid"], 10, True, ExitCode.INCONCLUSIVE),  # given up
        (["ok", "ok", "invalid"], 3, False, ExitCode.OK),  # no interval was asked for
        (["invalid"], 1, True, ExitCode.INCONCLUSIVE),
        (["ok"], 1, False, ExitCode.OK),
        (["invalid", "crash"], 2, True, ExitCode.FAILED_TRIALS),
        (["ok"] * 5 + ["error"], 6, False, ExitCode.FAILED_TRIALS),
    ],
)
def test_only_discarded_trials_make_a_run_inconclusive_and_only_failures_make_it_fail(
    outcomes: list[Outcome],
    blocks: int,
    is_short: bool,  # noqa: FBT001  table
    code: ExitCode,
) -> None:
    run = run_with(outcomes, blocks)
    assert cases_with_too_few_blocks(run) == ({LOOP.id} if is_short else frozenset())
    assert exit_code_of(run) == code
