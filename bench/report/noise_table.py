"""The figures of a machine's noise as text, once for the terminal and Markdown."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.model.text import printable
from bench.report.number_format import duration, percent, share
from bench.report.table import split_columns, text_width
from bench.stats.noise import LOOKS, CaseNoise, Gate, Noise
from bench.storage.noise import NoiseRecord
from bench.system.noise_advice import Advice


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it is called, and what it says of a case."""

    label: str
    cell: Callable[[CaseNoise], str]


def noise_headline(record: NoiseRecord) -> str:
    """Name the machine, and what was measured on it."""
    return printable(f"{record.config}: each case against itself, on machine {record.fingerprint[:12]}")


def noise_heading(case: CaseNoise) -> str:
    """Name a case over three lines."""
    strategy, client, workers, profile = printable(case.case).split("/", 3)
    return f"{strategy}\n{client} {workers}\n{profile}"


def noise_failures(noise: Noise) -> list[str]:
    """Write one line for each case of which nothing is known."""
    return [printable(f"{case}: too few blocks in which both sides succeeded") for case in noise.unmeasured]


def fewest_pairs(noise: Noise) -> int:
    """Return the pairs of the case that has the fewest: all limits are known from that many or more."""
    return min(len(case.pairs) for case in noise.cases)


def uncertainty(noise: Noise) -> str:
    """Write how far off the limits may be, as a share of each: the relative standard error of a spread."""
    return share(1 / math.sqrt(2 * fewest_pairs(noise)))


def _drift(case: CaseNoise) -> str:
    return _signed(case.drift.estimate)


def _drift_bounds(case: CaseNoise) -> str:
    if case.drift.low is None or case.drift.high is None:
        return ""
    return f"{_signed(case.drift.low)} to {_signed(case.drift.high)}"


def _signed(change: float) -> str:
    return f"{'+' if change > 0 else ''}{percent(change)}".replace("-", "−")


def _shown(index: int) -> Callable[[CaseNoise], str]:
    return lambda case: percent(case.detectable[index].slowdown)


LINES: Final = (
    Line("pairs of blocks", lambda case: str(len(case.pairs))),
    Line("median", lambda case: duration(case.median_s)),
    Line("noise floor: spread of a pair", lambda case: percent(case.floor)),
    Line("95% of these pairs differed by less than", lambda case: percent(case.within)),
    Line("drift over the run", _drift),
    Line("  its 95% interval", _drift_bounds),
    Line("autocorrelation of blocks", lambda case: f"{case.autocorrelation:.2f}".replace("-", "−")),
    Line("  by chance up to", lambda case: f"{case.chance:.2f}"),
    Line("spikes", lambda case: share(case.spikes)),
    *(Line(f"smallest slow-down that {look} blocks show", _shown(index)) for index, look in enumerate(LOOKS)),
)


_UP: Final = Context(prec=3, rounding=ROUND_CEILING)
_DAY: Final = len("2026-01-02")


def gate_held_text(gate: Gate, record: NoiseRecord) -> str:
    """Say that a gate can be held, when that was measured, with what, and how sure it is."""
    return printable(
        f"a gate of {percent(gate.threshold)} can be held: it takes {gate.needed} of {gate.blocks} blocks, "
        f"as measured {record.measured[:_DAY]} with {record.config} from {fewest_pairs(record.noise)} pairs, "
        f"good to ±{uncertainty(record.noise)} at best"
    )


def gate_refused_text(gate: Gate) -> str:
    """Say what a gate would take, and what its blocks show."""
    return (
        f"a gate of {100 * gate.threshold:g}% takes {gate.needed:,} blocks on this machine "
        f"and has {gate.blocks}, which show {_at_least(gate.shown)}"
    )


def _at_least(shown: float | None) -> str:
    """Write three digits, rounded up: to the nearest, it might read as if the gate could be held."""
    if shown is None:
        return "nothing"
    return f"{_UP.create_decimal_from_float(100 * shown):f}% at the least"


_LOOK = 1
"""Which of the numbers of blocks is spoken of: the middle one."""


def noise_conclusion(noise: Noise) -> str:
    """Say what can be told apart on this machine, and what must not be compared."""
    if not noise.cases:
        return "Nothing is known of this machine's noise: no case had enough blocks."
    return " ".join(_sentences(noise))


def _sentences(noise: Noise) -> Iterator[str]:
    ordered = sorted(noise.cases, key=_slowdown)
    best, worst = ordered[0], ordered[-1]
    blocks = best.detectable[_LOOK].blocks
    span = f"from {_seen(best)}" if best is worst else f"from {_seen(best)} to {_seen(worst)}"
    yield f"With {blocks} blocks this machine shows slow-downs {span}."
    pairs, error = fewest_pairs(noise), uncertainty(noise)
    yield f"These limits are known from {pairs} pairs, so each is good to {error} of itself at best."
    if wandering := [case for case in noise.cases if _wanders(case)]:
        names = " and ".join(printable(case.case) for case in wandering)
        yield f"The level of {names} moved during the run: compare only what ran in the same blocks."
    else:
        yield "No drift of the level was found, which is no promise for another hour."


def _seen(case: CaseNoise) -> str:
    return f"{percent(_slowdown(case))} ({printable(case.case)})"


def _slowdown(case: CaseNoise) -> float:
    return case.detectable[_LOOK].slowdown


def _wanders(case: CaseNoise) -> bool:
    low, high = case.drift.low, case.drift.high
    is_drifting = low is not None and high is not None and not low <= 0 <= high
    return is_drifting or case.autocorrelation > case.chance


_GAP: Final = 2
"""Cells between neighbouring columns."""


def print_noise(record: NoiseRecord, console: Console) -> None:
    """Print everything that was found of a machine's noise, as wide as the console is."""
    console.print(Group(*_parts(record, console.width)))


def _parts(record: NoiseRecord, room: int) -> Iterator[RenderableType]:
    yield Text(noise_headline(record), style="bold")
    yield from _figures(record.noise.cases, room)
    for line in noise_failures(record.noise):
        yield Text(f"! {line}", style="red")
    yield from _advice(record.advice, room)
    yield Text(f"\n{noise_conclusion(record.noise)}\n")


def _figures(cases: Sequence[CaseNoise], room: int) -> Iterator[RenderableType]:
    """Set the figures out below each other: their names are long, and there are few cases."""
    first = max(text_width(line.label) for line in LINES)
    widths = [
        max(text_width(text) for text in (noise_heading(case), *(line.cell(case) for line in LINES)))
        for case in cases
    ]
    for columns in split_columns([width + _GAP - 1 for width in widths], first, room) if cases else ():
        yield Text("")
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("", width=first, no_wrap=True)
        for index in columns:
            table.add_column(noise_heading(cases[index]), justify="right", width=widths[index], no_wrap=True)
        for line in LINES:
            table.add_row(line.label, *(line.cell(cases[index]) for index in columns))
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
