"""Which trials yielded no timing, and why: the lines below a table."""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.model import Measurement
from bench.report.figures import plural
from bench.stats.standing import Standing

_NAMED_BLOCKS: Final = 5


def failures(rows: Sequence[Standing]) -> list[str]:
    """Write one line for each case and outcome other than ``ok``."""
    return [
        f"{row.case.id}: {outcome} in {_where(trials)}{_why(trials)}"
        for row in rows
        for outcome, trials in _by_outcome(row.failed)
    ]


def _by_outcome(failed: Sequence[Measurement]) -> Iterator[tuple[str, list[Measurement]]]:
    for outcome in dict.fromkeys(trial.outcome for trial in failed):
        yield outcome, [trial for trial in failed if trial.outcome == outcome]


def _where(trials: Sequence[Measurement]) -> str:
    blocks = [str(trial.block + 1) for trial in trials[:_NAMED_BLOCKS]]
    if len(trials) > _NAMED_BLOCKS:
        blocks.append("…")
    return f"{plural(len(trials), 'trial')} (block {', '.join(blocks)})"


def _why(trials: Sequence[Measurement]) -> str:
    reason = next((trial.detail for trial in trials if trial.detail), "")
    return f": {reason}" if reason else ""
