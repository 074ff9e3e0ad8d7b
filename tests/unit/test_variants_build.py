"""Steps of building a variant."""

from pathlib import Path

import pytest

from bench.config.imported_modules import imported_modules
from bench.model.comparison import Variant
from bench.system.paths import home
from bench.variants.build import find_counterpart, find_origins
from bench.variants.run_command import summarize_stderr
from bench.variants.tree import exclude_runs_and_cache
from bench.variants.uv import filter_environment
from bench.variants.virtualenv import installed_versions, modules_behind
from tests.repositories import git


def test_counterpart_of_a_file_is_at_the_same_place_of_the_tree(tmp_path: Path) -> None:
    top, tree = tmp_path / "top", tmp_path / "tree"
    for folder in (top, tree):
        (folder / "own").mkdir(parents=True)
    for file in (
        top / "own" / "both.py",
        tree / "own" / "both.py",
        top / "own" / "new.py",
        tmp_path / "else.py",
    ):
        file.touch()
    assert find_counterpart(top / "own" / "both.py", [top], tree) == tree / "own" / "both.py"
    assert find_counterpart(top / "own" / "new.py", [top], tree) is None
    assert find_counterpart(tmp_path / "else.py", [top], tree) == tmp_path / "else.py"


@pytest.mark.parametrize(
    "path", [".", "../downloader", "../../../other/services/downloader", "../../../copy"]
)
def test_tree_of_a_sub_folder_has_the_files_of_that_folder(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be it the folder itself, the same folder of another checkout, or a copy of it."""
    for top in ("here", "other"):
        (tmp_path / top / "services" / "downloader").mkdir(parents=True)
        git(tmp_path / top, "init", "--quiet")
    (tmp_path / "copy").mkdir()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "mine.py").touch()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(tmp_path / "here" / "services" / "downloader")
    origins = find_origins(Variant(path=Path(path)))
    assert find_counterpart(Path.cwd() / "mine.py", origins, tree) == tree / "mine.py"
    assert find_counterpart(tmp_path / "here" / "mine.py", origins, tree) == tree / "mine.py"
    assert find_counterpart(tmp_path / "here" / "lost.py", origins, tree) is None
    assert find_origins(Variant(rev="main")) == (tmp_path / "here",)


def test_label_of_a_folder_is_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one" / "two").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "one" / "two")
    monkeypatch.setenv("HOME", str(tmp_path))
    names = {
        ".": "two",
        "..": "one",
        "../..": "~",
        "/": "root",
        "x/..": "two",
        "~": "~",
        "~/one/": "one",
        "./x": "x",
    }
    assert {path: Variant(path=Path(path)).label for path in names} == names


def test_modules_of_a_strategy_include_those_of_its_own_modules(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    for name, text in {
        "mine.py": "import os, common, httpx\n",
        "common.py": "import pack, mine\nfrom requests import get\n",
        "pack/__init__.py": "",
        "pack/inner.py": "import aiohttp\n",
        "unused.py": "import pycurl\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = imported_modules([tmp_path / "mine.py"], [tmp_path])
    assert found == ["aiohttp", "common", "httpx", "mine", "pack", "requests"]


def test_runs_nested_repositories_and_the_cache_are_excluded_from_a_tree() -> None:
    paths = [
        b"a.py",
        b"nested/",
        b"out/journal.jsonl",
        b"out/table.md",
        b"outer.py",
        b"c/trees/x",
        b"cc/x",
        b"",
    ]
    assert exclude_runs_and_cache(paths, b"c") == [b"a.py", b"outer.py", b"cc/x"]
    assert exclude_runs_and_cache(paths, None) == [b"a.py", b"outer.py", b"c/trees/x", b"cc/x"]


def test_libraries_of_clients_are_pinned_with_their_dependencies() -> None:
    clients = home() / "strategies" / "clients"
    modules = modules_behind([clients / "httpx.py", clients / "nothing.py"])
    assert modules == ["h2", "httpcore", "httpx"]
    direct, constraints = installed_versions([*modules, "no_such_module"])
    assert {line.partition("==")[0] for line in direct} >= {"httpx", "httpcore"}
    assert {line.partition("==")[0] for line in constraints} >= {
        "httpx",
        "httpcore",
        "h11",
        "anyio",
        "certifi",
    }
    assert "pytest" not in {line.partition("==")[0] for line in constraints}


def test_uv_gets_the_users_variables_but_those_of_the_target() -> None:
    users = {"UV_INDEX_URL": "x", "HTTPS_PROXY": "x", "VIRTUAL_ENV": "x", "PYTHONPATH": "x", "UV_PYTHON": "x"}
    assert filter_environment(users).keys() == {"UV_INDEX_URL", "HTTPS_PROXY"}


def test_stderr_is_summarized_in_one_line_without_urls() -> None:
    said = "\n".join(["failed: https://me:secret@host/simple/x/", *"abcdef", "\x1b[31mcause: x"])
    words = summarize_stderr(said.encode())
    assert words == "failed: (address) a … f \N{REPLACEMENT CHARACTER}[31mcause: x"
    assert (
        summarize_stderr(b"Traceback (most recent call last):\n  x\n    y\nValueError: why\n")
        == "ValueError: why"
    )
    assert summarize_stderr(b"") == "it did not say why"


def test_imports_within_functions_and_conditions_count(tmp_path: Path) -> None:
    """Their versions are shown where they differ, too."""
    text = "try:\n    import idna\nexcept ImportError:\n    pass\ndef download_many(job):\n    import httpx\n"
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    assert imported_modules([tmp_path / "mine.py"]) == ["httpx", "idna"]
