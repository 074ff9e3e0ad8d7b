"""Which trial comes next: the orders of the blocks, and the cases that are still run."""

from collections.abc import Iterator, Sequence

from bench.errors import UnreadableResultError
from bench.model.cases import Case, Experiment
from bench.model.results import Measurement
from bench.runner.site import Turn
from bench.stats.block_order import block_order
from bench.stats.stopping import rule_for
from bench.stats.tally import Tally


def tally_for(experiment: Experiment) -> Tally:
    """Return the tally of an experiment before its first trial."""
    return Tally((case.id for case in experiment.cases), rule_for(experiment.blocks, experiment.stopping))


def turns(experiment: Experiment, tally: Tally) -> Iterator[tuple[Case, Turn]]:
    """Yield each trial when its turn has come, beginning where the tally stands.

    The tally must have taken what a trial yielded before the next is asked for: a trial whose attempt is
    repeated comes again at once.
    """
    cases = {case.id: case for case in experiment.cases}
    while tally.due:
        block = tally.blocks
        for position, case_id in enumerate(block_order(cases, experiment.seed, block)):
            while tally.blocks == block and case_id in tally.due:
                yield cases[case_id], Turn(block, position, tally.due[case_id])


def replay(experiment: Experiment, trials: Sequence[Measurement]) -> Tally:
    """Return the tally of an experiment after these trials.

    Raises:
        UnreadableResultError: one of them was not due when it came.
    """
    tally = tally_for(experiment)
    coming = turns(experiment, tally)
    for number, trial in enumerate(trials):
        case, turn = next(coming, (None, None))
        if case is None or (case.id, turn) != (trial.case, Turn(trial.block, trial.position, trial.attempt)):
            raise UnreadableResultError(
                f"trial {number} of the journal is {trial.case} in block {trial.block}, and was not due then",
                hint="it is of another config, or of another flagbench",
            )
        tally.take(trial)
    return tally
