"""Build the tables of a machine's noise, and say which gates the machine can hold."""

import math
from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, Context
from typing import Final

from bench.model.text import join_and, plural, printable
from bench.report.number_format import (
    format_change,
    format_duration,
    format_interval,
    format_percent,
    format_small_percent,
)
from bench.report.table import Column, Remark, Row, Section, Table
from bench.stats.noise import LOOKS, CaseNoise, Gate, Noise
from bench.storage.noise import NoiseRecord

_MIDDLE_LOOK: Final = 1
"""The place in `LOOKS` of the number of blocks that the conclusion is about."""
_ROUND_UP: Final = Context(prec=3, rounding=ROUND_CEILING)
_DAY: Final = len("2026-01-02")
_ADVICE: Final = ("what moves timings", "here", "read from", "what to do")


def noise_summary(record: NoiseRecord, details: str) -> Iterator[Table]:
    """Return the slow-downs that the machine shows, then a row for each case.

    Args:
        record: what was measured.
        details: where every figure is.
    """
    noise = record.noise
    title = f"{record.config}: each case against itself, on machine {record.fingerprint[:12]}"
    yield Table(remarks=(Remark(printable(title)), Remark(noise_conclusion(noise))))
    unmeasured = (f"{case}: too few blocks in which both sides succeeded" for case in noise.unmeasured)
    shown = noise.cases[0].detectable[_MIDDLE_LOOK].blocks if noise.cases else 0
    headings = ("median", "spread of\na pair", "drift over\nthe run", f"slow-down shown\nby {shown} blocks")
    rows = tuple(
        Row(
            (
                printable(case.case),
                format_duration(case.median_s),
                format_small_percent(case.floor),
                _format_drift(case.drift.estimate),
                format_small_percent(_slowdown(case)),
            )
        )
        for case in sorted(noise.cases, key=_slowdown)
    )
    advice = [each for each in record.advice if each.remedy]
    hints = f"{plural(len(advice), 'hint')} on how to make this machine quieter" if advice else ""
    yield Table(
        columns=(Column("case", "left"), *map(Column, headings)),
        sections=(Section("", rows),) if rows else (),
        remarks=(
            *(Remark(printable(line), "failure") for line in unmeasured),
            Remark(f"Every figure{' and ' + hints if hints else ''}: {details}", "note"),
        ),
    )


def noise_tables(record: NoiseRecord) -> tuple[Table, Table]:
    """Build the table of figures, a column a case, and the table of advice about the machine."""
    noise = record.noise
    unmeasured = (f"{case}: too few blocks in which both sides succeeded" for case in noise.unmeasured)
    figures = Table(
        title=printable(f"{record.config}: each case against itself, on machine {record.fingerprint[:12]}"),
        columns=(Column("", "left"), *(Column(_heading(case)) for case in noise.cases)),
        sections=(Section("", tuple(_rows(noise))),) if noise.cases else (),
        remarks=tuple(Remark(printable(line), "failure") for line in unmeasured),
    )
    advice = Table(
        columns=tuple(Column(heading, "left") for heading in _ADVICE),
        sections=(
            Section(
                "", tuple(Row((each.what, each.value, each.source, each.remedy)) for each in record.advice)
            ),
        ),
        remarks=(Remark(noise_conclusion(noise)),),
        keys=2,
    )
    return figures, advice


def _heading(case: CaseNoise) -> str:
    """Name a case in three lines."""
    strategy, client, workers, profile = printable(case.case).split("/", 3)
    return f"{strategy}\n{client} {workers}\n{profile}"


