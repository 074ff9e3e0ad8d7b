"""The interpreter and the libraries of a worker, as it finds them in its own process."""

import importlib
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from bench.model.worker_runtime import ImportedLibrary
from bench.worker.protocol import Task
from bench.worker.runtime import describe_runtime, has_gil


def task(*client_modules: str, of_strategy: tuple[str, ...] = ()) -> Task:
    return Task(
        strategy_file=Path("s.py"),
        client="aiohttp",
        workers=1,
        keep_alive=True,
        countries=("BR",),
        repeat=1,
        base_url="http://server",
        rounds=1,
        folder=Path(),
        reference=Path(),
        request_timeout_s=1.0,
        client_modules=client_modules,
        strategy_modules=of_strategy,
    )


def described(name: str) -> ImportedLibrary:
    (library,) = describe_runtime(task(name)).libraries
    return library


@pytest.mark.parametrize("name", ["aiohttp", "requests", "httpx", "urllib3", "yaml"])
def test_an_installed_library_has_its_distribution_version_and_file(name: str) -> None:
    """``yaml`` is of a distribution with another name."""
    module = importlib.import_module(name)
    owner = {"yaml": "PyYAML"}.get(name, name)
    assert described(name) == ImportedLibrary(
        name, "client", owner, metadata.version(owner), str(module.__file__)
    )


def test_a_module_that_was_not_imported_is_left_out() -> None:
    assert "antigravity" not in sys.modules
    assert describe_runtime(task("antigravity")).libraries == ()


def test_a_module_of_client_and_strategy_is_the_clients() -> None:
    importlib.import_module("urllib3")
    importlib.import_module("requests")
    found = describe_runtime(task("urllib3", of_strategy=("requests", "urllib3"))).libraries
    assert [(each.module, each.importer) for each in found] == [
        ("requests", "strategy"),
        ("urllib3", "client"),
    ]


def from_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> ModuleType:
    """Import a package ``aiohttp`` from a folder in place of the installed one."""
    package = folder / "aiohttp"
    package.mkdir()
    (package / "__init__.py").write_text(text, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "aiohttp", raising=False)
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module("aiohttp")


@pytest.mark.parametrize(
    ("text", "version"), [('__version__ = "9.9"', "9.9"), ("", ""), ("__version__ = 9", "")]
)
def test_a_library_from_elsewhere_is_not_taken_for_the_installed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, version: str
) -> None:
    module = from_elsewhere(tmp_path, monkeypatch, text)
    try:
        assert described("aiohttp") == ImportedLibrary("aiohttp", "client", "", version, str(module.__file__))
    finally:
        sys.modules.pop("aiohttp")


def test_a_fork_in_the_place_of_another_library_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are installed in the same folder; the module says which version it has."""
    for name, version in (("forked", "1.0"), ("forked_future", "2.0")):
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        )
        (info / "top_level.txt").write_text("forked\n")
    (tmp_path / "forked.py").write_text('__version__ = "2.0"\n')
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("forked")
    try:
        found = described("forked")
    finally:
        sys.modules.pop("forked")
    assert (found.distribution, found.version) == ("forked-future", "2.0")


def test_a_package_without_a_file_has_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bare").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("bare")
    try:
        assert described("bare") == ImportedLibrary("bare", "client", "", "", str(tmp_path / "bare"))
    finally:
        sys.modules.pop("bare")


def test_interpreters_without_the_question_have_a_gil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "_is_gil_enabled", raising=False)
    assert has_gil()
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert not has_gil()
    assert not describe_runtime(task()).has_gil
