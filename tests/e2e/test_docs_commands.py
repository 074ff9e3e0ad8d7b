"""Type every command that the pages of docs/ show, page by page, as a reader would."""

import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import pytest

from tests.access_logs import EXAMPLES
from tests.cluster_page import ON, STEPS
from tests.package_index import need_index
from tests.readme import TypedLine, typed_lines
from tests.repositories import Repository
from tests.runs import ROOT, wait_until
from tests.typed_commands import COMPARISONS, environment_of, make_clone, type_line

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.alone, pytest.mark.timeout(600)]

PAGES: Final = {
    page.name: lines
    for page in sorted((ROOT / "docs").glob("*.md"))
    if (lines := typed_lines(page.read_text("utf-8")))
}
INSTALL: Final = STEPS[0]
ELSEWHERE: Final = {*STEPS[1:], ON}
"""Commands that take two machines, which test_cluster_page.py types."""
SHORT: Final = """\
countries: {codes: all, limit: 5}
workers: 5
profile: {latency: 10ms}
blocks: {min: 8, max: 9}
budget: 40s
metrics: elapsed
thresholds: {'*': 25%}
strategies:
  - {name: asyncio_gather, clients: [httpx]}
"""
THREADS: Final = "  - {name: threadpool_map, clients: [requests]}\n"
SHORTER: Final = (
    (r"^(python -m bench run my_download.py .*latency.*)", r"\1 --blocks 1"),
    (r"--blocks 40$", "--blocks 8"),
    (r"--blocks 20$", "--blocks 12"),
)
"""Replacements in commands that would take long: pattern and replacement."""
OWN: Final = (("/srv/www/files", "files"), ("~/sums.txt", "sums.txt"), ("10.0.0.2", "127.0.0.2"))
"""Replacements of folders and addresses that only a reader has: pattern and replacement."""
OTHER_LIBRARIES: Final = ("requirements=", "python=")
"""Variants that are no versions of this project: that one is slower is a result."""
ADDRESS: Final = re.compile(r"https?://[\w.]+:\d+")
BACKGROUND: Final = ("python -m bench serve", "python -m bench view")
PATIENCE_S: Final = 30.0


def allowed(line: str) -> set[int]:
    """Return the exit codes that a reader may meet, as the page says."""
    if "noise --gate" in line:
        return {0, 4}  # 4: this machine cannot show so little
    if not line.startswith(COMPARISONS):
        return {0}
    return {0, 1, 8} if any(word in line for word in OTHER_LIBRARIES) else {0, 8}


def unavailable(line: str) -> str:
    """Return why a command cannot be typed here; empty if it can."""
    program = shlex.split(line)[0]
    if program in {"curl", "prlimit", "systemd-run"} and shutil.which(program) is None:
        return f"{program} is not installed"
    if (
        program == "systemd-run"
        and subprocess.run(
            ["systemctl", "--user", "is-active", "default.target"], capture_output=True, check=False
        ).returncode
    ):
        return "no systemd for users"
    if "python=" in line:
        versions = re.findall(r"python=([\d.]+)", line)
        missing = [each for each in versions if shutil.which(f"python{each}") is None]
        return f"no Python {missing[0]}" if missing else ""
    return ""


@pytest.fixture
def clone(tmp_path: Path) -> Repository:
    return make_clone(tmp_path / "flagbench", {"default": SHORT, "gate": SHORT, "ci": SHORT + THREADS})


def write_logs(clone: Repository) -> None:
    """Write the four files that docs/config.md reads."""
    folder = clone.folder
    (folder / "access.log").write_text(EXAMPLES["nginx pairs"].content, "utf-8")
    (folder / "recorded.har").write_text(EXAMPLES["HAR"].content, "utf-8")
    line = '[30/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 0.0{}\n'
    (folder / "custom.log").write_text("".join(line.format(each) for each in range(10, 30)), "utf-8")
    rows = "".join(f"{each},{each * 100}\n" for each in range(10, 30))
    (folder / "requests.csv").write_text(f"took,bytes\n{rows}", "utf-8")


def write_config(clone: Repository) -> None:
    (clone.folder / "mine.yaml").write_text(SHORT, "utf-8")


def release(clone: Repository) -> None:
    clone.git("tag", "v1.0", "main")


def measure(clone: Repository) -> None:
    """Make two runs, OTHER and then RUN."""
    for name in ("OTHER", "RUN"):
        ended = type_line(clone, f"python -m bench run default --quiet --out results/runs/{name}")
        assert ended.returncode == 0, ended.stderr


