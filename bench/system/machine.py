"""The machine as it was found: each value with what it was read from. Nothing is guessed.

Seconds, cores and pages; ``None`` is what cannot be read here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """A word that was read.

    Attributes:
        source: the file or call that has it; where none had, the one that was looked for.
    """

    value: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that was read.

    Attributes:
        source: as for a setting.
    """

    value: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Machine:
    """What makes a machine's timings vary, at one moment.

    Attributes:
        cores: processors that this process may use.
        governor: who sets the frequency of the processors, by all names in use.
        boost: ``on`` where a processor may run above its nominal frequency while it is cool, or ``off``.
        smt: ``on`` where processors share cores, or ``off``.
        load: processes that ran or waited to, on average over the last minute.
        quota: cores' worth of processor time that the container may use; infinite where there is no limit.
        swapped: pages read from and written to swap space since the machine was started.
    """

    cores: Figure
    governor: Setting
    boost: Setting
    smt: Setting
    load: Figure
    quota: Figure
    swapped: Figure


def swapped_pages(vmstat: str) -> int | None:
    """Add up both in the text of ``/proc/vmstat`` (proc(5)); ``None`` if it has neither."""
    counters = dict(line.split() for line in vmstat.splitlines())
    pages = [int(counters[name]) for name in ("pswpin", "pswpout") if name in counters]
    return sum(pages) if pages else None
