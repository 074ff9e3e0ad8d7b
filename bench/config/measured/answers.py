"""The figures of answers that a file tells, and what is made of all of them."""

from array import array
from dataclasses import dataclass, field
from random import Random
from typing import Final, TypeAlias

_MOST_KEPT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A time or a size of an answer.

    Attributes:
        name: that in its source.
        contains: what it is made of; ends a sentence.
    """

    name: str
    contains: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The figures of an answer, in the order of those that its source may have.

    Attributes:
        status: None: the source does not say.
        times_ms: None: not known.
        sizes: in bytes; None: not known.
    """

    status: int | None
    times_ms: tuple[float | None, ...]
    sizes: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An answer that came from no server, such as one from a browser's cache."""


Entry: TypeAlias = Answer | Elsewhere | None
"""What a line of a log, or an entry of another file, is read as; None: it cannot be read."""


class Sample:
    """Values of a stream: all of the first million, after that a million drawn evenly from all.

    Attributes:
        count: the number of values.
        least: the smallest of all.
        most: the greatest of all.
    """

    def __init__(self) -> None:
        self.count = 0
        self.least = float("inf")
        self.most = 0.0
        self._kept = array("d")
        self._random = Random(0)  # noqa: S311  a sample of measurements

    def add(self, value: float) -> None:
        """Count a value, and keep it if it is drawn."""
        self.count += 1
        self.least, self.most = min(self.least, value), max(self.most, value)
        if self.count <= _MOST_KEPT:
            self._kept.append(value)
        elif (place := self._random.randrange(self.count)) < _MOST_KEPT:
            self._kept[place] = value

    def ascending(self) -> list[float]:
        """Return the kept values."""
        return sorted(self._kept)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a file says about a server's answers.

    Attributes:
        title: the kind of the file.
        noun: what its entries are called.
        entries: their number.
        time: the figure that is the latency.
        latencies: in milliseconds.
        size: the figure that is the size; None: the file has none, or fewer than half can be served.
        sizes: in bytes, within the bounds; those without a ``size`` are no part of the profile.
        has_status: whether answers that failed could be left out.
        left_out: the number of entries that do not count, by the reason; the reasons end a sentence.
        size_left_out: the number of sizes beyond the bounds, by the reason.
    """

    title: str
    noun: str
    entries: int
    time: Figure
    latencies: Sample
    size: Figure | None
    sizes: Sample
    has_status: bool
    left_out: dict[str, int] = field(default_factory=dict)
    size_left_out: dict[str, int] = field(default_factory=dict)
