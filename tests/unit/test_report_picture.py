"""Pictures of the terminal have the text of the terminal, and load nothing."""

import os
import shlex
from pathlib import Path
from typing import Final

import pytest

from bench.report.picture import console_to_svg, recording_console
from tests.pictures import pictured_lines, remote_references, root_of, title_of
from tests.program import call

ROOT: Final = Path(__file__).parents[2]
RUNS: Final = ROOT / "tests" / "fixtures" / "contract" / "runs"
SHIPPED: Final = sorted((ROOT / "docs" / "pictures").iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("small",),
        ("small", "--full"),
        ("small", "--against", "sequential/*"),
        ("small", "--scaling"),
        ("slower",),
        ("slower", "--full"),
    ],
    ids=" ".join,
)
def test_picture_has_what_show_prints(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(RUNS)
    monkeypatch.setenv("COLUMNS", "80")
    picture = tmp_path / "picture.svg"
    assert call(monkeypatch, "show", *words, "--svg", str(picture)) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert len(printed) > 4
    assert pictured_lines(picture) == [line for line in printed if line]
    assert title_of(picture) == shlex.join(["flagbench", "show", *words])
    assert not remote_references(picture)


@pytest.mark.parametrize("form", ["csv", "json", "markdown"])
def test_only_the_table_has_a_picture(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.svg"
    words = (str(RUNS / "small"), "--svg", str(picture), "--format", form)
    assert call(monkeypatch, "show", *words) == 2
    assert f"--svg is a picture of the table, not of {form}; leave out --format" in capsys.readouterr().err
    assert not picture.exists()


def test_picture_that_cannot_be_written_is_refused_before_anything_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "show", str(RUNS / "small"), "--svg", str(tmp_path / "no" / "x.svg")) == 2
    said = capsys.readouterr()
    assert "--svg: there is no folder" in said.err
    assert not said.out


def test_picture_is_complete_though_the_reader_of_stdout_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [tmp_path / name for name in ("read.svg", "left.svg")]
    assert call(monkeypatch, "show", str(RUNS / "small"), "--svg", str(pictures[0])) == 0
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        assert call(monkeypatch, "show", str(RUNS / "small"), "--svg", str(pictures[1])) == 0
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_picture_is_well_formed_whatever_is_printed(tmp_path: Path) -> None:
    console = recording_console(80)
    lines = ["<script>&amp;{0}</text>", 'textLength="9"', "flag 🇧🇷 and 中文"]
    for line in lines:
        console.print(line)
    picture = tmp_path / "picture.svg"
    picture.write_text(console_to_svg(console, 'show "<x>&\x1b[0m\udcff{y}'), encoding="utf-8")
    assert pictured_lines(picture) == lines
    assert not remote_references(picture)


@pytest.mark.parametrize("picture", SHIPPED, ids=lambda path: path.name)
def test_shipped_picture_is_of_eighty_columns_and_loads_nothing(picture: Path) -> None:
    lines = pictured_lines(picture)
    assert len(lines) > 5
    assert max(map(len, lines)) <= 80
    assert not remote_references(picture)
    assert picture.stat().st_size < 100_000
    width = float(root_of(picture).attrib["viewBox"].split()[2])
    assert 900 < width < 1000