def write_files(clone: Repository) -> None:
    """Make a folder with a file, for checksums."""
    files = clone.folder / "files"
    files.mkdir()
    (files / "a.gif").write_bytes(b"a")


BEFORE: Final[Mapping[str, Callable[[Repository], None]]] = {
    "ci.md": release,
    "comparing.md": release,
    "config.md": write_logs,
    "history.md": release,
    "hostile.md": write_config,
    "noise.md": write_config,
    "report.md": measure,
    "results.md": measure,
    "target.md": write_files,
}
"""Functions that make what the commands of a page need, such as files that its reader already has."""


@contextmanager
def background(clone: Repository, line: str) -> Iterator[None]:
    """Start a server as in another terminal, and end it with Ctrl-C."""
    words = [str(clone.folder / ".venv" / "bin" / "python"), *shlex.split(line)[1:]]
    log = clone.folder.parent / "server.log"
    with log.open("w") as printed:
        process = subprocess.Popen(
            words, cwd=clone.folder, env=environment_of(clone), stdout=printed, stderr=printed
        )
    try:
        wait_until(lambda: ADDRESS.search(log.read_text("utf-8")) or process.poll() is not None, PATIENCE_S)
        found = ADDRESS.search(log.read_text("utf-8"))
        assert process.poll() is None, log.read_text("utf-8")
        assert found is not None
        if found[0].startswith("http:"):
            with urlopen(found[0], timeout=PATIENCE_S) as answer:  # noqa: S310  it is http
                assert answer.status == 200
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(PATIENCE_S) in {0, 130}, log.read_text("utf-8")
        finally:
            process.kill()


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_do_what_they_say(page: str, clone: Repository, tmp_path: Path) -> None:
    lines = [line for line in PAGES[page] if line.command not in ELSEWHERE]
    if any(line.command.startswith(COMPARISONS) or line.command == INSTALL for line in lines):
        need_index(tmp_path / "index")
    if page in BEFORE:
        BEFORE[page](clone)
    if any("flagbench " in line.command for line in lines):
        assert type_line(clone, "pip install -e .").returncode == 0
    not_typed = []
    with ExitStack() as server:
        for line in lines:
            if why := unavailable(line.command):
                not_typed.append(f"{line.command}: {why}")
            elif line.command.startswith(BACKGROUND):
                server.close()
                server.enter_context(background(clone, as_typed(line)))
            else:
                type_and_check(clone, line)
    if not_typed:
        pytest.skip("; ".join(not_typed))


def as_typed(line: TypedLine) -> str:
    """Return a command with its replacements."""
    command = line.command
    for pattern, replacement in (*SHORTER, *OWN):
        command = re.sub(pattern, replacement, command)
    return command


def type_and_check(clone: Repository, line: TypedLine) -> None:
    """Type a line, and compare how it ends and what it prints with the page."""
    command = as_typed(line)
    ended = type_line(clone, command, folder_of(clone, command))
    assert ended.returncode in allowed(line.command), f"{command}\n{ended.stdout}\n{ended.stderr}"
    assert ended.returncode != 4 or "a gate of 3% takes" in ended.stderr, ended.stderr
    written = re.search(r"(?:>|-o) ([\w.]+)$", command)
    is_silent = not (ended.stdout or ended.stderr or command.startswith("source "))
    assert written or not is_silent, f"{command} prints nothing"
    assert not written or any(each.stat().st_size for each in clone.folder.rglob(written[1])), command
    for printed in line.printed:
        assert printed in ended.stdout, command


def folder_of(clone: Repository, command: str) -> Path:
    """Return where a reader types a command: in the clone, beside it, or in a project of their own."""
    if command == INSTALL:
        return clone.folder.parent
    if not command.startswith("pytest "):
        return clone.folder
    folder = clone.folder.parent / "project"
    (folder / "configs").mkdir(parents=True, exist_ok=True)
    (folder / "configs" / "ci.yaml").write_text(SHORT + THREADS, "utf-8")
    return folder


@pytest.mark.parametrize(("pattern", "_replacement"), [*SHORTER, *OWN])
def test_what_is_changed_in_lines_is_in_one(pattern: str, _replacement: str) -> None:
    assert any(re.search(pattern, line.command) for lines in PAGES.values() for line in lines)
