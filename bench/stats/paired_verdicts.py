"""Verdicts on two variants that were run in the same blocks, each in its own place of their order."""

from collections.abc import Mapping, Sequence

from bench.model.comparison import Contest
from bench.model.results import Measurement
from bench.stats.attempts import final_attempts
from bench.stats.metrics import figure
from bench.stats.verdicts import Verdicts, judged


def paired_verdicts(contest: Contest, trials: Sequence[Measurement]) -> Verdicts:
    """Look at the blocks of a finished run as often as the rule would have while it went on."""
    by_case: dict[str, dict[int, Measurement]] = {}
    for trial in final_attempts(trials):
        by_case.setdefault(trial.case, {})[trial.block] = trial
    failed = {case: _failed(contest, case, by_case) for case in contest.margins}
    return Verdicts(
        base=contest.base,
        candidate=contest.candidate,
        metrics=tuple(
            judged(
                contest,
                (case, metric),
                [(figure(base, metric), figure(candidate, metric)) for base, candidate in shared],
                "there were too few blocks",
            )
            for case in contest.margins
            for shared in [_shared(contest, case, by_case)]
            for metric in contest.metrics
        ),
        failed={case: found for case, found in failed.items() if found},
        is_complete=True,
        spoilt=sum(trial.outcome == "invalid" for each in by_case.values() for trial in each.values()),
    )


def _shared(
    contest: Contest, case: str, by_case: Mapping[str, Mapping[int, Measurement]]
) -> list[tuple[Measurement, Measurement]]:
    """Return both trials of each block in which both succeeded."""
    base, candidate = (by_case.get(side, {}) for side in _sides(contest, case))
    pairs = [(base[block], candidate[block]) for block in sorted(base.keys() & candidate.keys())]
    return [pair for pair in pairs if all(trial.outcome == "ok" for trial in pair)]


def _failed(
    contest: Contest, case: str, by_case: Mapping[str, Mapping[int, Measurement]]
) -> tuple[Measurement, ...]:
    return tuple(
        trial
        for side in _sides(contest, case)
        for trial in by_case.get(side, {}).values()
        if trial.outcome not in {"ok", "invalid"}
    )


def _sides(contest: Contest, case: str) -> tuple[str, str]:
    return f"{case}@{contest.base}", f"{case}@{contest.candidate}"
