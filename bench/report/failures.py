"""Which trials yielded no timing, and why: the lines below a table."""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.measurement import Measurement
from bench.report.figures import plural, printable
from bench.stats.podium import Podium

_NAMED_BLOCKS: Final = 5


def failures(podium: Podium) -> list[str]:
    """Write one line for each case and outcome other than ``ok``, and one for each case given up."""
    lines = []
    for row in podium.rows:
        lines += [
            f"{row.case.id}: {outcome} in {_where(trials)}{_why(trials)}"
            for outcome, trials in _by_outcome(row.failed)
        ]
        if left_out := podium.skipped.get(row.case.id):
            lines.append(f"{row.case.id}: given up, {plural(left_out, 'block')} left out")
    return [printable(line) for line in lines]


def repetitions(podium: Podium) -> list[str]:
    """Write one line for each reason for which trials were invalid and run again."""
    repeated = [trial for row in podium.rows for trial in row.repeated]
    reasons = dict.fromkeys(_kind(trial) for trial in repeated)
    return [
        f"{plural(len(same), 'trial')} run again: {printable(same[0].detail)}"
        for reason in reasons
        if (same := [trial for trial in repeated if _kind(trial) == reason])
    ]


def _kind(trial: Measurement) -> str:
    """Reduce a reason to its words: the figures in it differ from trial to trial."""
    return "".join(sign for sign in trial.detail if not sign.isdigit())


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
