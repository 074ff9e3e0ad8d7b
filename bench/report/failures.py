"""Which trials yielded no timing, and why: the lines below a table."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from bench.model.results import Leak, Measurement, Outcome
from bench.model.text import plural, printable
from bench.report.number_format import span
from bench.stats.case_summary import Range
from bench.stats.ranking import Ranking

_NAMED_BLOCKS: Final = 5
_NOUNS: Final[Mapping[Outcome, tuple[str, str]]] = {
    "crash": ("crash", "crashes"),
    "timeout": ("time-out", "time-outs"),
    "invalid": ("invalid trial", "invalid trials"),
    "escape": ("escape", "escapes"),
}
"""Of what a case is given up for, one and many."""
_FIGURE: Final = re.compile(r"[+-]?\d[\d.]*(e[+-]?\d+)?")


def failed_words(trials: Sequence[Measurement]) -> str:
    """Say of trials that failed how many there are, and what became of the first."""
    first = trials[0]
    why = f": {printable(first.detail)}" if first.detail else ""
    return (
        f"{plural(len(trials), 'trial')} failed, the first in block {first.block + 1}: {first.outcome}{why}"
    )


def failure_lines(podium: Ranking) -> list[str]:
    """Write one line for each case and outcome other than ``ok``, and one for each case given up."""
    lines = []
    for row in podium.rows:
        lines += [
            f"{row.case.id}: {outcome} in {_where(trials)}{_why(trials)}"
            for outcome, trials in _by_outcome(row.failed)
        ]
        if left_out := podium.skipped.get(row.case.id):
            left_out_words = f"{plural(left_out, 'block')} left out"
            lines.append(f"{row.case.id}: given up after {_strikes(row.failed)}, {left_out_words}")
    return [printable(line) for line in lines]


def disturbances(podium: Ranking) -> list[str]:
    """Write one line for each way in which trials were spoilt, and what became of them."""
    return [
        *_by_reason("run again", [trial for row in podium.rows for trial in row.repeated]),
        *_by_reason("kept", [trial for row in podium.rows for trial in row.disturbed]),
    ]


def _by_reason(fate: str, trials: Sequence[Measurement]) -> Iterator[str]:
    for reason in dict.fromkeys(map(_kind, trials)):
        same = [trial for trial in trials if _kind(trial) == reason]
        yield printable(f"{plural(len(same), 'disturbed trial')} {fate}: {same[0].detail}")


def _kind(trial: Measurement) -> str:
    """Reduce a reason to its words: the figures in it differ from trial to trial."""
    return _FIGURE.sub("", trial.detail)


def _by_outcome(failed: Sequence[Measurement]) -> Iterator[tuple[str, list[Measurement]]]:
    for outcome in dict.fromkeys(trial.outcome for trial in failed):
        yield outcome, [trial for trial in failed if trial.outcome == outcome]


def _strikes(failed: Sequence[Measurement]) -> str:
    """Count what led to a case being given up, each in its word."""
    counted = Counter(trial.outcome for trial in failed if trial.outcome in _NOUNS)
    words = (f"{count:,} {_NOUNS[outcome][count > 1]}" for outcome, count in counted.items())
    return " and ".join(words)


def _where(trials: Sequence[Measurement]) -> str:
    blocks = [str(trial.block + 1) for trial in trials[:_NAMED_BLOCKS]]
    if len(trials) > _NAMED_BLOCKS:
        blocks.append("…")
    return f"{plural(len(trials), 'trial')} (block {', '.join(blocks)})"


def _why(trials: Sequence[Measurement]) -> str:
    reason = next((trial.detail for trial in trials if trial.detail), "")
    return f": {reason}" if reason else ""


_LEAK_NOUNS: Final[Mapping[str, str]] = {
    "threads": "thread",
    "descriptors": "descriptor",
    "processes": "process",
}


def leaks(podium: Ranking) -> list[str]:
    """Write one line for each case of which something was left; its trials count all the same."""
    return [
        printable(
            f"{row.case.id}: leaks in {plural(len(row.leaks), 'trial')}: {', '.join(_amounts(row.leaks))}"
        )
        for row in podium.rows
        if row.leaks
    ]


def _amounts(found: Sequence[Leak]) -> Iterator[str]:
    for many, one in _LEAK_NOUNS.items():
        counts = [count for leak in found if (count := asdict(leak)[many])]
        if counts:
            seen = Range(min(counts), max(counts))
            yield f"{span(seen)} {one if seen.high == 1 else many}"
