"""Choose a typical trial of each case, of which the spans can be shown."""

from collections.abc import Iterable, Mapping
from statistics import median

from bench.model.results import Measurement, Run
from bench.stats.case_summary import block_sample


def typical_trials(run: Run) -> Mapping[str, Measurement]:
    """Return the typical trial of each case by its id, without the cases that have none."""
    chosen = {
        case.id: choose_typical(trial for trial in run.trials if trial.case == case.id) for case in run.cases
    }
    return {case: trial for case, trial in chosen.items() if trial is not None}


def choose_typical(trials: Iterable[Measurement]) -> Measurement | None:
    """Return the trial of a case with spans whose time is nearest to the median of all; None if none has any.

    Only the trials of some blocks have spans (``bench.model.round_spans``).
    """
    good = [trial for trial in trials if trial.outcome == "ok" and trial.rounds]
    sample = block_sample(good)
    with_spans = [trial for trial in good if trial.spans]
    if not with_spans:
        return None
    middle_s = median(sample.values())
    return min(with_spans, key=lambda trial: abs(sample[trial.block] - middle_s))
