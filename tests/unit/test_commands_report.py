"""Tests of `report`: files, single charts, and what is refused."""

import shutil
from pathlib import Path

import pytest

from bench.system import optional_dependencies
from bench.system.optional_dependencies import install_command
from tests.program import call

RUNS = Path(__file__).parents[1] / "fixtures" / "contract" / "runs"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a copy of a stored run."""
    return Path(shutil.copytree(RUNS / "small", tmp_path / "small"))


@pytest.mark.long
def test_report_is_written_into_the_folder_of_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: Path
) -> None:
    assert call(monkeypatch, "report", str(run)) == 0
    page = (run / "report.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    said = capsys.readouterr()
    assert said.out == f"{run / 'report.html'}\n"
    assert said.err == f"wrote {len(page.encode()) / 1e6:.1f} MB; open in a browser:\n"


def test_report_of_a_comparison_without_a_journal_is_written_where_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    assert call(monkeypatch, "report", str(RUNS / "slower"), "-o", str(file)) == 0
    assert 'id="ratios"' in file.read_text("utf-8")


@pytest.mark.parametrize(("form", "beginning"), [((), b"<svg"), (("--format", "png"), b"\x89PNG")])
def test_single_chart_goes_to_a_file_or_to_stdout(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
    form: tuple[str, ...],
    beginning: bytes,
) -> None:
    words = ("report", str(RUNS / "small"), "--chart", "elapsed", *form)
    assert call(monkeypatch, *words, "-o", str(tmp_path / "chart")) == 0
    written = (tmp_path / "chart").read_bytes()
    assert written.startswith(beginning)
    capfdbinary.readouterr()
    assert call(monkeypatch, *words) == 0
    assert capfdbinary.readouterr().out == written


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--chart", "elapsd"),
            "there is no chart 'elapsd'; choose from ratios, run-ratios, thresholds, downloads, work, ",
        ),
        (("--chart", "ratios"), "the run has no data for the chart ratios; "),
        (("--format", "svg"), "svg is one chart; name it with --chart, such as --chart elapsed"),
        (("--format", "html", "--chart", "elapsed"), "--chart is one picture, and html a whole page; "),
        (("-o", "no-folder/page.html"), "--out: there is no folder "),
    ],
)
def test_impossible_request_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run: Path,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(run)
    assert call(monkeypatch, "report", str(run), *words) == 2
    assert capsys.readouterr().err.startswith(f"error[usage]: {message}")
    assert {each.name for each in run.iterdir()} == {"journal.jsonl", "run.json"}


@pytest.mark.parametrize("name", ["run.json", "journal.jsonl", "table.md"])
def test_report_does_not_replace_a_part_of_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: Path, name: str
) -> None:
    before = {each.name: each.read_bytes() for each in run.iterdir()}
    assert call(monkeypatch, "report", str(run), "-o", str(run / name)) == 2
    assert "is a part of the run in" in capsys.readouterr().err
    assert {each.name: each.read_bytes() for each in run.iterdir()} == before


@pytest.mark.parametrize(
    "words",
    [("report", str(RUNS / "small")), ("run", "default", "--report", "page.html")],
    ids=["report", "run"],
)
def test_missing_libraries_are_named_with_their_remedy_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(optional_dependencies, "find_spec", lambda name: None if name == "altair" else name)
    assert call(monkeypatch, *words) == 4
    said = f"error[environment]: a report needs altair, which is not installed; {install_command('report')}\n"
    assert capsys.readouterr().err.endswith(said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [("run", "default"), ("ab", "main"), ("gate", "--against", "main")], ids=["run", "ab", "gate"]
)
def test_report_that_cannot_be_written_is_refused_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *command, "--report", str(tmp_path)) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error[usage]: --report: ")
    out = tmp_path / "run"
    assert call(monkeypatch, *command, "--out", str(out), "--report", str(out / "run.json")) == 2
    assert "is a part of the run" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
