"""What pytest loads: an option. Without it nothing else of flagbench is imported."""

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
    """Take part in the session, if asked to.

    Raises:
        pytest.UsageError: the other options, or the lack of pytest-benchmark, do not allow that.
    """
    asked = config.getoption("bench_config")
    if asked is not None:
        # every run of pytest loads this file, with --bench-config or without
        from bench.pytest_plugin.session import CaseSession

        config.pluginmanager.register(CaseSession(config, asked), "flagbench-cases")
