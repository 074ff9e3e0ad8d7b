"""Describe failed, disturbed and leaking trials, a line each, for the remarks below a table."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from bench.model.results import Leak, Measurement
from bench.model.text import count_names, plural, printable
from bench.model.trial_outcome import Outcome
from bench.report.number_format import format_range
from bench.stats.case_summary import Range
from bench.stats.ranking import Ranking

_NAMED_BLOCKS: Final = 5
_GIVE_UP_NOUNS: Final[Mapping[Outcome, tuple[str, str]]] = {
    "crash": ("crash", "crashes"),
    "timeout": ("time-out", "time-outs"),
    "invalid": ("invalid trial", "invalid trials"),
    "escape": ("escape", "escapes"),
}
"""Of the outcomes for which a case is given up, one and many."""
_LEAK_NOUNS: Final[Mapping[str, str]] = {
    "threads": "thread",
    "descriptors": "descriptor",
    "processes": "process",
}
_FIGURE: Final = re.compile(r"[+-]?\d[\d.]*(e[+-]?\d+)?")


def describe_failed_trials(trials: Sequence[Measurement]) -> str:
    """Count failed trials, and write the outcome of the first."""
    first = trials[0]
    why = f": {printable(first.detail)}" if first.detail else ""
    return (
        f"{plural(len(trials), 'trial')} failed, the first in block {first.block + 1}: {first.outcome}{why}"
    )


def describe_failed_pairs(trials: Sequence[Measurement]) -> str:
    """Count the failed trials of one case in a comparison, and name the variant of the first."""
    return f"{describe_failed_trials(trials)} (by {printable(trials[0].case.rpartition('@')[2])})"


def failure_lines(ranking: Ranking) -> Iterator[str]:
    """Write a line for each outcome of the failed trials of a case.

    A case that was given up has a line more.
    """
    for row in ranking.rows:
        for outcome in dict.fromkeys(trial.outcome for trial in row.failed):
            trials = [trial for trial in row.failed if trial.outcome == outcome]
            reason = next((f": {trial.detail}" for trial in trials if trial.detail), "")
            yield printable(f"{row.case.id}: {outcome} in {_blocks_of(trials)}{reason}")
        if left_out := ranking.skipped.get(row.case.id):
            causes = _count_causes(row.failed)
            yield printable(f"{row.case.id}: given up after {causes}, {plural(left_out, 'block')} left out")


def disturbance_lines(ranking: Ranking) -> Iterator[str]:
    """Write a line for each kind of disturbance, with the number of trials repeated or kept."""
    yield from _count_reasons("repeated", [trial for row in ranking.rows for trial in row.repeated])
    yield from _count_reasons(
        "kept although disturbed", [trial for row in ranking.rows for trial in row.disturbed]
    )


def count_failed(ranking: Ranking) -> str | None:
    """Count the trials that failed because of their strategy, and say how the first one ended."""
    failed = [trial for row in ranking.rows for trial in row.failures]
    if not failed:
        return None
    cases = sum(bool(row.failures) for row in ranking.rows)
    first = failed[0]
    why = f" ({first.detail})" if first.detail else ""
    return printable(
        f"{plural(len(failed), 'trial')} of {plural(cases, 'case')} failed, first {first.case}, "
        f"block {first.block + 1}: {first.outcome}{why}"
    )


def count_disturbed(ranking: Ranking) -> str | None:
    """Count the trials that were discarded and repeated, or kept, and quote the commonest reason."""
    discarded = [trial for row in ranking.rows for trial in (*row.repeated, *row.discarded)]
    kept = [trial for row in ranking.rows for trial in row.disturbed]
    trials = discarded + kept
    if not trials:
        return None
    counted = [f"{plural(len(discarded), 'trial')} discarded"] if discarded else []
    counted += [f"{plural(len(kept), 'disturbed trial')} kept"] if kept else []
    ((words, _),) = Counter(map(_reason_words, trials)).most_common(1)
    example = next(trial.detail for trial in trials if _reason_words(trial) == words)
    return printable(f"{' and '.join(counted)}, mostly like this: {example}")


def missing_blocks_line(ranking: Ranking) -> str | None:
    """Name the cases that discarded trials left with too few blocks for an interval."""
    if not ranking.too_few:
        return None
    names = [row.case.id for row in ranking.rows if row.case.id in ranking.too_few]
    found = count_names(names, "case has too few blocks", "cases have too few blocks")
    return printable(f"{found}, as trials were discarded; run again, or use more --blocks")


def leak_lines(ranking: Ranking) -> Iterator[str]:
    """Write a line for each case whose trials left something behind; they count all the same."""
    for row in ranking.rows:
        if row.leaks:
            trials, amounts = plural(len(row.leaks), "trial"), ", ".join(_leak_amounts(row.leaks))
            yield printable(f"{row.case.id}: leaks in {trials}: {amounts}")


def _blocks_of(trials: Sequence[Measurement]) -> str:
    blocks = [str(trial.block + 1) for trial in trials[:_NAMED_BLOCKS]]
    if len(trials) > _NAMED_BLOCKS:
        blocks.append("…")
    return f"{plural(len(trials), 'trial')} (block {', '.join(blocks)})"


def _count_causes(failed: Sequence[Measurement]) -> str:
    """Count the outcomes that led to a case being given up."""
    counted = Counter(trial.outcome for trial in failed if trial.outcome in _GIVE_UP_NOUNS)
    return " and ".join(
        f"{count:,} {_GIVE_UP_NOUNS[outcome][count > 1]}" for outcome, count in counted.items()
    )


def _count_reasons(action: str, trials: Sequence[Measurement]) -> Iterator[str]:
    for reason in dict.fromkeys(map(_reason_words, trials)):
        same = [trial for trial in trials if _reason_words(trial) == reason]
        yield printable(f"{plural(len(same), 'trial')} {action}: {same[0].detail}")


def _reason_words(trial: Measurement) -> str:
    """Return a reason without its figures: they differ from trial to trial."""
    return _FIGURE.sub("", trial.detail)


def _leak_amounts(leaks: Sequence[Leak]) -> Iterator[str]:
    for many, one in _LEAK_NOUNS.items():
        counts = [count for leak in leaks if (count := asdict(leak)[many])]
        if counts:
            seen = Range(min(counts), max(counts))
            yield f"{format_range(seen)} {one if seen.high == 1 else many}"
