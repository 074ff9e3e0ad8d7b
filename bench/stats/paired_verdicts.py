"""Verdicts on two variants that were run in the same blocks, each in its own place of their order."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from bench.contest import Contest, Metric
from bench.measurement import Measurement
from bench.stats.attempts import final_attempts
from bench.stats.contest import RULE
from bench.stats.metrics import figure
from bench.stats.sequential import Decision, decide, estimate
from bench.stats.verdicts import MetricVerdict, Verdicts


def paired_verdicts(contest: Contest, trials: Sequence[Measurement]) -> Verdicts:
    """Look at the blocks of a finished run as often as the rule would have while it went on.

    Their number must have been fixed beforehand, as that of ``run`` and ``noise`` is.
    """
    final = final_attempts(trials)
    by_case: dict[str, dict[int, Measurement]] = {}
    for trial in final:
        by_case.setdefault(trial.case, {})[trial.block] = trial
    failed = {
        case: found
        for case in contest.margins
        if (
            found := tuple(
                trial
                for side in _sides(contest, case)
                for trial in by_case.get(side, {}).values()
                if trial.outcome != "ok"
            )
        )
    }
    return Verdicts(
        base=contest.base,
        candidate=contest.candidate,
        metrics=tuple(
            _verdict(contest, case, metric, by_case) for case in contest.margins for metric in contest.metrics
        ),
        failed=failed,
        is_complete=True,
    )


def _sides(contest: Contest, case: str) -> tuple[str, str]:
    return f"{case}@{contest.base}", f"{case}@{contest.candidate}"


def _verdict(
    contest: Contest, case: str, metric: Metric, by_case: Mapping[str, Mapping[int, Measurement]]
) -> MetricVerdict:
    mine, theirs = (by_case.get(side, {}) for side in _sides(contest, case))
    pairs = [
        (base, candidate)
        for block in sorted(mine.keys() & theirs.keys())
        if (base := figure(mine[block], metric)) and (candidate := figure(theirs[block], metric))
    ]
    found = _decided(contest, case, [math.log(candidate) - math.log(base) for base, candidate in pairs])
    blocks = 0 if found is None else found.blocks
    verdict = None if found is None else found.verdict
    return MetricVerdict(
        case=case,
        metric=metric,
        verdict=verdict or "inconclusive",
        ratio=None if found is None else found.ratio,
        blocks=blocks,
        margin=contest.margins[case],
        base=median(base for base, _ in pairs[:blocks]) if blocks else None,
        candidate=median(candidate for _, candidate in pairs[:blocks]) if blocks else None,
        why="" if verdict else "there were too few blocks",
    )


def _decided(contest: Contest, case: str, differences: Sequence[float]) -> Decision | None:
    """Return the first look that decides; else what all blocks come to."""
    rule = replace(RULE, margin=contest.margins[case])
    metrics = len(contest.margins) * len(contest.metrics)
    looks = [decide(differences[:look], metrics, rule) for look in rule.looks if look <= len(differences)]
    decided = next((each for each in looks if each.verdict is not None), None)
    if decided is None and differences:
        return looks[-1] if looks and looks[-1].blocks == len(differences) else estimate(differences)
    return decided
