"""Configs by name and by path."""

from pathlib import Path

import pytest

from bench.config.loader import find_config
from bench.errors import ConfigError
from bench.system import paths


def test_bare_name_is_a_shipped_config_whatever_the_current_folder_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").touch()
    (tmp_path / "default.yaml").touch()
    assert find_config("default") == paths.configs_folder() / "default.yaml"
    assert find_config("default.yaml") == Path("default.yaml")
    assert find_config("./default.yaml") == Path("default.yaml")
    (tmp_path / "default.txt").touch()
    assert find_config("default.txt") == Path("default.txt")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("defalt", "defalt: no such config; did you mean 'default'?"),
        ("zzz", "zzz: no such config"),
        ("mine.txt", "mine.txt: no such file"),
        ("mien.yaml", "mien.yaml: no such file; did you mean 'mine.yaml'?"),
        ("nowhere/mine.yaml", "nowhere/mine.yaml: no such file"),
        ("\x1b[31m", "'\\x1b[31m': no such config"),
    ],
)
def test_missing_config_is_rejected_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        find_config(name)
    assert caught.value.problems == (problem,)
