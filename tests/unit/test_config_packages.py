"""Strategies and clients of installed packages are described by their text; nothing of them is imported."""

import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from bench.config.loader import load_config
from bench.config.packages import Provided, find_provided, provided_clients, provided_strategies
from bench.errors import ConfigError, UsageError
from bench.model.cases import Experiment, Strategy
from bench.runner.run_document import config_record
from tests.config_catalog import CLIENTS, STRATEGIES
from tests.packages import ENTRY_POINTS, MODULES, STRATEGY, write_package


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on the import path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def installed(place: Path) -> list[Distribution]:
    return list(distributions(path=[str(place)]))


def strategies_of(place: Path, entry_points: str | bytes) -> list[Provided[Strategy]]:
    write_package(place, entry_points)
    return provided_strategies(installed(place))


def test_packages_provide_strategies_and_clients_without_being_imported(place: Path) -> None:
    write_package(place, ENTRY_POINTS)
    (strategy,) = provided_strategies(installed(place))
    (client,) = provided_clients(installed(place))
    assert (strategy.name, strategy.package, strategy.problem) == ("acme_loop", "acme-flags 1.2", None)
    assert strategy.found is not None
    assert (strategy.found.face, strategy.found.call.module) == ("sync", "acme_flags.loop")
    assert strategy.found.file == place / "acme_flags" / "loop.py"
    assert client.found is not None
    assert (set(client.found.faces), client.found.source) == ({"sync"}, "acme_flags.http:")
    assert "acme_flags" not in sys.modules


def test_entry_may_name_a_function(place: Path) -> None:
    modules = {
        "mine.py": f"{STRATEGY}\ndef second(job: Job) -> list[Fetch]: ...\n",
        "get.py": "async def fetch(url: str) -> bytes: ...\n",
    }
    entries = (
        "[flagbench.strategies]\nmine = acme_flags.mine:second\n[flagbench.clients]\ngot=acme_flags.get:fetch"
    )
    write_package(place, entries, modules)
    strategy = find_provided("mine", provided_strategies(installed(place)))
    client = find_provided("got", provided_clients(installed(place)))
    assert strategy is not None
    assert strategy.call.function == "second"
    assert client is not None
    assert client.source == "acme_flags.get:fetch"
    assert client.faces == {"async"}


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("gone = acme_flags.gone", "there is no module 'acme_flags.gone'"),
        ("away = elsewhere.loop", "there is no module 'elsewhere'"),
        ("other = acme_flags.loop:nothing", "has no function nothing"),
        ("wrong = acme_flags.http", "has no function download_many"),
        ("words = not a module", "'not a module' is neither a module nor module:function"),
        ("path = ../../etc/passwd", "'../../etc/passwd' is neither a module nor module:function"),
        ("deep = acme_flags.loop:a.b", "'acme_flags.loop:a.b' is neither a module nor module:function"),
        ("a/b = acme_flags.loop", "'a/b' is not named like a Python module"),
        ("sequential = acme_flags.loop", "ignored: flagbench ships one of this name"),
    ],
)
def test_unusable_entry_is_reported(place: Path, entry: str, problem: str) -> None:
    (found,) = strategies_of(place, f"[flagbench.strategies]\n{entry}\n")
    assert found.found is None
    assert found.problem is not None
    assert problem in found.problem


@pytest.mark.parametrize("content", ["[flagbench.strategies]\nnonsense\n", b"\xff\xfe[flagbench"])
def test_package_with_unreadable_entry_points_is_reported(place: Path, content: str | bytes) -> None:
    (found,) = strategies_of(place, content)
    assert (found.name, found.problem) == ("", "its entry points cannot be read")
    assert found.package == "acme_flags"


def test_broken_package_leaves_the_others_usable(place: Path) -> None:
    write_package(place, "[flagbench.strategies]\nnonsense\n", {}, name="broken")
    write_package(place, ENTRY_POINTS)
    provided = provided_strategies(installed(place))
    assert [each.name for each in provided if each.found] == ["acme_loop"]
    assert len(provided) == 2


def test_name_of_two_packages_is_neither(place: Path) -> None:
    write_package(place, ENTRY_POINTS)
    write_package(place, ENTRY_POINTS, name="other-flags")
    provided = provided_strategies(installed(place))
    assert {each.problem for each in provided} == {
        "ignored: acme-flags 1.2 and other-flags 1.2 declare this name; uninstall one"
    }
    with pytest.raises(UsageError, match="declare this name"):
        find_provided("acme_loop", provided)


def test_first_place_of_a_package_counts(place: Path, tmp_path: Path) -> None:
    write_package(place, "[flagbench.strategies]\nnewer = acme_flags.loop\n")
    write_package(tmp_path / "later", ENTRY_POINTS, version="1.0")
    both = list(distributions(path=[str(place), str(tmp_path / "later")]))
    assert [(each.name, each.package) for each in provided_strategies(both)] == [("newer", "acme-flags 1.2")]


def load(folder: Path, strategy: str, client: str = "urllib3") -> Experiment:
    def refuse(*_: object) -> Strategy:
        raise AssertionError("no file is named")

    content = f"strategies: [{strategy}]\nclients: [{client}]\n"
    return load_config(
        folder / "a.yaml", strategies=STRATEGIES, clients=CLIENTS, read_strategy=refuse, content=content
    )


def test_config_names_a_strategy_and_a_client_of_a_package(place: Path) -> None:
    write_package(place, ENTRY_POINTS)
    experiment = load(place, "acme_loop", "acme_http")
    (case,) = experiment.cases
    assert (case.strategy, case.client) == ("acme_loop", "acme_http")
    assert config_record(experiment, {})["packages"] == {
        "acme_loop": "acme-flags 1.2",
        "acme_http": "acme-flags 1.2",
    }
    assert "acme_flags" not in sys.modules


def test_config_that_names_a_broken_entry_is_refused_with_the_reason(place: Path) -> None:
    write_package(place, "[flagbench.strategies]\ngone = acme_flags.gone\n")
    with pytest.raises(ConfigError, match=r"gone of acme-flags 1\.2: there is no module 'acme_flags\.gone'"):
        load(place, "gone")


def test_config_that_names_no_package_is_loaded_beside_a_broken_one(place: Path) -> None:
    write_package(place, "[flagbench.strategies]\nnonsense\n")
    assert [case.strategy for case in load(place, "sequential").cases] == ["sequential"]


def test_client_of_a_package_must_open_one(place: Path) -> None:
    write_package(place, "[flagbench.clients]\nempty = acme_flags.empty\n", {**MODULES, "empty.py": ""})
    (found,) = provided_clients(installed(place))
    assert found.problem is not None
    assert "neither open_client nor open_async_client" in found.problem


def test_client_of_a_package_has_neither_versions_nor_an_environment_of_its_own(place: Path) -> None:
    """Workers of such an environment have no other packages than those that strategies import."""
    text = "import requests\nOWN_ENVIRONMENT = ('requests',)\ndef open_client(settings): ...\n"
    write_package(place, "[flagbench.clients]\ngot = acme_flags.requests\n", {"requests.py": text})
    client = find_provided("got", provided_clients(installed(place)))
    assert client is not None
    assert (client.distribution, client.requirements) == ("", ())
