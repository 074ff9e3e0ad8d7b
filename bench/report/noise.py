"""The noise of a machine on the terminal: a column a case, then what to change, then what it comes to."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.report.fitting import dealt, text_width
from bench.report.noise_figures import LINES, failures, heading, headline
from bench.report.noise_sentence import noise_conclusion
from bench.stats.noise import CaseNoise
from bench.storage.noise import NoiseRecord
from bench.system.advice import Advice

_GAP: Final = 2
"""Cells between neighbouring columns."""


def print_noise(record: NoiseRecord, console: Console) -> None:
    """Print everything that was found of a machine's noise, as wide as the console is."""
    console.print(Group(*_parts(record, console.width)))


def _parts(record: NoiseRecord, room: int) -> Iterator[RenderableType]:
    yield Text(headline(record), style="bold")
    yield from _figures(record.noise.cases, room)
    for line in failures(record.noise):
        yield Text(f"! {line}", style="red")
    yield from _advice(record.advice, room)
    yield Text(f"\n{noise_conclusion(record.noise)}\n")


def _figures(cases: Sequence[CaseNoise], room: int) -> Iterator[RenderableType]:
    """Set the figures out below each other: their names are long, and there are few cases."""
    first = max(text_width(line.label) for line in LINES)
    widths = [
        max(text_width(text) for text in (heading(case), *(line.cell(case) for line in LINES)))
        for case in cases
    ]
    for share in dealt([width + _GAP - 1 for width in widths], first, room) if cases else ():
        yield Text("")
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("", width=first, no_wrap=True)
        for index in share:
            table.add_column(heading(cases[index]), justify="right", width=widths[index], no_wrap=True)
        for line in LINES:
            table.add_row(line.label, *(line.cell(cases[index]) for index in share))
        yield table


def _advice(found: Sequence[Advice], room: int) -> Iterator[RenderableType]:
    """Lay advice out as a table where it fits, else each over as many lines as it has parts."""
    rows = [(each.what, each.value, each.source, each.remedy) for each in found]
    headings = ("what moves timings", "here", "read from", "what to do")
    widths = [max(map(text_width, column)) for column in zip(headings, *rows, strict=True)]
    yield Text("")
    if sum(widths) + _GAP * (len(widths) - 1) <= room:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for name, width in zip(headings, widths, strict=True):
            table.add_column(name, width=width, no_wrap=True)
        for row in rows:
            table.add_row(*row)
        yield table
        return
    for each in found:
        yield Text(f"{each.what}: {each.value}", style="bold" if each.remedy else "")
        yield Text(f"  read from {each.source}", style="dim")
        if each.remedy:
            yield Text(f"  to do: {each.remedy}")
