"""The project around a strategy file: the folders that are added to its worker's path."""

from pathlib import Path

import pytest

from bench.system import paths
from bench.system.paths import home, module_folders, project_path, strategies_folder


def test_modules_are_in_the_project_and_its_src(tmp_path: Path) -> None:
    assert module_folders(tmp_path) == (tmp_path,)
    (tmp_path / "src").mkdir()
    assert module_folders(tmp_path) == (tmp_path, tmp_path / "src")


def test_project_is_the_work_tree_around_the_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / ".git").mkdir(parents=True)
    (second / "src").mkdir(parents=True)
    (second / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    files = [first / "a.py", second / "deep" / "b.py", first / "deep" / "c.py", tmp_path / "d.py"]
    assert project_path(files) == (str(first), str(second), str(second / "src"))


def test_shipped_strategy_has_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "lib" / "strategies").mkdir(parents=True)
    monkeypatch.setattr(paths, "home", lambda: tmp_path / "lib")
    assert project_path([tmp_path / "lib" / "strategies" / "x.py"]) == ()
    assert project_path([tmp_path / "x.py"]) == (str(tmp_path),)


def test_shipped_strategies_add_nothing_to_the_path() -> None:
    assert project_path(strategies_folder().glob("*.py")) == ()
    assert str(home()) not in project_path([home() / "tests" / "x.py"])
