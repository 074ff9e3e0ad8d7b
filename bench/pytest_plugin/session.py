"""A session of pytest with cases in it: they are collected, measured in one run, and reported one by one."""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import pytest

from bench.app.execute import RunOptions
from bench.app.select import apply_overrides, load_experiment, override_args
from bench.config.lookup import find_config
from bench.errors import BenchError
from bench.pytest_plugin.items import CaseItem, CaseModule, CaseResult
from bench.pytest_plugin.measure import Measured, lines_of, measure_cases


class CaseSession:
    """The part that flagbench has in a session.

    Raises:
        pytest.UsageError: the config cannot be run, with all that is wrong with it, or does not go with
            the other options.
    """

    def __init__(self, config: pytest.Config, asked: str) -> None:
        _refuse(config)
        self._config = config
        self._asked = asked
        try:
            experiment = load_experiment(asked)
        except BenchError as error:
            raise pytest.UsageError(*lines_of(error)) from error
        self._experiment = apply_overrides(experiment, only=None, blocks=self._blocks(), seed=None)
        self._measured = Measured()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add an item for each case, before others choose among all items."""
        module = CaseModule.from_parent(
            session,
            path=self._config.rootpath / "flagbench",
            cases=self._experiment.cases,
            file=find_config(self._asked).absolute(),
            yielded=self._yielded,
        )
        items.extend(session.genitems(module))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Measure the cases that were chosen, before the first item of all.

        Raises:
            KeyboardInterrupt: the user wants no more of it; what was measured is kept.
        """
        is_stopped = session.testsfailed and not self._option("continue_on_collection_errors")
        if is_stopped or self._option("collectonly") or self._option("setuponly"):
            return
        chosen = _chosen(session.items)
        if chosen:
            capture = self._config.pluginmanager.getplugin("capturemanager")
            with nullcontext() if capture is None else capture.global_and_fixture_disabled():
                self._measured = measure_cases(self._experiment, chosen, self._order())
            if self._measured.signalled is not None:
                raise self._measured.signalled

    def _yielded(self, case_id: str) -> CaseResult:
        return self._measured.of(case_id)

    def _order(self) -> RunOptions:
        """Return the same as words for ``run``, which can go on with what is interrupted."""
        options = override_args(only=None, blocks=self._blocks(), seed=None)
        return RunOptions("run", self._asked, options, None, None, quiet=self._option("verbose") < 0)

    def _blocks(self) -> int | None:
        """Return how many blocks there are to be, if not as many as the config says.

        Where benchmarks are disabled, pytest-benchmark carries each out once.
        """
        is_off = self._option("benchmark_disable") and not self._option("benchmark_enable")
        return 1 if is_off else None

    def _option(self, name: str) -> Any:
        return self._config.getoption(name, default=False)


def _chosen(items: Iterable[pytest.Item]) -> frozenset[str]:
    """Return the ids of the cases that are to be run, and not only shown as skipped."""
    return frozenset(
        item.case.id for item in items if isinstance(item, CaseItem) and not any(item.iter_markers("skip"))
    )


def _refuse(config: pytest.Config) -> None:
    """Refuse what does not go together."""
    if config.getoption("benchmark_only", None) is None:
        raise pytest.UsageError(
            "--bench-config needs pytest-benchmark, which is not installed, or turned off",
            "pip install 'flagbench[pytest]'",
        )
    if config.getoption("numprocesses", None) or config.getoption("tx", None):
        raise pytest.UsageError(
            "--bench-config measures, and what is timed beside other work is no timing",
            "leave out -n and --tx, or say -n0",
        )
