"""Describe the expected duration of a run, case by case and in all, and compare it with the actual one."""

import math
from collections.abc import Iterable, Iterator, Sequence

from bench.model.cases import Experiment
from bench.model.lower_bound import CaseForecast
from bench.model.results import Measurement
from bench.model.text import plural, printable
from bench.report.number_format import format_duration
from bench.report.table import Column, Row, Section, Table
from bench.stats.retries import disturbed_s, final_attempts


def forecast_table(forecasts: Iterable[CaseForecast], experiment: Experiment) -> Table:
    """Build a table of each case with its ideal and its expected duration."""
    blocks = {"expected": experiment.blocks}
    if experiment.stopping is not None:
        blocks = {"at least": experiment.least_blocks, "at most": experiment.blocks}
    rows = (
        Row(
            (
                printable(each.case.id),
                f"{each.case.countries.count:,}",
                format_duration(each.ideal_s),
                *(format_duration(each.total_s(count)) for count in blocks.values()),
            )
        )
        for each in forecasts
    )
    return Table(
        columns=(Column("case", "left", wraps=True), *map(Column, ("fetches", "ideal", *blocks))),
        sections=(Section("", tuple(rows)),),
    )


def expected_duration_line(forecasts: Sequence[CaseForecast], experiment: Experiment) -> str:
    """Write how many cases and blocks there are, and how long they take."""
    return f"{printable(experiment.name)}: {_describe_work(forecasts, experiment)} in all"


def target_table(experiment: Experiment) -> Table:
    """Build a table of each case of a target: how long it takes is not known beforehand."""
    rows = (Row((printable(each.id), f"{each.countries.count:,}")) for each in experiment.cases)
    columns = (Column("case", "left", wraps=True), Column("fetches"))
    return Table(columns=columns, sections=(Section("", tuple(rows)),))


def target_work_line(experiment: Experiment) -> str:
    """Write how many cases and blocks there are, and that no one knows how long a target takes."""
    count = experiment.blocks
    blocks = plural(count, "block") if experiment.stopping is None else f"up to {plural(count, 'block')}"
    url = experiment.target.url if experiment.target else ""
    return (
        f"{printable(experiment.name)}: {plural(len(experiment.cases), 'case')} in {blocks}; how long "
        f"{printable(url)} takes is not known"
    )


def time_limit_warnings(forecasts: Sequence[CaseForecast], experiment: Experiment) -> Iterator[str]:
    """Write a line for each case that may miss its deadline or has a guess only, and for a small budget."""
    for forecast in forecasts:
        if forecast.guess is not None:
            yield f"the duration of {forecast.case.id} is a guess: {forecast.guess}"
        if forecast.may_miss_deadline:
            limit = format_duration(experiment.deadline_s)
            yield f"a trial of {forecast.case.id} may take longer than its deadline of {limit}"
    if experiment.stopping is None or experiment.stopping.budget_s is None:
        return
    least, budget_s = experiment.least_blocks, experiment.stopping.budget_s
    least_s = _total_s(forecasts, least)
    if least_s > budget_s:
        budget, longest = format_duration(budget_s), format_duration(least_s)
        yield f"the budget is {budget}; the least of {plural(least, 'block')} may take {longest}"


def actual_duration_line(
    forecasts: Sequence[CaseForecast], measured: Sequence[Measurement], took_s: float
) -> str:
    """Compare the duration of a run with the expected one of its blocks, without disturbed trials."""
    expected_s, lost_s = _expected_s(forecasts, measured), disturbed_s(measured)
    disturbed = plural(len(measured) - len(final_attempts(measured)), "disturbed trial")
    lost = f" ({format_duration(lost_s)} of it for {disturbed})" if lost_s else ""
    difference = f"{(took_s - lost_s) / expected_s - 1:+.0%}"
    return (
        f"took {format_duration(took_s)}{lost}, {format_duration(expected_s)} were expected for these blocks "
        f"({difference})"
    )


def _expected_s(forecasts: Iterable[CaseForecast], measured: Iterable[Measurement]) -> float:
    """Add up the expected seconds of measured trials, each counted once however often it was repeated."""
    trials_s = {each.case.id: each.trials_s for each in forecasts}
    return math.fsum(
        trials_s[case][block] for case, block in {(trial.case, trial.block) for trial in measured}
    )


def _describe_work(forecasts: Sequence[CaseForecast], experiment: Experiment) -> str:
    """Count cases and blocks, and add up their time: a range if a stopping rule decides."""
    cases, most = plural(len(forecasts), "case"), experiment.blocks
    longest_s, least = _total_s(forecasts, most), experiment.least_blocks
    if experiment.stopping is None or least == most:
        return f"{cases} in {plural(most, 'block')}, about {format_duration(longest_s)}"
    shortest_s = _total_s(forecasts, least)
    if (budget_s := experiment.stopping.budget_s) is not None:
        last_block_s = longest_s / most
        longest_s = min(longest_s, max(shortest_s, budget_s + last_block_s))
    span = f"{format_duration(shortest_s)} to {format_duration(longest_s)}"
    return f"{cases} in {least} to {most} blocks, about {span}"


def _total_s(forecasts: Iterable[CaseForecast], blocks: int) -> float:
    return math.fsum(each.total_s(blocks) for each in forecasts)
