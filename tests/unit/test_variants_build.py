"""Steps of building a variant."""

from pathlib import Path

from bench.system.paths import home
from bench.variants.build import counterpart_strategy
from bench.variants.run_command import summarize_stderr
from bench.variants.tree import exclude_runs_and_cache
from bench.variants.uv import filter_environment
from bench.variants.virtualenv import installed_versions, modules_behind


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
    assert counterpart_strategy(top / "own" / "both.py", top, tree) == tree / "own" / "both.py"
    assert counterpart_strategy(top / "own" / "new.py", top, tree) is None
    assert counterpart_strategy(tmp_path / "else.py", top, tree) == tmp_path / "else.py"


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
