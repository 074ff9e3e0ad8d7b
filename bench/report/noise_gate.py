"""What is said of a gate: that this machine can hold it, or why not."""

from decimal import ROUND_CEILING, Context
from typing import Final

from bench.report.figures import percent, printable
from bench.report.noise_figures import fewest_pairs, uncertainty
from bench.stats.noise import Gate
from bench.storage.noise import NoiseRecord

_UP: Final = Context(prec=3, rounding=ROUND_CEILING)
_DAY: Final = len("2026-01-02")


def held(gate: Gate, record: NoiseRecord) -> str:
    """Say that a gate can be held, when that was measured, with what, and how sure it is."""
    return printable(
        f"a gate of {percent(gate.threshold)} can be held: it takes {gate.needed} of {gate.blocks} blocks, "
        f"as measured {record.measured[:_DAY]} with {record.config} from {fewest_pairs(record.noise)} pairs, "
        f"good to ±{uncertainty(record.noise)} at best"
    )


def refused(gate: Gate) -> str:
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
