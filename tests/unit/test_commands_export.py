"""The command ``export``: which file it writes, and what it refuses."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.model.results import Run
from bench.report.export.registry import FORMATS
from bench.storage.run_json import run_to_json_text
from tests.builders import case, failed, run_of, trials
from tests.program import call


def stored(folder: Path, run: Run) -> str:
    """Store a run and return its folder."""
    folder.mkdir()
    (folder / "run.json").write_text(run_to_json_text(run), encoding="ascii")
    return str(folder)


@pytest.fixture
def run(tmp_path: Path) -> str:
    """Store a run of which one trial failed."""
    of = case()
    return stored(tmp_path / "run", run_of({of: [*trials(of, [0.02, 0.03]), failed(of, 2, "crash", "why")]}))


def test_a_file_holds_what_stdout_would(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Byte for byte, whatever the format."""
    for form in FORMATS:
        assert call(monkeypatch, "export", run, "--to", form) == 0
        said = capfdbinary.readouterr().out
        assert call(monkeypatch, "export", run, "--to", form, "-o", str(tmp_path / "file")) == 0
        assert capfdbinary.readouterr().out == b""
        assert (tmp_path / "file").read_bytes() == said != b""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "run"]


def test_a_link_is_followed(run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays a link."""
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert call(monkeypatch, "export", run, "--to", "json", "-o", str(tmp_path / "link")) == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == (tmp_path / "run/run.json").read_bytes()


def test_stderr_says_what_is_not_in_the_file(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed trial; that a run is partial."""
    assert call(monkeypatch, "export", run, "--to", "bencher") == 0
    assert capsys.readouterr().err == "! threadpool_map/requests/3/20ms: 1 failed trial left out\n"
    of = case()
    partial = stored(tmp_path / "partial", replace(run_of({of: trials(of, [0.02])}), status="partial"))
    assert call(monkeypatch, "export", partial, "--to", "csv") == 0
    assert "is partial" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--to", "json", "-o", "missing/file"), "there is no folder"),
        (("--to", "json", "-o", "."), "is no file"),
        (("--to", "json", "-o", "/dev/null"), "is no file"),
        (("--to", "json", "--commit", "abc"), "--commit means nothing to json"),
        (("other", "--to", "json"), "json takes one run, not 2"),
        (("other", "--to", "otava", "--commit", "abc"), "--commit cannot be that of several runs"),
        (("--to", "xml"), "Invalid value for '--to'"),
    ],
)
def test_nonsense_is_refused(
    words: tuple[str, ...],
    what: str,
    run: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a line, and nothing is written."""
    monkeypatch.chdir(Path(run).parent)
    monkeypatch.setenv("COLUMNS", "200")
    assert call(monkeypatch, "export", run, *words) == 2
    said = capsys.readouterr()
    assert what in said.err
    assert said.out == ""
    assert [path.name for path in Path().iterdir()] == ["run"]


def test_a_run_without_success_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline that goes on regardless would else read an empty one."""
    of = case()
    hopeless = stored(tmp_path / "hopeless", run_of({of: [failed(of, 0, "crash", "why")]}))
    (tmp_path / "file").write_text("old", encoding="ascii")
    assert call(monkeypatch, "export", hopeless, "--to", "pyperf", "-o", str(tmp_path / "file")) == 2
    assert "no successful trial to export; see why with `show`" in capsys.readouterr().err
    assert (tmp_path / "file").read_text(encoding="ascii") == "old"


def test_a_terminal_gets_no_bytes(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They could move its cursor."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert call(monkeypatch, "export", run, "--to", "parquet") == 2
    said = capsys.readouterr()
    assert "not for terminals; name a file with -o" in said.err
    assert said.out == ""
