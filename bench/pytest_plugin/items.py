"""Pytest items for cases. Each replays the measured durations of its case to pytest-benchmark."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from bench.model.cases import Case
from bench.model.text import printable
from bench.report.case_label import describe_conditions

_CASE_COLUMNS: Final = (
    "strategy",
    "client",
    "workers",
    "profile",
    "countries",
    "keep_alive",
    "process",
    "rate",
)
"""Columns that pytest-benchmark can group by (``param:workers``)."""


def replay_timer(durations_s: Iterable[float]) -> Callable[[], float]:
    """Return a fake timer, to be called at the start and end of each round, that replays durations.

    Each start is at zero, so that the difference is the duration to the last bit.
    """
    times_s = iter([time_s for duration_s in durations_s for time_s in (0.0, duration_s)])

    def measured_by_flagbench() -> float:  # pytest-benchmark stores this name
        return next(times_s)

    return measured_by_flagbench


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The measurements of a case, as its item reports them.

    Attributes:
        values_s: seconds of each block, in order.
        info: the columns of the results table by name, and the name of the run.
        problems: why the item fails, one line each; empty if it passes.
    """

    values_s: Sequence[float]
    info: dict[str, Any]
    problems: tuple[str, ...]


class CaseModule(pytest.Module):
    """The parent of all case items, in place of the test file that other items have."""

    def __init__(
        self, *, cases: Iterable[Case], file: Path, result_of: Callable[[str], CaseResult], **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._cases = cases
        self._file = file
        self._result_of = result_of

    def _getobj(self) -> ModuleType:
        """Return an empty module: there is no file for pytest to import."""
        return ModuleType("flagbench")

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield an item for each case."""
        for case in self._cases:
            yield CaseItem.from_parent(
                self,
                name=printable(case.id),
                callobj=_replay,
                case=case,
                file=self._file,
                result_of=self._result_of,
            )


class CaseItem(pytest.Function):
    """The item of one case."""

    def __init__(
        self, *, case: Case, file: Path, result_of: Callable[[str], CaseResult], **rest: Any
    ) -> None:
        super().__init__(**rest)
        self.case = case
        self._file = file
        self._result_of = result_of

    def setup(self) -> None:
        """Make pytest-benchmark use a timer that replays the measured durations."""
        timer = replay_timer(self._result_of(self.case.id).values_s or [0.0])
        self.add_marker(pytest.mark.benchmark(timer=timer, group=describe_conditions(self.case)))
        super().setup()

    def replay(self, benchmark: Any) -> None:
        """Let pytest-benchmark time each block; it keeps no figures of a case that failed."""
        result = self._result_of(self.case.id)
        benchmark.param = self.name
        benchmark.params = {name: result.info[name] for name in _CASE_COLUMNS if name in result.info}
        benchmark.extra_info.update(result.info)
        benchmark.has_error = bool(result.problems)

        def outcome() -> None:
            if result.problems:
                pytest.fail("\n".join(result.problems), pytrace=False)

        benchmark.pedantic(outcome, rounds=max(1, len(result.values_s)), iterations=1, warmup_rounds=0)
        if benchmark.enabled and benchmark.stats.stats.data != list(result.values_s):
            benchmark.has_error = True
            pytest.fail(
                "this version of pytest-benchmark calls its timer in a way that flagbench does not support;"
                " see the figures of the run with `flagbench show last`",
                pytrace=False,
            )

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the config in place of a line of a test file."""
        return self._file, 0, self.name


def _replay(request: pytest.FixtureRequest, benchmark: Any) -> None:
    request.node.replay(benchmark)
