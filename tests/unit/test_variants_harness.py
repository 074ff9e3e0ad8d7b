"""Choosing the harness and the strategies of a tree."""

import os
from pathlib import Path

import pytest

from bench.system.paths import home
from bench.variants.harness import has_same_protocol, named_strategies, read_protocol
from bench.worker import protocol
from bench.worker.protocol import PROTOCOL


def test_our_own_tree_has_the_same_protocol() -> None:
    assert read_protocol(Path(protocol.__file__)) == PROTOCOL
    assert has_same_protocol(home())
    assert "threadpool_map" in named_strategies(home())


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
def test_protocol_is_a_number_at_the_top_level_of_its_file(
    text: str, number: int | None, tmp_path: Path
) -> None:
    file = tmp_path / "protocol.py"
    file.write_text(text, encoding="utf-8")
    assert read_protocol(file) == number


def test_named_pipes_instead_of_files_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "bench" / "worker").mkdir(parents=True)
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "__init__.py").touch()
    os.mkfifo(tmp_path / "bench" / "worker" / "protocol.py")
    os.mkfifo(tmp_path / "strategies" / "x.py")
    assert read_protocol(tmp_path / "bench" / "worker" / "protocol.py") is None
    assert not has_same_protocol(tmp_path)
    assert named_strategies(tmp_path) == {}


def test_strategies_of_other_projects_are_not_named_by_a_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    tree = tmp_path / "tree"
    (tree / "strategies").mkdir(parents=True)
    for name in ("__init__", "mine", "broken"):
        (tree / "strategies" / f"{name}.py").write_text("def", encoding="utf-8")
    assert set(named_strategies(tree)) == set(named_strategies(home()))
    assert "threadpool_map" in named_strategies(tree)
    (tree / "bench" / "worker").mkdir(parents=True)
    assert set(named_strategies(tree)) == {"mine", "broken"}
