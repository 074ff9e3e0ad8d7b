"""The axes along which one case can overtake another: the number of downloads, and CPU work on each flag.

Cases that differ only in their value on an axis make a series (``bench.stats.series_over_axis``).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.model.cases import Case
from bench.model.text import plural


@dataclass(frozen=True, slots=True)
class CaseAxis(ABC):
    """A number by which cases of a run differ.

    Attributes:
        name: of its chart, and of the field with its values.
        label: what the number tells, in titles.
        any_value: what a sentence calls all of its values.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    any_value: ClassVar[str]

    @property
    @abstractmethod
    def unit(self) -> str:
        """What follows a number in a sentence, in the plural."""

    @abstractmethod
    def describe(self, value: int) -> str:
        """Write a value with its unit."""

    @abstractmethod
    def heading(self, value: int) -> str:
        """Write a value above a column; its unit only if the title does not tell it."""

    @abstractmethod
    def value_of(self, case: Case) -> int:
        """Return the value of a case."""

    @abstractmethod
    def without(self, case: Case) -> Case:
        """Return a case without its value, which it shares with all others of its series."""


@dataclass(frozen=True, slots=True)
class DownloadsAxis(CaseAxis):
    """The number of downloads of a case: ``countries: {repeat: [1, 10]}``."""

    name = "downloads"
    label = "number of downloads"
    any_value = "any number of downloads"

    @property
    def unit(self) -> str:
        """What follows a number in a sentence."""
        return "downloads"

    def describe(self, value: int) -> str:
        """Write a number of downloads."""
        return plural(value, "download")

    def heading(self, value: int) -> str:
        """Write the number alone."""
        return f"{value:,}"

    def value_of(self, case: Case) -> int:
        """Return the number of downloads."""
        return case.countries.count

    def without(self, case: Case) -> Case:
        """Return a case without downloads."""
        return replace(case, countries=replace(case.countries, label="", repeat=0, is_one_of_several=False))


@dataclass(frozen=True, slots=True)
class WorkAxis(CaseAxis):
    """How often CPU work is done on each flag: ``process: {kind: json, times: [0, 10]}``.

    Attributes:
        kind: that of the work, the same for all cases of a run.
    """

    kind: str
    name = "work"
    label = "CPU work on each flag"
    any_value = "any of this work"

    @property
    def unit(self) -> str:
        """What follows a number in a sentence."""
        return f"× {self.kind}"

    def describe(self, value: int) -> str:
        """Write how often the work is done; for each number alike, as they stand beside each other."""
        return f"{value:,} × {self.kind}"

    def heading(self, value: int) -> str:
        """Write the kind below the number, which keeps columns narrow."""
        return f"{value:,} ×\n{self.kind}"

    def value_of(self, case: Case) -> int:
        """Return how often the work is done."""
        return case.work.times

    def without(self, case: Case) -> Case:
        """Return a case without work."""
        return replace(case, work=replace(case.work, times=0, is_one_of_several=False))


def axes_of(cases: Sequence[Case]) -> tuple[CaseAxis, ...]:
    """Return the axes on which the config of these cases asks for several values."""
    works = [case.work for case in cases if case.work.is_one_of_several]
    axes: list[CaseAxis] = []
    if any(case.countries.is_one_of_several for case in cases):
        axes.append(DownloadsAxis())
    if works:
        axes.append(WorkAxis(works[0].kind))
    return tuple(axes)
