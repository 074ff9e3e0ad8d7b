"""Print a run: a table of results for each profile, and elapsed times by strategy and workers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.model.results import Run
from bench.model.text import printable
from bench.report.detail_tables import detail_tables
from bench.report.failures import disturbances, failure_lines, leaks
from bench.report.number_format import NOTHING
from bench.report.result_columns import (
    Column,
    client_and_workers,
    client_of,
    identity,
    mark_of,
    results,
    unit_of,
)
from bench.report.stop_reasons import stop_lines
from bench.report.summary import called, conclusion
from bench.report.table import split_columns, text_width
from bench.stats.case_summary import CaseSummary
from bench.stats.ranking import Ranking, rankings


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


def matrix(podium: Ranking) -> Matrix | None:
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


_UNLIMITED: Final = 1000


def print_run(run: Run, console: Console) -> None:
    """Print everything a run has to say, as wide as the console is."""
    for podium in rankings(run):
        console.print(Group(*_parts(run, podium, console)))
    for line in stop_lines(run):
        console.print(Text(line))


def run_title(run: Run, podium: Ranking) -> str:
    """Name what a table is about."""
    countries = podium.rows[0].case.countries
    state = "" if run.status == "complete" else ", partial"
    count = len(countries.fetches)
    return printable(
        f"{run.config['name']}: {count:,} flags ({countries.label}), profile {podium.profile}{state}"
    )


def legend(podium: Ranking) -> str:
    """Explain the marks, and the column that compares with the baseline."""
    marks = ["* fastest"]
    if podium.ties:
        marks.append("= cannot be told from it")
    if any(row.failed for row in podium.rows):
        marks.append("! trials failed, named below")
    if podium.baseline is not None:
        baseline = next(row for row in podium.rows if row.case.id == podium.baseline)
        marks.append(f"× seq: times faster than {called(baseline)}, ≈ if it cannot be told from it")
    return " · ".join(marks)


def _parts(run: Run, podium: Ranking, console: Console) -> Iterator[RenderableType]:
    yield Text(run_title(run, podium), style="bold")
    yield from _laid_out(podium, results(podium), console)
    yield Text(legend(podium), style="dim")
    for line in failure_lines(podium):
        yield Text(f"! {line}", style="red")
    for line in leaks(podium):
        yield Text(line, style="yellow")
    for line in disturbances(podium):
        yield Text(line, style="dim")
    for aspect in detail_tables(podium):
        yield Text.assemble("\n", (aspect.title, "bold"), (f": {aspect.note}", "dim"))
        yield from _laid_out(podium, aspect.columns, console)
    if (by_workers := matrix(podium)) is not None:
        yield Text("")
        yield from _set_out(by_workers, console.width)
    yield Text(f"\n{conclusion(podium)}\n")


def _laid_out(podium: Ranking, columns: Sequence[Column], console: Console) -> Iterator[RenderableType]:
    flat = _flat(podium, columns)
    wanted = console.measure(flat, options=console.options.update(max_width=_UNLIMITED)).maximum
    yield from [flat] if wanted <= console.width else _grouped(podium, columns, console.width)


def _flat(podium: Ranking, figures: Sequence[Column]) -> Table:
    """Lay all columns side by side."""
    columns = (*identity(podium), *figures)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(column.heading, justify=justify, no_wrap=True)
    for row in podium.rows:
        table.add_row(*(column.cell(row) for column in columns), style=_style(podium, row))
    return table


def _grouped(podium: Ranking, columns: Sequence[Column], room: int) -> Iterator[RenderableType]:
    """Give each strategy a heading line of its own, and as many tables as the width demands."""
    who = Column("", lambda row: f"{mark_of(podium, row):2}{client_and_workers(row)}", "", is_text=True)
    widths = [_width(column, podium.rows) for column in columns]
    for number, share in enumerate(split_columns(widths, _width(who, podium.rows), room)):
        shown = (who, *(columns[index] for index in share))
        laid = [_width(column, podium.rows) for column in shown]
        if number > 0:
            yield Text("")
        yield _aligned(shown, laid, show_header=True)
        for strategy, rows in groupby(podium.rows, key=lambda row: row.case.strategy):
            yield Text(printable(strategy), style="bold")
            table = _aligned(shown, laid, show_header=False)
            for row in rows:
                table.add_row(*(column.cell(row) for column in shown), style=_style(podium, row))
            yield table


def _aligned(columns: Sequence[Column], widths: Sequence[int], *, show_header: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=show_header)
    for column, width in zip(columns, widths, strict=True):
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(column.short, justify=justify, width=width, no_wrap=True, vertical="bottom")
    return table


def _width(column: Column, rows: Sequence[CaseSummary]) -> int:
    return max(text_width(text) for text in (column.short, *map(column.cell, rows)))


def _style(podium: Ranking, row: CaseSummary) -> str:
    if row.figures is None:
        return "red"
    return "bold green" if row.case.id == podium.fastest else "green" if row.case.id in podium.ties else ""


def _set_out(cells: Matrix, room: int) -> Iterator[RenderableType]:
    first = max(text_width(text) for text in (cells.heading, *(name for name, _ in cells.rows)))
    widths = [
        max(text_width(text) for text in (str(count), *(row[index] for _, row in cells.rows)))
        for index, count in enumerate(cells.workers)
    ]
    for share in split_columns(widths, first, room):
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column(cells.heading, width=first, no_wrap=True)
        for index in share:
            table.add_column(str(cells.workers[index]), justify="right", width=widths[index], no_wrap=True)
        for name, row in cells.rows:
            if any(row[index] for index in share):
                table.add_row(name, *(row[index] for index in share))
        yield table
