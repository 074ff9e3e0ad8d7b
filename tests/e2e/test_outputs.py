"""Outputs that cannot be written at the end: the results are shown, and their exit code stands."""

import subprocess
from pathlib import Path

import pytest

from tests.runs import ROOT, command, config, resumed

pytestmark = [pytest.mark.e2e]

REMOVER = """\
import shutil

def download_many(job):
    shutil.rmtree({folder!r}, ignore_errors=True)
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
"""


def ran(path: Path, stdout: str = "") -> subprocess.CompletedProcess[str]:
    """Run a config, with another stdout if one is named."""
    with Path(stdout or "/dev/null").open("w", encoding="utf-8") as file:
        return subprocess.run(
            [*command(path), "--quiet"],
            cwd=ROOT,
            stdout=file if stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.mark.long
def test_table_is_shown_though_the_folder_of_the_run_is_removed_meanwhile(tmp_path: Path) -> None:
    """The run is lost, which is an error."""
    strategy = tmp_path / "remover.py"
    strategy.write_text(REMOVER.format(folder=str(tmp_path / "run")), encoding="utf-8")
    ended = ran(config(tmp_path, [str(strategy)]))
    assert ended.returncode == 4, ended.stderr
    assert "remover" in ended.stdout
    assert f"nothing is kept: {tmp_path}/run/journal.jsonl was removed" in ended.stderr
    assert f"error[environment]: cannot write {tmp_path}/run/table.md: No such file" in ended.stderr


@pytest.mark.long
def test_run_whose_document_cannot_be_written_is_resumed_from_its_journal(tmp_path: Path) -> None:
    """A trial that failed is still what the exit code says."""
    strategy = tmp_path / "blocker.py"
    blocked = tmp_path / "run" / "run.json" / "file"
    text = f"import pathlib\npathlib.Path({str(blocked)!r}).parent.mkdir(exist_ok=True)\n"
    text += f"pathlib.Path({str(blocked)!r}).touch()\ndef download_many(job): return []\n"
    strategy.write_text(text, encoding="utf-8")
    path = config(tmp_path, [str(strategy)])
    ended = ran(path)
    assert ended.returncode == 3, ended.stderr
    assert "only the trials are kept, in" in ended.stderr
    assert "run.json: Is a directory; remove the folder" in ended.stderr
    blocked.unlink()
    blocked.parent.rmdir()
    assert resumed(path, "--quiet").returncode == 3
    assert blocked.parent.is_file()


@pytest.mark.long
def test_run_is_kept_though_its_table_cannot_be_printed(tmp_path: Path) -> None:
    ended = ran(config(tmp_path, ["sequential"]), "/dev/full")
    assert ended.returncode == 0, ended.stderr
    assert "warning: stdout cannot be written: No space left on device" in ended.stderr
    assert (tmp_path / "run" / "run.json").exists()
