"""A run as rich tables: one a profile, and elapsed times by strategy and workers."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.model import Run
from bench.report.columns import Column, client_of, figures, identity, mark_of
from bench.report.failures import failures
from bench.report.matrix import matrix
from bench.report.sentence import called, conclusion
from bench.stats.standing import Podium, Standing, podiums

_UNLIMITED: Final = 1000


def print_run(run: Run, console: Console) -> None:
    """Print everything a run has to say, as wide as the console is."""
    for podium in podiums(run):
        console.print(Group(*_parts(run, podium, console)))


def title(run: Run, podium: Podium) -> str:
    """Name what a table is about."""
    countries = podium.rows[0].case.countries
    state = "" if run.status == "complete" else ", interrupted"
    count = len(countries.fetches)
    return f"{run.config['name']}: {count:,} flags ({countries.label}), profile {podium.profile}{state}"


def legend(podium: Podium) -> str:
    """Explain the marks and the column that compares with the baseline."""
    marks = ["* fastest"]
    if podium.ties and podium.conclusive:
        marks.append("= cannot be told from it")
    if any(row.failed for row in podium.rows):
        marks.append("! trials failed, named below")
    if podium.baseline is not None:
        baseline = next(row for row in podium.rows if row.case.id == podium.baseline)
        marks.append(f"× seq: times faster than {called(baseline)}")
    return " · ".join(marks)


def _parts(run: Run, podium: Podium, console: Console) -> Iterator[RenderableType]:
    yield Text(title(run, podium), style="bold")
    flat = _flat(podium)
    wanted = console.measure(flat, options=console.options.update(max_width=_UNLIMITED)).maximum
    yield from [flat] if wanted <= console.width else _grouped(podium)
    yield Text(legend(podium), style="dim")
    for line in failures(podium.rows):
        yield Text(f"! {line}", style="red")
    if (by_workers := matrix(podium)) is not None:
        yield Text("")
        yield by_workers
    yield Text(f"\n{conclusion(podium)}\n")


def _flat(podium: Podium) -> Table:
    """Lay all columns side by side."""
    columns = (*identity(podium), *figures(podium))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(column.heading, justify=justify, no_wrap=True)
    for row in podium.rows:
        table.add_row(*(column.cell(row) for column in columns), style=_style(podium, row))
    return table


def _grouped(podium: Podium) -> Iterator[RenderableType]:
    """Give each strategy a heading line of its own, so that its figures fit in 80 columns."""
    who = Column("", lambda row: f"{mark_of(podium, row):2}{client_of(row)}{_workers(row)}", "", is_text=True)
    columns = (who, *figures(podium))
    widths = [_width(column, podium.rows) for column in columns]
    yield _aligned(columns, widths, show_header=True)
    for strategy, rows in groupby(podium.rows, key=lambda row: row.case.strategy):
        yield Text(strategy, style="bold")
        table = _aligned(columns, widths, show_header=False)
        for row in rows:
            table.add_row(*(column.cell(row) for column in columns), style=_style(podium, row))
        yield table


def _aligned(columns: Sequence[Column], widths: Sequence[int], *, show_header: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=show_header)
    for column, width in zip(columns, widths, strict=True):
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(column.short, justify=justify, width=width, no_wrap=True, vertical="bottom")
    return table


def _width(column: Column, rows: Iterable[Standing]) -> int:
    return max(
        cell_len(line) for text in (column.short, *map(column.cell, rows)) for line in text.split("\n")
    )


def _workers(row: Standing) -> str:
    return "" if row.case.strategy == "sequential" else f" {row.case.workers}"


def _style(podium: Podium, row: Standing) -> str:
    if row.elapsed is None:
        return "red"
    return (
        "bold green"
        if row.case.id == podium.fastest
        else "green"
        if mark_of(podium, row).startswith("=")
        else ""
    )
