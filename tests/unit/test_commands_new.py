"""``new`` and ``init``: files to go on from."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli import cli
from bench.config import catalog
from bench.config.loader import load_config
from bench.errors import UsageError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_written_config_is_valid_with_every_line_that_is_commented_out() -> None:
    """A line that stands for another one replaces it."""
    CliRunner().invoke(cli, ["init"], catch_exceptions=False)
    text = Path("flagbench.yaml").read_text("utf-8")
    assert text.count("\n# profile:") == text.count("\n# blocks:") == 1
    lines = text.replace("\nprofile:", "\n#").replace("\nblocks:", "\n#")
    for key in ("profile", "blocks", "precision", "budget", "margin"):
        lines = lines.replace(f"\n# {key}:", f"\n{key}:")
    for content in (text, lines):
        Path("flagbench.yaml").write_text(content, "utf-8")
        loaded = load_config(
            "flagbench.yaml",
            strategies=catalog.find_strategies(),
            clients=catalog.find_clients(),
            read_strategy=catalog.read_strategy,
        )
        assert len(loaded.cases) > 5
    assert loaded.stopping is not None


@pytest.mark.parametrize(
    ("command", "file", "message"),
    [
        ("new", "there.py", "there.py exists"),
        ("new", "mine.txt", "is no Python file; name it mine.py"),
        ("new", "no/mine.py", "there is no folder no"),
        ("new", "my-download.py", "is not named like a Python module"),
        ("new", "sequential.py", "has the name of a shipped module"),
        ("init", "there.yaml", "there.yaml exists"),
        ("init", "mine.py", "is no YAML file; name it mine.yaml"),
    ],
)
def test_file_that_cannot_be_written_is_refused_and_left_alone(command: str, file: str, message: str) -> None:
    Path("there.py").write_text("mine")
    Path("there.yaml").write_text("mine")
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(cli, [command, file], catch_exceptions=False)
    assert Path("there.py").read_text() == Path("there.yaml").read_text() == "mine"