def _rows(noise: Noise) -> Iterator[Row]:
    """Write a row for each figure, with a cell for each case."""
    figures: dict[str, Callable[[CaseNoise], str]] = {
        "pairs of blocks": lambda case: str(len(case.pairs)),
        "median": lambda case: format_duration(case.median_s),
        "noise floor: spread of a pair": lambda case: format_small_percent(case.floor),
        "95% of these pairs differed by less than": lambda case: format_small_percent(case.within),
        "drift over the run": lambda case: _format_drift(case.drift.estimate),
        "  its 95% interval": lambda case: format_interval(case.drift, _format_drift, " to "),
        "autocorrelation of blocks": lambda case: f"{case.autocorrelation:.2f}".replace("-", "−"),
        "  by chance up to": lambda case: f"{case.chance:.2f}",
        "spikes": lambda case: format_percent(case.spikes),
    }
    for label, write in figures.items():
        yield Row((label, *map(write, noise.cases)))
    for place, blocks in enumerate(LOOKS):
        shown = (format_small_percent(case.detectable[place].slowdown) for case in noise.cases)
        yield Row((f"smallest slow-down that {blocks} blocks show", *shown))


def _format_drift(drift: float) -> str:
    return format_change(1 + drift)


def noise_conclusion(noise: Noise) -> str:
    """Name the slow-downs that this machine shows, and warn of drift."""
    if not noise.cases:
        return "Nothing is known of this machine's noise: no case had enough blocks."
    return " ".join(_sentences(noise))


def _sentences(noise: Noise) -> Iterator[str]:
    ordered = sorted(noise.cases, key=_slowdown)
    best, worst = ordered[0], ordered[-1]
    blocks = best.detectable[_MIDDLE_LOOK].blocks
    span = f"from {_describe_slowdown(best)}"
    if best is not worst:
        span += f" to {_describe_slowdown(worst)}"
    yield f"With {blocks} blocks this machine shows slow-downs {span}."
    pairs, error = _fewest_pairs(noise), _uncertainty(noise)
    yield f"These limits are known from {pairs} pairs, so each is good to {error} of itself at best."
    if drifting := [printable(case.case) for case in noise.cases if _has_drifted(case)]:
        moved = f"The level of {join_and(drifting)} moved during the run"
        yield f"{moved}: compare only trials of the same blocks."
    else:
        yield "No drift of the level was found, which is no promise for another hour."


def _describe_slowdown(case: CaseNoise) -> str:
    return f"{format_small_percent(_slowdown(case))} ({printable(case.case)})"


def _slowdown(case: CaseNoise) -> float:
    return case.detectable[_MIDDLE_LOOK].slowdown


def _has_drifted(case: CaseNoise) -> bool:
    low, high = case.drift.low, case.drift.high
    is_drifting = low is not None and high is not None and not low <= 0 <= high
    return is_drifting or case.autocorrelation > case.chance


def _fewest_pairs(noise: Noise) -> int:
    """Return the pairs of the case with the fewest: every limit is known from at least that many."""
    return min(len(case.pairs) for case in noise.cases)


def _uncertainty(noise: Noise) -> str:
    """Write the relative standard error of a spread.

    It tells how far off the limits may be, as a share of each.
    """
    return format_percent(1 / math.sqrt(2 * _fewest_pairs(noise)))


def gate_held_text(gate: Gate, record: NoiseRecord) -> str:
    """Say that the machine can hold a gate, and name the measurement behind that."""
    return printable(
        f"a gate of {format_small_percent(gate.threshold)} can be held: it takes {gate.needed} of "
        f"{gate.blocks} blocks, as measured {record.measured[:_DAY]} with {record.config} from "
        f"{_fewest_pairs(record.noise)} pairs, good to ±{_uncertainty(record.noise)} at best"
    )


def gate_refused_text(gate: Gate) -> str:
    """Say how many blocks a gate would take, and the slow-down that its own blocks show."""
    return (
        f"a gate of {100 * gate.threshold:g}% takes {gate.needed:,} blocks on this machine "
        f"and has {gate.blocks}, which show {_at_least(gate.shown)}"
    )


def _at_least(shown: float | None) -> str:
    """Write three digits, rounded up: to the nearest, it might read as if the gate could be held."""
    if shown is None:
        return "nothing"
    return f"{_ROUND_UP.create_decimal_from_float(100 * shown):f}% at the least"
