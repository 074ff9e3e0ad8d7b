"""Whose harness measures a tree, and which strategies it has: read, never run."""

import os
from pathlib import Path

import pytest

from bench.system.paths import home
from bench.variants.build import counterpart_strategy
from bench.variants.environment import installed_versions, modules_behind
from bench.variants.harness import protocol_of, speaks_as_we_do, strategies_for
from bench.variants.run_command import last_words
from bench.variants.snapshot import untracked
from bench.variants.uv import environment_of
from bench.worker import protocol
from bench.worker.protocol import PROTOCOL


def test_our_own_tree_speaks_as_we_do() -> None:
    """The number is read from the text of the module that has it."""
    assert protocol_of(Path(protocol.__file__)) == PROTOCOL
    assert speaks_as_we_do(home())
    assert "threadpool_map" in strategies_for(home())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("PROTOCOL = 7", 7),
        ("PROTOCOL: int = 7", 7),
        ("OTHER = 7", None),
        ("PROTOCOL = 'x'", None),
        ("PROTOCOL = 3 + 4", None),
        ("def f():\n    PROTOCOL = 7", None),
        ("PROTOCOL = = 7", None),
        ("x = " + "(" * 5000, None),
        ("\0", None),
    ],
)
def test_a_protocol_is_a_number_at_the_top_of_its_file(text: str, number: int | None, tmp_path: Path) -> None:
    """Anything else is none, and no error."""
    file = tmp_path / "protocol.py"
    file.write_text(text, encoding="utf-8")
    assert protocol_of(file) == number


def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Nor is a tree taken for ours that has one."""
    (tmp_path / "bench" / "worker").mkdir(parents=True)
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "__init__.py").touch()
    os.mkfifo(tmp_path / "bench" / "worker" / "protocol.py")
    os.mkfifo(tmp_path / "strategies" / "x.py")
    assert protocol_of(tmp_path / "bench" / "worker" / "protocol.py") is None
    assert not speaks_as_we_do(tmp_path)
    assert strategies_for(tmp_path) == {}


def test_only_a_flagbench_has_strategies_that_are_named_by_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever lies in the strategies/ of others; of a flagbench, files that are broken count, too."""
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    tree = tmp_path / "tree"
    (tree / "strategies").mkdir(parents=True)
    for name in ("__init__", "mine", "broken"):
        (tree / "strategies" / f"{name}.py").write_text("def", encoding="utf-8")
    assert set(strategies_for(tree)) == set(strategies_for(home()))
    assert "threadpool_map" in strategies_for(tree)
    (tree / "bench" / "worker").mkdir(parents=True)
    assert set(strategies_for(tree)) == {"mine", "broken"}


def test_a_file_of_the_repository_is_that_of_the_tree(tmp_path: Path) -> None:
    """At the same place; a file from elsewhere is the same for both sides."""
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


def test_runs_repositories_and_the_cache_are_no_part_of_a_tree() -> None:
    """A tree must not be another because it was measured."""
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
    assert untracked(paths, b"c") == [b"a.py", b"outer.py", b"cc/x"]
    assert untracked(paths, None) == [b"a.py", b"outer.py", b"c/trees/x", b"cc/x"]


def test_libraries_are_those_that_client_files_import() -> None:
    """In the versions of this interpreter, and with versions for what they depend on."""
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


def test_uv_sees_what_the_user_set_but_where_to_install() -> None:
    """Indexes and proxies are the user's; the environment is ours."""
    users = {"UV_INDEX_URL": "x", "HTTPS_PROXY": "x", "VIRTUAL_ENV": "x", "PYTHONPATH": "x", "UV_PYTHON": "x"}
    assert environment_of(users).keys() == {"UV_INDEX_URL", "HTTPS_PROXY"}


def test_last_words_are_one_line_without_addresses() -> None:
    """Of many lines, the first and the last ones; of what moves a cursor, nothing."""
    said = "\n".join(["failed: https://me:secret@host/simple/x/", *"abcdef", "\x1b[31mcause: x"])
    words = last_words(said.encode())
    assert words == "failed: (address) a … f \N{REPLACEMENT CHARACTER}[31mcause: x"
    assert (
        last_words(b"Traceback (most recent call last):\n  x\n    y\nValueError: why\n") == "ValueError: why"
    )
    assert last_words(b"") == "it did not say why"
