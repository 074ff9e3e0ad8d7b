"""What can be foreseen of a run: its cases, the ideal of each, and how long all of it will take."""

import math
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from bench.ideal import Outlook
from bench.model import Experiment
from bench.report.figures import duration, plural


def total_s(outlooks: Sequence[Outlook]) -> float:
    """Add up what all cases can be expected to take, in seconds."""
    return math.fsum(outlook.total_s for outlook in outlooks)


def print_outlook(outlooks: Sequence[Outlook], experiment: Experiment, console: Console) -> None:
    """Print one line per case and the sum below."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("case", overflow="fold")
    for heading in ("fetches", "ideal", "expected"):
        table.add_column(heading, justify="right", no_wrap=True)
    for outlook in outlooks:
        case = outlook.case
        fetches = f"{len(case.countries.fetches):,}"
        table.add_row(case.id, fetches, duration(outlook.ideal_s), duration(outlook.total_s))
    console.print(table)
    print_total(outlooks, experiment, console)


def print_total(outlooks: Sequence[Outlook], experiment: Experiment, console: Console) -> None:
    """Print how much there is to do, and what may not be done in time."""
    cases, blocks = plural(len(outlooks), "case"), plural(experiment.blocks, "block")
    total = duration(total_s(outlooks))
    console.print(f"{experiment.name}: {cases} in {blocks}, about {total} in all", soft_wrap=True)
    for outlook in outlooks:
        if outlook.may_miss_deadline:
            limit = duration(experiment.deadline_s)
            what = f"a trial of {outlook.case.id} may take longer than its deadline of {limit}"
            console.print(f"warning: {what}", soft_wrap=True)
