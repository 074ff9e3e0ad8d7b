"""What strategies left behind at the end of their trials: the lines that say so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from bench.model.results import Leak
from bench.report.figures import plural, printable, span
from bench.stats.podium import Podium
from bench.stats.standing import Range

_NOUNS: Final[Mapping[str, str]] = {
    "threads": "thread",
    "descriptors": "descriptor",
    "processes": "process",
}


def leaks(podium: Podium) -> list[str]:
    """Write one line for each case of which something was left; its trials count all the same."""
    return [
        printable(
            f"{row.case.id}: leaks in {plural(len(row.leaks), 'trial')}: {', '.join(_amounts(row.leaks))}"
        )
        for row in podium.rows
        if row.leaks
    ]


def _amounts(found: Sequence[Leak]) -> Iterator[str]:
    for many, one in _NOUNS.items():
        counts = [count for leak in found if (count := asdict(leak)[many])]
        if counts:
            seen = Range(min(counts), max(counts))
            yield f"{span(seen)} {one if seen.high == 1 else many}"
