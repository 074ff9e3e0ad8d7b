"""The pilot of a comparison: tries every case once.

Its times make the rounds long enough to be timed well.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bench.model.cases import Experiment
from bench.runner.context import run_context
from bench.runner.paired_trial import DEFAULT_ROUNDS
from bench.runner.time_estimate import handling_s
from bench.runner.trial import measure_entry
from bench.stats.schedule import ScheduledTrial, ScheduleEntry, variants_of
from bench.system.cpu_affinity import Pinning

_PILOT_ROUNDS: Final = 2
_LONG_ENOUGH_S: Final = 0.1
"""Seconds that a timed round should take: the noise of short ones hides differences."""
_UNCERTAINTY: Final = 2.0
_PILOT_BLOCK: Final = 1_000_000
"""A block that no comparison has, so that its planned delays are no comparison's."""


@dataclass(frozen=True, slots=True)
class Pilot:
    """The results of a pilot.

    Attributes:
        calls: by case, the calls of ``download_many`` that a round needs to be timed well.
        trials_s: by case, seconds that a trial may take, with as much again for a slower block.
        block_s: seconds that a block of such rounds will take, roughly.
    """

    calls: Mapping[str, int]
    trials_s: Mapping[str, float]
    block_s: float


def run_pilot(
    experiment: Experiment,
    pinning: Pinning,
    flags: Mapping[str, bytes],
    progress: Callable[[str], None] = lambda _line: None,
) -> Pilot:
    """Run both variants of every case once, and compute how many calls its rounds need.

    Disturbed trials are good enough to tell how long a round is. A variant that fails here will fail in the
    comparison, too, and is reported there.

    Raises:
        SetupError: a process cannot be started.
    """
    chosen: dict[str, int] = {}
    trials_s: dict[str, float] = {}
    block_s = 0.0
    with run_context(replace(experiment, rounds=_PILOT_ROUNDS), pinning, flags) as context:
        pairs = variants_of(experiment.cases)
        for place, (name, cases) in enumerate(pairs.items()):
            progress(f"pilot {place + 1} of {len(pairs)}: {name}")
            pair = tuple(
                ScheduledTrial(case, _PILOT_BLOCK, position) for position, case in enumerate(cases, 2 * place)
            )
            trials = measure_entry(context, ScheduleEntry(name, pair))
            elapsed_s = [round_.elapsed_s for trial in trials for round_ in trial.rounds]
            quickest_s = min(elapsed_s, default=_LONG_ENOUGH_S)
            chosen[name] = calls = max(1, math.ceil(_LONG_ENOUGH_S / quickest_s))
            more = (experiment.rounds or DEFAULT_ROUNDS) * calls - _PILOT_ROUNDS
            handled_s = handling_s(cases[0].countries.count)
            longest_s = max(trial.took_s for trial in trials)
            block_s += longest_s + len(trials) * more * (quickest_s + handled_s)
            # the workers of a pair take turns, so the pilot of both took twice as long as one
            slowest_s = max(elapsed_s, default=_LONG_ENOUGH_S)
            trials_s[name] = _UNCERTAINTY * (longest_s / 2 + more * (slowest_s + handled_s))
    return Pilot(chosen, trials_s, block_s)
