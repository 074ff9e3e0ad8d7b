"""Write a measured profile: a CSV file of numbers, and the keys of a config that name it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.config.measured.answers import Measured
from bench.config.samples import reduce_sample

LATENCY: Final = "latency_ms"
SIZE: Final = "size_bytes"


def profile_csv(measured: Measured) -> str:
    """Return the columns of a profile, each ascending by itself: no row belongs to an answer.

    Each column has at most as many values as a config keeps, and the shorter one repeats some of its own.
    """
    columns = [[LATENCY, *map(_milliseconds, reduce_sample(measured.latencies.ascending()))]]
    if measured.size is not None:
        columns.append([SIZE, *(f"{size:.0f}" for size in reduce_sample(measured.sizes.ascending()))])
    rows = max(map(len, columns)) - 1
    stretched = [[name, *_stretch(values, rows)] for name, *values in columns]
    return "".join(f"{','.join(row)}\n" for row in zip(*stretched, strict=True))


def profile_yaml(file: Path, measured: Measured) -> str:
    """Return the keys of a config that is beside a file of ``profile_csv``, and draws from it."""
    name = _quoted(file.name)
    lines = ["profile:", f"  latency: {{sample: {{file: {name}, column: {LATENCY}, unit: ms}}}}"]
    if measured.size is not None:
        lines.append(f"  sizes: {{sample: {{file: {name}, column: {SIZE}, unit: B}}}}")
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str) -> str:
    """Return a text in the quotes of JSON, which are YAML's, too, with escapes of unprintable characters."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in quoted)


def _milliseconds(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _stretch(values: Sequence[str], rows: int) -> list[str]:
    """Return so many ascending values, each repeated as often as any other, as far as that is possible."""
    return [values[row * len(values) // rows] for row in range(rows)]
