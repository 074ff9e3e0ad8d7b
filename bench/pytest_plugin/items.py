"""A timer that has been everywhere already: it lets pytest-benchmark measure what was measured."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from bench.model.cases import Case
from bench.model.text import printable


def replay_timer(durations_s: Iterable[float]) -> Callable[[], float]:
    """Return a timer that is asked at the start and at the end of each round, and says what each took.

    It says zero at each start, so that the difference is the duration to the last bit.
    """
    times_s = iter([time_s for duration_s in durations_s for time_s in (0.0, duration_s)])

    def measured_by_flagbench() -> float:
        return next(times_s)

    return measured_by_flagbench


_FIELDS: Final = ("strategy", "client", "workers", "profile", "countries", "keep_alive")
"""Of a row, those that say which case it is: pytest-benchmark groups by them (``param:workers``)."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What the run yielded of a case.

    Attributes:
        values_s: of its blocks, in their order.
        info: all that a table says of it, and the name of the run.
        faults: why the item fails, a line each; empty if it does not.
    """

    values_s: Sequence[float]
    info: dict[str, Any]
    faults: tuple[str, ...]


class CaseModule(pytest.Module):
    """Stands where other items have the file that they are in."""

    def __init__(
        self, *, cases: Iterable[Case], file: Path, yielded: Callable[[str], CaseResult], **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._cases = cases
        self._file = file
        self._yielded = yielded

    def _getobj(self) -> ModuleType:
        """Keep pytest from importing what is no file; fixtures of modules find a module that is empty."""
        return ModuleType("flagbench")

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Make an item of each case."""
        for case in self._cases:
            yield CaseItem.from_parent(
                self,
                name=printable(case.id),
                callobj=_measured,
                case=case,
                file=self._file,
                yielded=self._yielded,
            )


class CaseItem(pytest.Function):
    """One case of the config.

    Attributes:
        case: which one.
    """

    def __init__(self, *, case: Case, file: Path, yielded: Callable[[str], CaseResult], **rest: Any) -> None:
        super().__init__(**rest)
        self.case = case
        self._file = file
        self._yielded = yielded

    def setup(self) -> None:
        """Have pytest-benchmark read its times from the run."""
        found = self._yielded(self.case.id)
        timer = replay_timer(found.values_s or [0.0])
        self.add_marker(pytest.mark.benchmark(timer=timer, group=printable(self.case.profile.name)))
        super().setup()

    def replay(self, benchmark: Any) -> None:
        """Let pytest-benchmark time each block; it keeps no figure of a case that failed."""
        found = self._yielded(self.case.id)
        benchmark.param = self.name
        benchmark.params = {name: found.info[name] for name in _FIELDS if name in found.info}
        benchmark.extra_info.update(found.info)
        benchmark.has_error = bool(found.faults)

        def outcome() -> None:
            if found.faults:
                pytest.fail("\n".join(found.faults), pytrace=False)

        benchmark.pedantic(outcome, rounds=max(1, len(found.values_s)), iterations=1, warmup_rounds=0)
        if benchmark.enabled and benchmark.stats.stats.data != list(found.values_s):
            benchmark.has_error = True
            pytest.fail(
                "this pytest-benchmark reads its timer otherwise than flagbench expects, and its figures"
                " would be wrong; see those of the run with `flagbench show last`",
                pytrace=False,
            )

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the config, where other items name a line of a test."""
        return self._file, 0, self.name


def _measured(request: pytest.FixtureRequest, benchmark: Any) -> None:
    request.node.replay(benchmark)
