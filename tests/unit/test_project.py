"""Where a strategy of one's own looks for the project around it."""

from pathlib import Path

import pytest

from bench.system import paths
from bench.system.paths import home, module_folders, project_path, strategies_folder


def test_modules_lie_at_the_top_and_in_src(tmp_path: Path) -> None:
    """As the two usual layouts have it."""
    assert module_folders(tmp_path) == (tmp_path,)
    (tmp_path / "src").mkdir()
    assert module_folders(tmp_path) == (tmp_path, tmp_path / "src")


def test_the_project_is_the_work_tree_that_the_file_lies_in(tmp_path: Path) -> None:
    """Once, however many files it has; a linked work tree has a file where others have a folder."""
    first, second = tmp_path / "first", tmp_path / "second"
    (first / ".git").mkdir(parents=True)
    (second / "src").mkdir(parents=True)
    (second / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    files = [first / "a.py", second / "deep" / "b.py", first / "deep" / "c.py", tmp_path / "d.py"]
    assert project_path(files) == (str(first), str(second), str(second / "src"))


def test_what_ships_needs_no_project_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where flagbench is installed below the work tree of another project."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "lib" / "strategies").mkdir(parents=True)
    monkeypatch.setattr(paths, "home", lambda: tmp_path / "lib")
    assert project_path([tmp_path / "lib" / "strategies" / "x.py"]) == ()
    assert project_path([tmp_path / "x.py"]) == (str(tmp_path),)


def test_what_ships_needs_nothing_besides() -> None:
    """It is on the path already."""
    assert project_path(strategies_folder().glob("*.py")) == ()
    assert str(home()) not in project_path([home() / "tests" / "x.py"])
