"""The command line without any run: usage, errors, exit codes, and commands that only print."""

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import click
import pytest

from bench.cli import cli
from bench.errors import LockedError
from bench.model.lower_bound import CaseForecast
from bench.runner.time_estimate import forecast_run
from bench.storage.journal import new_journal
from bench.storage.run_folder import RUNS, save_run
from bench.system.paths import configs_folder
from tests.builders import HEADER, case, run_of, trials
from tests.program import call

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", cli.list_commands(click.Context(cli)))
def test_every_command_has_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, command, "-h") == 0
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "Missing argument"),
        (["runn", "default"], "No such command"),
        (["run", "defualt"], "did you mean 'default'?"),
        (["run", "default", "--only", "nothing*"], "error[usage]: no case matches 'nothing*'"),
        (["show", "none"], "error[usage]: there is no run 'none'"),
        (["noise", "default", "--blocks", "5"], "5 blocks are too few to show noise; it takes 6"),
        (["noise", "--gate", "3"], "did you mean '3%'?"),
        (["noise", "--gate", "0%"], "must be more than zero"),
        (["noise", "default", "--gate", "3%"], "the only option beside it is --blocks"),
        (["noise", "--resume", "last", "--gate", "3%"], "the only option beside it is --blocks"),
        *(
            ([*words, "--resume", "last", "--out", "x"], "leave out --out")
            for words in (["run", "ci"], ["noise"], ["ab", "main"], ["gate"])
        ),
        (["run", "ci", "--out", "x", "--resume", "last"], "leave out --out"),
        (["run", "ci", "--resume", "none"], "error[usage]: there is no run 'none'"),
        (["download", "B1"], "error[usage]: CC must be"),
        (["download", "BR", "--client", "htpx"], "unknown client 'htpx'"),
        (["download", "BR", "--client", "aiohttp"], "cannot use client aiohttp"),
        (["download", "BR", "--strategy", "nope"], "unknown strategy 'nope'"),
        (["serve", "--host", "192.0.2.1"], "reached from other machines"),
    ],
)
def test_usage_error_is_explained_on_stderr_with_exit_code_two(
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_unreadable_run_exits_with_five(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    assert call(monkeypatch, "show", str(tmp_path)) == 5
    assert "error[results]: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            OSError(errno.EMFILE, "Too many open files"),
            4,
            "error[environment]: out of system resources: Too many open files\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "results/x"),
            4,
            "error[environment]: out of system resources: No space left on device: results/x\n",
        ),
        (
            LockedError("results are in use by process 1"),
            6,
            "error[locked]: results are in use by process 1\n",
        ),
        (
            OSError(errno.EBADF, "Bad file"),
            7,
            "error[bug]: OSError: [Errno 9] Bad file; please report the output of `flagbench --debug …`\n",
        ),
    ],
    ids=["files", "disk", "lock", "bug"],
)
def test_missing_system_resources_are_not_a_bug(
    error: Exception,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("bench.commands.show.load_run", Mock(side_effect=error))
    assert call(monkeypatch, "show", "last") == code
    assert capsys.readouterr().err == line


def test_exit_code_survives_a_full_disk_below_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr("bench.app.error_report.click.echo", Mock(side_effect=full))
    assert call(monkeypatch, "show", "none") == 2


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
def test_stored_run_is_shown_in_each_format(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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
    cases = [case("asyncio_gather", "aiohttp"), *(case(workers=workers) for workers in (1, 20, 200))]
    values = [0.02 + block / 1e4 for block in range(6)]
    save_run(tmp_path, run_of({each: trials(each, values) for each in cases}), "")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--against", "asyncio"], "against asyncio_gather with aiohttp and 3 workers"),
        (["--scaling"], "example: 3 flags (pop3), profile 20ms, by workers"),
        (["--scaling", "--against", "*/3/*", "--format", "markdown"], "| threadpool_map requests | 200 |"),
    ],
)
def test_cases_of_a_run_are_compared_with_one_of_them_and_by_workers(
    words: list[str],
    text: str,
    stored: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "show", str(stored), *words) == 0
    assert text in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--against", "thread"], "'thread' matches 3 cases; name one of threadpool_map/requests/1/"),
        (["--against", "gevent"], "no case matches 'gevent'"),
        (["--scaling", "--format", "csv"], "cannot be written as csv; use --format table or markdown"),
        (["--scaling", "--format", "json"], "cannot be written as json"),
    ],
)
def test_impossible_comparison_of_cases_is_refused(
    words: list[str],
    message: str,
    stored: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "show", str(stored), *words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("strategies", "processpool_map"),
        ("clients", "aiohttp"),
        ("configs", "scale"),
        ("faults", "reset_mid_body"),
        ("runs", "status"),
    ],
)
def test_each_list_has_known_names(
    what: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "list", what) == 0
    assert name in capsys.readouterr().out


