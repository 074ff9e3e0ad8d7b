"""What can be foreseen of a run, and what became of it: its cases, their ideals, and the time."""

import math
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from bench.model.cases import Experiment
from bench.model.lower_bound import CaseForecast
from bench.model.results import Measurement
from bench.model.text import plural, printable
from bench.report.number_format import duration
from bench.stats.retries import disturbed_s, final_attempts


def print_forecast(outlooks: Sequence[CaseForecast], experiment: Experiment, console: Console) -> None:
    """Print one line per case and the sum below."""
    spans = {"expected": experiment.blocks}
    if experiment.stopping is not None:
        spans = {"at least": _least(experiment), "at most": experiment.blocks}
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("case", overflow="fold")
    for heading in ("fetches", "ideal", *spans):
        table.add_column(heading, justify="right", no_wrap=True)
    for outlook in outlooks:
        case = outlook.case
        fetches = f"{len(case.countries.fetches):,}"
        times = [duration(outlook.total_s(blocks)) for blocks in spans.values()]
        table.add_row(printable(case.id), fetches, duration(outlook.ideal_s), *times)
    console.print(table)
    print_expected_duration(outlooks, experiment, console)


def print_expected_duration(
    outlooks: Sequence[CaseForecast], experiment: Experiment, console: Console
) -> None:
    """Print how much there is to do, and what may not be done in time."""
    console.print(f"{experiment.name}: {_work(outlooks, experiment)} in all", soft_wrap=True)
    for warning in _warnings(outlooks, experiment):
        console.print(f"warning: {warning}", soft_wrap=True)


def print_actual_duration(
    outlooks: Sequence[CaseForecast], measured: Sequence[Measurement], took_s: float, console: Console
) -> None:
    """Print what a run took beside what its blocks could be expected to take.

    Nobody expects trials to be spoilt: what went into those is told apart.
    """
    expected_s, lost_s = expected_for(outlooks, measured), disturbed_s(measured)
    spoilt = plural(len(measured) - len(final_attempts(measured)), "spoilt trial")
    lost = f" ({duration(lost_s)} of it for {spoilt})" if lost_s else ""
    off = f"{(took_s - lost_s) / expected_s - 1:+.0%}"
    console.print(
        f"took {duration(took_s)}{lost}, {duration(expected_s)} were expected for these blocks ({off})",
        soft_wrap=True,
    )


def expected_for(outlooks: Sequence[CaseForecast], measured: Iterable[Measurement]) -> float:
    """Add up what was expected of the trials that were run, in seconds; repetitions were not expected."""
    trials_s = {outlook.case.id: outlook.trials_s for outlook in outlooks}
    return math.fsum(
        trials_s[case][block] for case, block in {(trial.case, trial.block) for trial in measured}
    )


def _work(outlooks: Sequence[CaseForecast], experiment: Experiment) -> str:
    """Say how many cases, how many blocks, and how long; a range where what is measured decides."""
    cases, most = plural(len(outlooks), "case"), experiment.blocks
    longest_s, least = _total_s(outlooks, most), _least(experiment)
    if experiment.stopping is None or least == most:
        return f"{cases} in {plural(most, 'block')}, about {duration(longest_s)}"
    shortest_s = _total_s(outlooks, least)
    if (budget_s := experiment.stopping.budget_s) is not None:
        last_block_s = longest_s / most
        longest_s = min(longest_s, max(shortest_s, budget_s + last_block_s))
    return f"{cases} in {least} to {most} blocks, about {duration(shortest_s)} to {duration(longest_s)}"


def _warnings(outlooks: Sequence[CaseForecast], experiment: Experiment) -> Iterable[str]:
    for outlook in outlooks:
        if outlook.may_miss_deadline:
            limit = duration(experiment.deadline_s)
            yield f"a trial of {outlook.case.id} may take longer than its deadline of {limit}"
    if experiment.stopping is None or experiment.stopping.budget_s is None:
        return
    least, budget_s = _least(experiment), experiment.stopping.budget_s
    least_s = _total_s(outlooks, least)
    if least_s > budget_s:
        blocks = plural(least, "block")
        yield f"the budget is {duration(budget_s)}; the least of {blocks} may take {duration(least_s)}"


def _least(experiment: Experiment) -> int:
    stopping = experiment.stopping
    return experiment.blocks if stopping is None else min(stopping.least_blocks, experiment.blocks)


def _total_s(outlooks: Sequence[CaseForecast], blocks: int) -> float:
    return math.fsum(outlook.total_s(blocks) for outlook in outlooks)
