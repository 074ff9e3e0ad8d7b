"""Median elapsed times set out by strategy and client, and by workers."""

from rich import box
from rich.table import Table

from bench.report.columns import client_of, unit_of
from bench.report.figures import NOTHING
from bench.stats.standing import Podium


def matrix(podium: Podium) -> Table | None:
    """Lay the medians out; ``None`` where no strategy was run with several numbers of workers."""
    unit = unit_of(podium)
    cells: dict[tuple[str, str], dict[int, str]] = {}
    for row in podium.rows:
        medians = cells.setdefault((row.case.strategy, client_of(row)), {})
        medians[row.case.workers] = unit.figure(row.elapsed.estimate) if row.elapsed else NOTHING
    if all(len(medians) == 1 for medians in cells.values()):
        return None
    workers = sorted({row.case.workers for row in podium.rows})
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"median {unit.name}", no_wrap=True)
    table.add_column("workers:", no_wrap=True)
    for count in workers:
        table.add_column(str(count), justify="right", no_wrap=True)
    for (strategy, client), medians in cells.items():
        table.add_row(strategy, client, *(medians.get(count, "") for count in workers))
    return table
