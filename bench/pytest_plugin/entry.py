"""Hooks that pytest loads in every session; without ``--bench-config`` they import nothing else of ours."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--bench-config``."""
    parser.getgroup("flagbench").addoption(
        "--bench-config",
        metavar="CONFIG",
        help="Measure every case of a flagbench config, a file or the name of a shipped one, as an item.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin of the session if ``--bench-config`` is given.

    Raises:
        pytest.UsageError: pytest-benchmark is missing, or another option contradicts it.
    """
    name = config.getoption("bench_config")
    if name is not None:
        # every run of pytest loads this file, with --bench-config or without
        from bench.pytest_plugin.session import CaseSession

        config.pluginmanager.register(CaseSession(config, name), "flagbench-cases")
