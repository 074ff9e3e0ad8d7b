"""Missing libraries of optional features, and the command that installs them."""

import shlex
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from bench.system import optional_dependencies
from bench.system.optional_dependencies import TLS, Extra, install_command, missing_extra

ROOT = Path(__file__).parents[2]


def not_installed(name: str) -> None:
    raise PackageNotFoundError(name)


def test_missing_library_is_named_with_the_command_that_installs_it() -> None:
    lack = missing_extra(Extra("tls", ("sys", "no_such_module")))
    assert str(lack) == f"needs no_such_module, which is not installed: {install_command('tls')}"
    assert str(missing_extra(Extra("x", ("no_such_a", "no_such_b")))).startswith(
        "needs no_such_a and no_such_b, wh"
    )
    assert missing_extra(TLS) is None


def test_extra_of_an_installed_package_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional_dependencies, "distribution", lambda name: name)
    assert install_command("tls") == "pip install 'flagbench[tls]'"


def test_path_with_a_quote_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional_dependencies, "home", lambda: Path("/it's here"))
    monkeypatch.setattr(optional_dependencies, "distribution", not_installed)
    assert shlex.split(install_command("tls"))[-1] == "/it's here[tls]"


def test_hint_in_a_folder_that_was_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(optional_dependencies, "distribution", not_installed)
    folder = tmp_path / "removed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert install_command("tls") == f"pip install -e '{ROOT}[tls]'"


@pytest.mark.parametrize(("is_within", "place"), [(True, "."), (False, str(ROOT))])
def test_extra_of_a_checkout_is_found_by_its_folder(
    is_within: bool,  # noqa: FBT001  table
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(optional_dependencies, "distribution", not_installed)
    monkeypatch.chdir(ROOT if is_within else tmp_path)
    assert install_command("notebook", "pandas") == f"pip install -e '{place}[notebook]' pandas"
