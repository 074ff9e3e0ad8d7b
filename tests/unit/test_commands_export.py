"""``export``: files, stdout and refused options."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.model.results import Run
from bench.model.round_spans import RoundSpans, pack_spans
from bench.report.export.registry import FORMATS
from bench.storage.run_json import run_to_json_text
from tests.builders import case, failed, run_of, trials
from tests.program import call


def store(folder: Path, run: Run) -> str:
    """Store a run and return its folder."""
    folder.mkdir()
    (folder / "run.json").write_text(run_to_json_text(run), encoding="ascii")
    return str(folder)


@pytest.fixture
def run(tmp_path: Path) -> str:
    """Store a run with one failed trial."""
    of, spans = case(), pack_spans(RoundSpans(0.02, (), (), 0, 0))
    first, second = trials(of, [0.02, 0.03])
    measured = [replace(first, spans=spans), second, failed(of, 2, "crash", "why")]
    return store(tmp_path / "run", run_of({of: measured}))


def test_file_and_stdout_are_equal_byte_for_byte(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for form in FORMATS:
        assert call(monkeypatch, "export", run, "--to", form) == 0
        written = capfdbinary.readouterr().out
        assert call(monkeypatch, "export", run, "--to", form, "-o", str(tmp_path / "file")) == 0
        assert capfdbinary.readouterr().out == b""
        assert (tmp_path / "file").read_bytes() == written != b""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "run"]


def test_link_is_followed_and_kept(run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert call(monkeypatch, "export", run, "--to", "json", "-o", str(tmp_path / "link")) == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == (tmp_path / "run/run.json").read_bytes()


def test_failed_trials_and_partial_runs_are_warned_of_on_stderr(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "export", run, "--to", "bencher") == 0
    assert capsys.readouterr().err == "! threadpool_map/requests/3/20ms: 1 failed trial left out\n"
    of = case()
    partial = store(tmp_path / "partial", replace(run_of({of: trials(of, [0.02])}), status="partial"))
    assert call(monkeypatch, "export", partial, "--to", "csv") == 0
    assert "is partial" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "json", "-o", "missing/file"), "there is no folder"),
        (("--to", "json", "-o", "."), "is not a file"),
        (("--to", "json", "-o", "/dev/null"), "is not a file"),
        (("--to", "json", "--commit", "abc"), "--commit has no meaning for json"),
        (("other", "--to", "json"), "json takes one run, not 2"),
        (("other", "--to", "otava", "--commit", "abc"), "--commit cannot stand for several runs"),
        (("--to", "xml"), "Invalid value for '--to'"),
    ],
)
def test_impossible_export_is_refused_and_writes_nothing(
    words: tuple[str, ...],
    message: str,
    run: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(Path(run).parent)
    monkeypatch.setenv("COLUMNS", "200")
    assert call(monkeypatch, "export", run, *words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert [path.name for path in Path().iterdir()] == ["run"]


def test_run_without_successful_trials_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline that ignores the exit code must not read an empty one."""
    of = case()
    hopeless = store(tmp_path / "hopeless", run_of({of: [failed(of, 0, "crash", "why")]}))
    (tmp_path / "file").write_text("old", encoding="ascii")
    assert call(monkeypatch, "export", hopeless, "--to", "pyperf", "-o", str(tmp_path / "file")) == 2
    assert "no successful trial to export; see why with `show`" in capsys.readouterr().err
    assert (tmp_path / "file").read_text(encoding="ascii") == "old"


def test_binary_format_is_refused_on_a_terminal(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert call(monkeypatch, "export", run, "--to", "parquet") == 2
    captured = capsys.readouterr()
    assert "this format is binary; name a file with -o" in captured.err
    assert captured.out == ""
