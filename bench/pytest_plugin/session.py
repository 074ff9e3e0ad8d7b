"""The plugin of a session with ``--bench-config``: collect cases, measure them in one run, report each."""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import pytest

from bench.app.execute import CommandLine
from bench.app.select import load_experiment, option_words
from bench.config.loader import find_config
from bench.errors import BenchError
from bench.pytest_plugin.items import CaseItem, CaseModule, CaseResult
from bench.pytest_plugin.measure import MeasuredCases, measure_cases, printable_lines
from bench.system.optional_dependencies import install_command


class CaseSession:
    """Adds the cases of a config to a session, and measures those that are selected.

    Raises:
        pytest.UsageError: the config is invalid, with all of its problems, or another option contradicts.
    """

    def __init__(self, config: pytest.Config, config_name: str) -> None:
        _refuse_options(config)
        self._config = config
        self._config_name = config_name
        try:
            self._experiment = load_experiment(config_name, blocks=self._blocks())
        except BenchError as error:
            raise pytest.UsageError(*printable_lines(error)) from error
        self._measured = MeasuredCases()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add an item for each case, before other plugins select among all items."""
        module = CaseModule.from_parent(
            session,
            path=self._config.rootpath / "flagbench",
            cases=self._experiment.cases,
            file=find_config(self._config_name).absolute(),
            result_of=self._result_of,
        )
        items.extend(session.genitems(module))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Measure the selected cases before the first item of the session.

        Raises:
            KeyboardInterrupt: the user pressed Ctrl-C; finished trials are stored.
        """
        is_stopped = session.testsfailed and not self._option("continue_on_collection_errors")
        if is_stopped or self._option("collectonly") or self._option("setuponly"):
            return
        selected = _selected_ids(session.items)
        if selected:
            capture = self._config.pluginmanager.getplugin("capturemanager")
            with nullcontext() if capture is None else capture.global_and_fixture_disabled():
                self._measured = measure_cases(
                    self._experiment, selected, self._command(), quiet=self._option("verbose") < 0
                )
            if self._measured.signal is not None:
                raise self._measured.signal

    def _result_of(self, case_id: str) -> CaseResult:
        return self._measured.result_of(case_id)

    def _command(self) -> CommandLine:
        """Return the words by which ``run`` can resume an interrupted session."""
        return CommandLine("run", self._config_name, option_words(blocks=self._blocks()))

    def _blocks(self) -> int | None:
        """Return the number of blocks; None: as the config says.

        pytest-benchmark runs disabled benchmarks once.
        """
        is_disabled = self._option("benchmark_disable") and not self._option("benchmark_enable")
        return 1 if is_disabled else None

    def _option(self, name: str) -> Any:
        return self._config.getoption(name, default=False)


def _selected_ids(items: Iterable[pytest.Item]) -> frozenset[str]:
    """Return the ids of the cases to run; skipped items are only shown."""
    return frozenset(
        item.case.id for item in items if isinstance(item, CaseItem) and not any(item.iter_markers("skip"))
    )


def _refuse_options(config: pytest.Config) -> None:
    """Refuse a session without pytest-benchmark, or with several processes.

    Raises:
        pytest.UsageError: it is one of these.
    """
    if config.getoption("benchmark_only", None) is None:
        raise pytest.UsageError(
            "--bench-config needs pytest-benchmark, which is not installed or is disabled",
            install_command("pytest"),
        )
    if config.getoption("numprocesses", None) or config.getoption("tx", None):
        raise pytest.UsageError(
            "--bench-config cannot measure beside other processes of pytest-xdist",
            "leave out -n and --tx, or use -n0",
        )
