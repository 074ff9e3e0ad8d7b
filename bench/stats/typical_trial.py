"""Choose a typical trial of each case, of which the spans can be shown."""

from collections.abc import Mapping

from bench.model.results import Measurement, Run
from bench.stats.case_summary import block_sample
from bench.stats.intervals import median_interval


def typical_trials(run: Run) -> Mapping[str, Measurement]:
    """Return, by case, the trial with spans whose time is nearest to the case's median; leave out the others.

    Only the trials of some blocks have spans (``bench.model.round_spans``).
    """
    chosen: dict[str, Measurement] = {}
    for case in run.cases:
        trials = [trial for trial in run.trials if trial.case == case.id and trial.outcome == "ok"]
        sample = block_sample(trials)
        with_spans = [trial for trial in trials if trial.spans and trial.block in sample]
        if with_spans:
            median_s = median_interval(list(sample.values())).estimate
            chosen[case.id] = min(with_spans, key=lambda trial: abs(sample[trial.block] - median_s))
    return chosen
