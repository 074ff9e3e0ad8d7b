"""Median elapsed times set out by strategy and client, and by workers."""

from dataclasses import dataclass

from bench.report.columns import client_of, unit_of
from bench.report.figures import NOTHING, printable
from bench.stats.podium import Podium


@dataclass(frozen=True, slots=True)
class Matrix:
    """Medians as text.

    Attributes:
        heading: what the cells are.
        workers: the numbers of workers, ascending.
        rows: a name, and a cell for each number of workers; empty where there is no such case.
    """

    heading: str
    workers: tuple[int, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def matrix(podium: Podium) -> Matrix | None:
    """Set the medians out; ``None`` where no strategy was run with several numbers of workers."""
    unit = unit_of(podium)
    cells: dict[str, dict[int, str]] = {}
    for row in podium.rows:
        medians = cells.setdefault(f"{printable(row.case.strategy)} {client_of(row)}", {})
        medians[row.case.workers] = unit.figure(row.figures.elapsed.estimate) if row.figures else NOTHING
    if all(len(medians) == 1 for medians in cells.values()):
        return None
    workers = tuple(sorted({row.case.workers for row in podium.rows}))
    return Matrix(
        heading=f"median {unit.name} by workers",
        workers=workers,
        rows=tuple(
            (name, tuple(medians.get(count, "") for count in workers)) for name, medians in cells.items()
        ),
    )
