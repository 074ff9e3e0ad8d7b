"""The folders that a strategy may import from: its own, its project's, and the top of its repository."""

from pathlib import Path

import pytest

from bench.errors import SetupError
from bench.system import paths
from bench.system.paths import home, join_import_path, module_folders, strategies_folder, strategy_path


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Make a repository with a project in a sub-folder."""
    (tmp_path / "top" / ".git").mkdir(parents=True)
    (tmp_path / "top" / "services" / "downloader" / "src" / "flags").mkdir(parents=True)
    return tmp_path / "top"


def test_modules_are_in_the_project_and_its_src(tmp_path: Path) -> None:
    assert module_folders(tmp_path) == (tmp_path,)
    (tmp_path / "src").mkdir()
    assert module_folders(tmp_path) == (tmp_path, tmp_path / "src")


def test_strategy_may_import_from_its_folder_its_project_and_its_repository(top: Path) -> None:
    downloader = top / "services" / "downloader"
    assert strategy_path(downloader / "src" / "flags" / "mine.py") == tuple(
        map(str, (downloader / "src" / "flags", downloader, downloader / "src", top))
    )
    assert strategy_path(downloader / "src" / "mine.py") == tuple(
        map(str, (downloader / "src", downloader, top))
    )
    assert strategy_path(top / "mine.py") == (str(top),)
    (top / "src").mkdir()
    assert strategy_path(top / "deep" / "mine.py") == tuple(map(str, (top / "deep", top, top / "src")))


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.txt", "setup.py", "uv.lock"])
def test_project_is_the_nearest_folder_with_a_file_of_one(top: Path, name: str) -> None:
    (top / "a" / "b" / "c").mkdir(parents=True)
    (top / "a" / "pyproject.toml").touch()
    (top / "a" / "b" / name).touch()
    found = strategy_path(top / "a" / "b" / "c" / "mine.py")
    assert found == tuple(map(str, (top / "a" / "b" / "c", top / "a" / "b", top)))


def test_strategy_outside_any_repository_has_its_folder_and_its_project(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert strategy_path(tmp_path / "a" / "b" / "mine.py") == (str(tmp_path / "a" / "b"),)
    (tmp_path / "a" / "pyproject.toml").touch()
    assert strategy_path(tmp_path / "a" / "b" / "mine.py") == (str(tmp_path / "a" / "b"), str(tmp_path / "a"))


def test_tree_of_a_variant_is_the_top_of_its_files(top: Path) -> None:
    """A repository around the cache of trees plays no part."""
    tree = top / "cache" / "trees" / "x"
    (tree / "sub").mkdir(parents=True)
    assert strategy_path(tree / "sub" / "mine.py", tree=tree) == (str(tree / "sub"), str(tree))
    assert strategy_path(top / "mine.py", tree=tree) == (str(top),)


def test_link_to_a_strategy_has_the_folders_of_its_file(top: Path, tmp_path: Path) -> None:
    (top / "mine.py").touch()
    (tmp_path / "mine.py").symlink_to(top / "mine.py")
    assert strategy_path(tmp_path / "mine.py") == (str(top),)


def test_shipped_strategy_has_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "lib" / "strategies").mkdir(parents=True)
    monkeypatch.setattr(paths, "home", lambda: tmp_path / "lib")
    assert strategy_path(tmp_path / "lib" / "strategies" / "x.py") == ()
    assert strategy_path(tmp_path / "x.py") == (str(tmp_path),)
    assert strategy_path(tmp_path / "strategies" / "x.py", [str(tmp_path)]) == ()


def test_shipped_strategies_add_nothing_to_the_path() -> None:
    assert not [file for file in strategies_folder().glob("*.py") if strategy_path(file)]
    assert str(home()) not in strategy_path(home() / "tests" / "x.py")


def test_folder_whose_name_separates_folders_is_refused_by_name(tmp_path: Path) -> None:
    assert join_import_path([tmp_path, "/b"]) == f"{tmp_path}:/b"
    with pytest.raises(
        SetupError, match=r"^the folder /jobs/12:30/src cannot be on an import path: ':' "
    ) as refused:
        join_import_path(["/a", Path("/jobs/12:30/src")])
    assert "rename" in refused.value.hint
