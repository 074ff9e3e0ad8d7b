"""Say whether the machines of a cluster that measured a run agree, and what each of them measured."""

from collections.abc import Mapping
from itertools import groupby
from statistics import median

from bench.model.results import Run
from bench.model.text import join_and, plural, printable
from bench.report.case_label import client_label, workers_label
from bench.report.number_format import MISSING, TimeUnit, format_change
from bench.report.table import Column, Row, Section, Table
from bench.stats.machine_effect import Disagreement, MachineEffect, machine_effect, machines_of
from bench.stats.ranking import Ranking


def machine_line(run: Run, ranking: Ranking) -> str | None:
    """Say whether the machines agree about the cases of a profile.

    None for a run on one machine, and for a single case, which has no ratio to another one.
    """
    effect = machine_effect(run, ranking)
    if effect is None:
        return None
    blocks = join_and([f"{label} ({count})" for label, count in effect.blocks.items()])
    if effect.blocks_needed:
        needed = plural(effect.blocks_needed, "block")
        return (
            f"whether the machines agree cannot be told from the blocks of {blocks}; it takes {needed} each"
        )
    few = f"; too few of {join_and(list(effect.untested))} to tell" if effect.untested else ""
    if not effect.disagreements:
        found = "no disagreement of machines was found in the ratios between cases"
        return f"{found}, in the blocks of {blocks}{few}"
    first, *others = effect.disagreements
    more = f", and {len(others)} more like it" if others else ""
    return (
        f"the machines disagree: {_describe(first, effect)}{more}; what is said of all blocks need not hold "
        f"for each machine{few}"
    )


def _describe(found: Disagreement, effect: MachineEffect) -> str:
    """Name a case, the machine on which it differs, and by how much."""
    rest = [label for label in effect.blocks if label != found.machine]
    others = rest[0] if len(rest) == 1 else "the others"
    change = format_change(found.ratio.estimate)
    return (
        f"relative to its block, {printable(found.case)} takes {change} on {found.machine} against {others}"
    )


def machine_table(run: Run, ranking: Ranking, unit: TimeUnit) -> Table | None:
    """Set out the median of each case on each machine; None for a run that was on no cluster."""
    machines = machines_of(run)
    if not machines:
        return None
    labels = sorted({*machines.values()}, key=lambda label: (len(label), label))
    counts = {label: sum(each == label for each in machines.values()) for label in labels}
    return Table(
        title="machines",
        note=f"median in {unit.name}; number of blocks in brackets",
        columns=(
            Column("client", "left"),
            Column("workers"),
            *(Column(f"{label} ({counts[label]})") for label in labels),
        ),
        sections=tuple(
            Section(
                printable(strategy),
                tuple(
                    Row(
                        (
                            client_label(row.case),
                            workers_label(row.case),
                            *(_median(row.sample, machines, label, unit) for label in labels),
                        )
                    )
                    for row in rows
                ),
            )
            for strategy, rows in groupby(ranking.rows, key=lambda row: row.case.strategy)
        ),
        section_heading="strategy",
    )


def _median(sample: Mapping[int, float], machines: Mapping[int, str], label: str, unit: TimeUnit) -> str:
    values = [value for block, value in sample.items() if machines.get(block) == label]
    return unit.format(median(values)) if values else MISSING
