"""The command line without any run: usage, errors, exit codes."""

import errno
import json
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import click
import pytest

from bench.cli import cli
from bench.errors import LockedError
from tests.builders import case, run_of, trials
from tests.program import call

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", cli.list_commands(click.Context(cli)))
def test_every_command_explains_itself(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With ``-h``."""
    assert call(monkeypatch, command, "-h") == 0
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run"], 2, "Missing argument"),
        (["runn", "default"], 2, "No such command"),
        (["run", "defualt"], 2, "did you mean 'default'?"),
        (["run", "default", "--only", "nothing*"], 2, "error[usage]: no case matches 'nothing*'"),
        (["show", "none"], 2, "error[usage]: there is no run 'none'"),
        (["noise", "default", "--blocks", "5"], 2, "error[usage]: 5 blocks show no noise; it takes 6"),
        (["noise", "--gate", "3"], 2, "did you mean '3%'?"),
        (["noise", "--gate", "0%"], 2, "must be more than 0%"),
        (["noise", "default", "--gate", "3%"], 2, "it goes with --blocks alone"),
        (["noise", "--resume", "last", "--gate", "3%"], 2, "it goes with --blocks alone"),
        (["noise", "--resume", "last", "--out", "x"], 2, "it does not go with --out"),
        (["run", "ci", "--resume", "none"], 2, "error[usage]: there is no run 'none'"),
        (["download", "B1"], 2, "error[usage]: CC must be"),
        (["download", "BR", "--client", "htpx"], 2, "unknown client 'htpx'"),
        (["download", "BR", "--client", "aiohttp"], 2, "cannot use client aiohttp"),
        (["download", "BR", "--strategy", "nope"], 2, "unknown strategy 'nope'"),
        (["serve", "--host", "192.0.2.1"], 2, "reached from other machines"),
    ],
)
def test_a_wrong_command_says_what_is_wrong_and_exits_with_two(
    words: list[str],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On stderr; stdout stays empty."""
    assert call(monkeypatch, *words) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_an_unreadable_run_exits_with_five(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its path."""
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    assert call(monkeypatch, "show", str(tmp_path)) == 5
    assert "error[results]: " in capsys.readouterr().err


def test_what_the_machine_lacks_in_the_midst_of_things_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the file for which there was nothing left, if there was one."""
    for said, name in (("", None), (": /tmp/x", "/tmp/x")):  # noqa: S108  a message
        lack = OSError(errno.EMFILE, "Too many open files", name)
        monkeypatch.setattr("bench.commands.check.load_experiment", Mock(side_effect=lack))
        assert call(monkeypatch, "check", "default") == 4
        expected = f"error[environment]: the machine has no more to give: Too many open files{said}\n"
        assert capsys.readouterr().err == expected


def test_a_bug_exits_with_seven_and_asks_for_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a traceback, which ``--debug`` would show."""

    def broken(_run: Path) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("bench.commands.show.load_run", broken)
    assert call(monkeypatch, "show", "last") == 7
    assert capsys.readouterr().err.startswith("error[bug]: ZeroDivisionError")


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
def test_a_stored_run_is_shown_in_each_format(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And JSON is JSON."""
    from bench.storage.run_folder import save_run

    loop = case("asyncio_gather", "aiohttp")
    save_run(tmp_path, run_of({loop: trials(loop, [0.02] * 6)}), "")
    assert call(monkeypatch, "show", str(tmp_path), "--format", form) == 0
    text = capsys.readouterr().out
    assert "asyncio" in text
    if form == "json":
        assert json.loads(text)["schema"] == 3


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Store a run of one strategy with three numbers of workers and of another with one."""
    from bench.storage.run_folder import save_run

    cases = [case("asyncio_gather", "aiohttp"), *(case(workers=workers) for workers in (1, 20, 200))]
    values = [0.02 + block / 1e4 for block in range(6)]
    save_run(tmp_path, run_of({each: trials(each, values) for each in cases}), "")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--against", "asyncio"], "against asyncio_gather with aiohttp and 3 workers"),
        (["--scaling"], "example: 3 flags (pop3), profile 20ms, by workers"),
        (["--scaling", "--against", "*/3/*", "--format", "markdown"], "| threadpool_map requests | 200 |"),
    ],
)
def test_comparisons_within_a_run_are_shown(
    words: list[str],
    said: str,
    stored: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of one case against all others, and of workers; or both."""
    assert call(monkeypatch, "show", str(stored), *words) == 0
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--against", "thread"], "'thread' matches 3 cases; say which of threadpool_map/requests/1/"),
        (["--against", "gevent"], "no case matches 'gevent'"),
        (["--scaling", "--format", "csv"], "not written as csv; take --format table or markdown"),
        (["--scaling", "--format", "json"], "not written as json"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    words: list[str],
    said: str,
    stored: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before anything is printed."""
    assert call(monkeypatch, "show", str(stored), *words) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("what", ["strategies", "clients", "configs", "runs"])
def test_each_list_names_what_there_is(
    what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Known names are in it."""
    expected = {"strategies": "processpool_map", "clients": "aiohttp", "configs": "scale", "runs": "status"}
    assert call(monkeypatch, "list", what) == 0
    assert expected[what] in capsys.readouterr().out


def test_runs_of_which_there_is_only_a_journal_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They can be finished; a damaged one is named as such."""
    from bench.storage.journal import new_journal
    from bench.storage.run_folder import RUNS
    from tests.builders import BEGINNING

    for name in ("left", "spoilt"):
        (RUNS / name).mkdir(parents=True)
    with new_journal(RUNS / "left" / "journal.jsonl", BEGINNING) as journal:
        journal.append(trials(case(), [0.02])[0])
    (RUNS / "spoilt" / "journal.jsonl").touch()
    assert call(monkeypatch, "list", "runs") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "left journal only 1 2026-01-02T03:04:05+00:00" in said
    assert "spoilt unreadable" in said
    assert "damaged at byte 0" in said


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 4, "environment"),
        (OSError(errno.EMFILE, "Too many open files"), 4, "environment"),
        (OSError(errno.EBADF, "Bad file descriptor"), 7, "bug"),
        (LockedError("results are in use by process 1"), 6, "locked"),
    ],
)
def test_what_the_machine_is_to_blame_for_is_no_bug(
    error: Exception,
    code: int,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Wherever it shows."""

    def broken(_run: Path) -> None:
        raise error

    monkeypatch.setattr("bench.commands.show.load_run", broken)
    assert call(monkeypatch, "show", "last") == code
    assert capsys.readouterr().err.startswith(f"error[{kind}]: ")


def test_an_error_that_cannot_be_said_keeps_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk that takes stderr may be full."""

    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bench.__main__.click.echo", broken)
    assert call(monkeypatch, "show", "none") == 2


def test_the_schema_that_is_printed_is_the_one_committed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Editors use the file, tools the command."""
    from bench.system.paths import configs_folder

    assert call(monkeypatch, "schema") == 0
    committed = json.loads((configs_folder() / "schema.json").read_text("utf-8"))
    assert json.loads(capsys.readouterr().out) == committed


def test_check_prints_cases_ideals_and_the_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a shipped config, by its name."""
    assert call(monkeypatch, "check", "default") == 0
    text = capsys.readouterr().out
    assert "sequential/requests/1/" in text
    assert "in all" in text


def test_the_list_of_commands_has_the_first_sentence_of_each_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is written without importing the commands."""
    monkeypatch.setenv("COLUMNS", "200")
    assert call(monkeypatch, "--help") == 0
    listed = " ".join(capsys.readouterr().out.split())
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
        summary = (command.help or "").partition("\n\n")[0]
        assert f"{name} {summary}" in listed


def test_help_imports_no_command() -> None:
    """Otherwise it would take half a second."""
    command = [sys.executable, "-X", "importtime", "-m", "bench", "--help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stderr
    loaded = {line.rpartition("|")[2].strip() for line in listed.splitlines()}
    assert "bench.cli" in loaded
    assert not [name for name in loaded if name.startswith(("bench.commands", "bench.app", "pydantic"))]
