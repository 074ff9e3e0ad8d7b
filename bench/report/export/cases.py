"""Describe the cases of a run as other benchmarking tools do.

They have a name, parameters, and a time for each block.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.errors import UnreadableResultError, UsageError
from bench.model.cases import Case
from bench.model.open_loop import rate_text
from bench.model.results import Measurement, Run
from bench.model.text import printable
from bench.report.case_label import describe_work
from bench.stats.case_summary import block_sample
from bench.stats.intervals import Interval, median_interval
from bench.stats.retries import is_final


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """A case that succeeded in at least one block.

    Attributes:
        name: its id, printable, without space at its ends, and unique among the entries.
        values_s: a time for each block, in seconds and in the order of the blocks, as in tables:
            ``bench.stats.intervals.block_value``.
        trials: the trials of these values, in the same order.
        failed: number of its trials without a time in the end.
    """

    name: str
    case: Case
    values_s: tuple[float, ...]
    trials: tuple[Measurement, ...]
    failed: int

    @property
    def median(self) -> Interval:
        """The median of the values with its bounds, as in tables."""
        return median_interval(self.values_s)


def entries_of(run: Run) -> tuple[CaseEntry, ...]:
    """Return every case of a run that succeeded in some block, in the order of the config.

    Raises:
        UsageError: there is none.
        UnreadableResultError: the time of a block is no positive number of seconds.
    """
    trials, names = trials_by_case(run), entry_names(run)
    entries = tuple(
        _entry(names[case.id], case, trials[case.id]) for case in run.cases if block_sample(trials[case.id])
    )
    if not entries:
        raise UsageError(
            f"{printable(run.name)} has no successful trial to export", hint="see why with `show`"
        )
    for entry in entries:
        for value_s in entry.values_s:
            # other tools would divide by it, or fail on it
            if not (math.isfinite(value_s) and value_s > 0):
                raise UnreadableResultError(f"run {run.name}: a block of {entry.name} took {value_s} s")
    return entries


def trials_by_case(run: Run) -> Mapping[str, list[Measurement]]:
    """Return the trials of every case of a run, by its id, in the order of the run."""
    trials: dict[str, list[Measurement]] = {case.id: [] for case in run.cases}
    for trial in run.trials:
        trials[trial.case].append(trial)
    return trials


def entry_names(run: Run) -> Mapping[str, str]:
    """Name every case of a run, by its id; number the names of ids that print alike."""
    names: dict[str, str] = {}
    for case in run.cases:
        wanted = printable(case.id).strip()
        name, number = wanted, 1
        while name in names.values():
            number += 1
            name = f"{wanted} ({number})"
        names[case.id] = name
    return names


def parameters(case: Case) -> dict[str, str | int | bool]:
    """Return the parameters of a case under their names in configs."""
    return {
        "strategy": printable(case.strategy),
        "client": printable(case.client),
        "workers": case.workers,
        "keep_alive": case.keep_alive,
        **({"connection_limit": case.connections} if case.connections else {}),
        **({"scheduler": case.scheduler} if case.scheduler else {}),
        "profile": printable(case.profile.name),
        "countries": printable(case.countries.label),
        **({"process": describe_work(case.work)} if case.work.times or case.work.is_one_of_several else {}),
        **({"rate": f"{rate_text(case.rate)}/s"} if case.rate else {}),
        "variant": printable(case.variant),
    }


def failed_trials(trials: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """Return the trials that yielded no time in the end."""
    return tuple(trial for trial in trials if is_final(trial) and trial.outcome != "ok")


def _entry(name: str, case: Case, trials: list[Measurement]) -> CaseEntry:
    sample = block_sample(trials)
    good = {trial.block: trial for trial in trials if trial.outcome == "ok" and trial.rounds}
    return CaseEntry(
        name=name,
        case=case,
        values_s=tuple(sample.values()),
        trials=tuple(good[block] for block in sample),
        failed=len(failed_trials(trials)),
    )
