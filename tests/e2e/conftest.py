"""For all end-to-end tests: the lane of clients that are extras, and a fixture that prints figures."""

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.config.catalog import find_clients
from bench.model.cases import Strategy

PYPROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
EXTRAS = {*find_clients()} & {*PYPROJECT["project"]["optional-dependencies"]}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests of optional clients, and of options of strategies, to ``make test-long``."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        client = getattr(parameters.get("way"), "client", parameters.get("client"))
        strategy = parameters.get("strategy")
        if (isinstance(client, str) and client in EXTRAS) or (
            isinstance(strategy, Strategy) and strategy.option
        ):
            item.add_marker(pytest.mark.long)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return what writes a figure where whoever runs the tests sees it."""

    def tell(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return tell
