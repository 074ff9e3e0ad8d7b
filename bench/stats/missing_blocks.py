"""Find the cases of a run that have too few blocks because trials were discarded."""

from bench.model.results import Run
from bench.stats.case_summary import block_sample
from bench.stats.intervals import median_interval
from bench.stats.retries import final_attempts
from bench.stats.run_state import rule_of, stops_of


def cases_with_too_few_blocks(run: Run) -> frozenset[str]:
    """Return the ids of cases that discarded trials left without a timing, or without an interval.

    A run that was not to have enough blocks for an interval has none either, and lacks nothing by it.
    """
    return frozenset(case.id for case in run.cases if _lacks_blocks(run, case.id))


def _lacks_blocks(run: Run, case_id: str) -> bool:
    final = final_attempts([trial for trial in run.trials if trial.case == case_id])
    if all(trial.outcome != "invalid" for trial in final):
        return False
    values = list(block_sample(final).values())
    return not values or (
        not _has_interval(len(values)) and _has_interval(_planned_blocks(run, case_id, len(final)))
    )


def _planned_blocks(run: Run, case_id: str, tried: int) -> int:
    """Return the blocks that a case would have had; one that was given up was to have all."""
    rule, stop = rule_of(run), stops_of(run).get(case_id)
    return rule.looks[-1] if rule is not None and stop is not None and stop.reason == "given up" else tried


def _has_interval(blocks: int) -> bool:
    return blocks > 0 and median_interval([1.0] * blocks).low is not None