def test_runs_with_only_a_journal_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged one is listed with its problem."""
    for name in ("interrupted", "damaged"):
        (RUNS / name).mkdir(parents=True)
    with new_journal(RUNS / "interrupted" / "journal.jsonl", HEADER) as journal:
        journal.append(trials(case(), [0.02])[0])
    (RUNS / "damaged" / "journal.jsonl").touch()
    assert call(monkeypatch, "list", "runs") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "interrupted journal only 1 2026-01-02T03:04:05+00:00" in text
    assert "damaged unreadable" in text
    assert "damaged at byte 0" in text


def test_printed_schema_is_the_committed_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "schema") == 0
    committed = json.loads((configs_folder() / "schema.json").read_text("utf-8"))
    assert json.loads(capsys.readouterr().out) == committed


def test_check_prints_cases_and_the_expected_duration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("small.yaml").write_text("strategies: sequential\nclients: requests\nblocks: 1\n", "ascii")
    assert call(monkeypatch, "check", "small.yaml") == 0
    text = capsys.readouterr().out
    assert "sequential/requests/1/" in text
    assert "in all" in text


def test_check_of_an_invalid_config_imports_nothing_that_measures(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("strategis: sequential\n", "ascii")
    modules = modules_after("check", str(tmp_path / "bad.yaml"), code=2)
    assert "bench.config.loader" in modules
    assert not below(
        modules, "bench.runner.trial", "bench.runner.context", "bench.report", "bench.stats.ranking"
    )


def test_check_names_its_pilots_meanwhile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forecast(*arguments: Any, **options: Any) -> tuple[CaseForecast, ...]:
        arguments[-1]("pilot 1 of 1: x")
        return forecast_run(*arguments, **options)

    monkeypatch.setattr("bench.app.forecast_output.forecast_run", forecast)
    Path("small.yaml").write_text("strategies: sequential\nclients: requests\nblocks: 1\n", "ascii")
    assert call(monkeypatch, "check", "small.yaml") == 0
    assert "pilot 1 of 1: x\n" in capsys.readouterr().err


def test_summary_of_each_command_is_the_first_sentence_of_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_full_and_json_exclude_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", "default", "--full", "--json") == 2
    assert "leave out --full" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("list",), ("history",)])
def test_summaries_of_commands_are_not_cut(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, *words, "--help") == 0
    commands = capsys.readouterr().out.partition("Commands:")[2]
    assert commands
    assert "..." not in commands


def imported_modules(*commands: str, program: str = "from bench.__main__ import main") -> list[set[str]]:
    """Return the modules that are imported once the help of each of these commands was printed."""
    script = (
        f"import sys; {program}\n"
        "for word in sys.argv[1:]:\n"
        "    sys.argv = ['flagbench', *word.split(), '--help']\n"
        "    try: main()\n"
        "    except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, *commands]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stderr
    return [{*line.split()} for line in said.splitlines()]


def modules_after(*words: str, code: int = 0) -> set[str]:
    """Return the modules that are imported once a command has ended with this exit code."""
    script = (
        "import sys; from bench.__main__ import main\n"
        "try: main()\n"
        f"except SystemExit as ended: assert ended.code == {code}; print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, *words]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stderr
    return {*said.splitlines()[-1].split()}


def below(modules: set[str], *packages: str) -> list[str]:
    """Return the modules that are among these, or below one of them."""
    return sorted(
        each
        for each in modules
        if each.startswith(tuple(f"{name}." for name in packages)) or each in packages
    )


def test_help_imports_little_that_click_does_not() -> None:
    """The modules decide on the time of `--help`, and can be told on a busy machine."""
    smallest = "from click import *; main = Group('x', {'y': Command('y', help='Z.')})"
    (least,) = imported_modules("", program=smallest)
    (modules,) = imported_modules("")
    assert "click.formatting" in least & modules
    assert modules - least <= {
        "bench",
        "bench.__main__",
        "bench.cli",
        "bench.errors",
        "bench.runner",
        "bench.runner.processes",
        "bench.runner.processes.signals",
        "bench.system",
        "bench.system.console_encoding",
        "bench.system.program_name",
        "signal",
    }


def test_commands_on_stored_runs_import_no_config_reader() -> None:
    """Pydantic and its models take longer than the command itself."""
    commands = ["show", "export", "history", "list"]
    for command, modules in zip(commands, imported_modules(*commands), strict=True):
        assert f"bench.commands.{command}" in modules
        assert not modules & {"pydantic", "asyncio"}, command


def test_show_imports_only_what_its_summary_prints(tmp_path: Path) -> None:
    """Its time is that of its imports: each of these packages takes as long as ten cases."""
    save_run(tmp_path, run_of({case(): trials(case(), [0.05] * 6)}), "")
    modules = modules_after("show", str(tmp_path))
    assert "bench.report.summary_table" in modules
    assert not below(
        modules, "bench.config", "bench.server", "bench.worker", "bench.variants", "yaml", "pydantic"
    )
    assert not below(
        modules, "bench.report.export", "bench.stats.verdicts", "bench.stats.scaling", "xml", "csv"
    )
    assert {name for name in modules if name.startswith("bench.runner.")} == {
        "bench.runner.processes",
        "bench.runner.processes.signals",
    }


@pytest.mark.parametrize("command", ["run", "noise", "ab", "gate"])
def test_first_line_of_progress_comes_before_the_imports(command: str) -> None:
    words = [command, "none.yaml", *(["none.yaml"] if command == "ab" else [])]
    traced = [sys.executable, "-X", "importtime", "-m", "bench", *words]
    said = subprocess.run(traced, cwd=ROOT, capture_output=True, text=True, check=False).stderr.splitlines()
    first = said.index(f"{command}: loading modules and the config")
    imported = [line.rpartition("|")[2].strip() for line in said]
    assert "bench.cli" in imported[:first]
    assert not below({*imported[:first]}, "rich", "yaml", "pydantic", "bench.commands", "bench.app")
    assert "bench.app.execute" in imported[first:]


@pytest.mark.parametrize(
    "words",
    [("run", "--quiet", "none.yaml"), ("noise", "--help"), ("noise", "--gate", "3%"), ("show", "none")],
)
def test_no_line_of_progress_where_none_is_wanted(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, *words)
    assert "loading" not in capsys.readouterr().err
