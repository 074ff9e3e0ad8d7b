"""The catalogue describes strategies and clients without running their files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.config.catalog import find_clients, find_strategies, install_command, read_client, read_strategy
from bench.errors import UsageError
from bench.model.cases import Client, Strategy
from bench.system.paths import import_path, strategies_folder

ASYNC = ("async", True)
SYNC = ("sync", True)


def test_shipped_strategies_have_their_face_and_workers() -> None:
    assert {
        name: (strategy.face, strategy.takes_workers) for name, strategy in find_strategies().items()
    } == {
        "asyncio_as_completed": ASYNC,
        "asyncio_gather": ASYNC,
        "asyncio_taskgroup": ASYNC,
        "asyncio_to_thread": SYNC,
        "processpool_map": SYNC,
        "sequential": ("sync", False),
        "threadpool_as_completed": SYNC,
        "threadpool_map": SYNC,
    }


def test_shipped_clients_have_their_faces_and_are_installed() -> None:
    assert {name: (set(client.faces), client.missing) for name, client in find_clients().items()} == {
        "aiohttp": ({"async"}, ()),
        "httpx": ({"async", "sync"}, ()),
        "requests": ({"sync"}, ()),
        "urllib3": ({"sync"}, ()),
    }


def test_shipped_clients_have_their_protocols_and_deviations() -> None:
    tls, unseen = frozenset({"tls"}), {"surplus_bytes": "ok"}
    assert {name: (client.speaks, client.deviations) for name, client in find_clients().items()} == {
        "aiohttp": (tls, {}),
        "httpx": (tls | {"http2"}, unseen),
        "requests": (tls, unseen),
        "urllib3": (tls, unseen),
    }


@pytest.mark.parametrize(
    "literal", ['{"no_such_fault": "ok"}', '{"stall": "fine"}', "{'stall': []}", "[1]", "dict(stall='ok')"]
)
def test_deviations_must_be_a_literal_of_faults_and_outcomes(tmp_path: Path, literal: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"DEVIATIONS = {literal}\ndef open_client(settings): ...\n")
    with pytest.raises(UsageError, match="DEVIATIONS is not a literal"):
        read_client(file)


def test_shipped_files_have_a_summary_and_at_most_55_lines() -> None:
    everything: list[Strategy | Client] = [*find_strategies().values(), *find_clients().values()]
    for shipped in everything:
        assert shipped.name == shipped.file.stem
        assert shipped.summary.endswith(".")
        assert "`" not in shipped.summary
        code = [line for line in shipped.file.read_text().splitlines() if line.strip()]
        assert len(code) <= 55


def test_catalogue_imports_no_strategy_and_no_library() -> None:
    code = "import sys, bench.config.catalog as c; c.find_strategies(), c.find_clients(); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": os.pathsep.join(import_path())}
    listed = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    modules = set(listed.stdout.split())
    assert not modules & {"strategies", "requests", "httpx", "urllib3", "aiohttp", "asyncio"}


@pytest.mark.parametrize(
    ("body", "face_and_workers"),
    [
        ("return []", (None, False)),
        ("with job.client() as get: pass", ("sync", False)),
        ("with job.client() as get: pool(job.workers)", SYNC),
        ("async with job.async_client() as get: pass", ("async", False)),
    ],
)
def test_own_strategy_is_described_although_its_import_would_fail(
    tmp_path: Path, body: str, face_and_workers: tuple[str | None, bool]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        f'"""Mine, with ``marks``.\n\nMore."""\n1 / 0\nasync def download_many(job):\n    {body}\n'
    )
    strategy = read_strategy(file)
    assert (strategy.name, strategy.file, strategy.summary) == ("mine", file, "Mine, with marks.")
    assert (strategy.face, strategy.takes_workers) == face_and_workers


def test_strategy_without_docstring_has_an_empty_summary(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def download_many(job): return []")
    assert read_strategy(file).summary == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read {}: No such file or directory; name a Python file"),
        (b"def download_many(job:", "{} is not Python: '(' was never closed"),
        (b"\xff\xfe", "{} is not Python: "),
        (b"a = 1\0", "{} is not Python: "),
        (b"def download_more(job): pass", "{} has no function download_many; a strategy is "),
        (b"x = " + b"+".join([b"1"] * 100_000), "{} is nested too deeply to be read; split its expressions"),
        (b"x = " + b"-" * 200_000 + b"1", "{} is nested too deeply to be read; split its expressions"),
        (b"#" * 1_048_577, "{} is larger than 1 MiB; split it"),
    ],
)
def test_file_that_is_not_a_strategy_is_rejected(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "mine.py"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        read_strategy(file)
    assert str(refused.value).startswith(message.format(file))


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_strategy_must_be_a_regular_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    file = tmp_path / "mine.py"
    make(file)
    with pytest.raises(UsageError, match="is not a regular file; name a Python file"):
        read_strategy(file)


def test_strategy_that_links_to_itself_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.symlink_to(file)
    with pytest.raises(UsageError, match="Too many levels of symbolic links"):
        read_strategy(file)


def test_link_to_a_strategy_has_the_name_of_the_link(tmp_path: Path) -> None:
    (tmp_path / "mine.py").symlink_to(strategies_folder() / "sequential.py")
    strategy = read_strategy(tmp_path / "mine.py")
    assert (strategy.name, strategy.file) == ("mine", tmp_path / "mine.py")


@pytest.mark.parametrize("name", ["clients", "sequential"])
def test_strategy_that_would_hide_a_shipped_module_is_rejected(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.py"
    file.write_text("def download_many(job): return []")
    with pytest.raises(UsageError, match=r"has the name of a shipped module of strategies/; rename it"):
        read_strategy(file)


def test_shipped_strategy_may_be_named_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(strategies_folder())
    assert read_strategy(Path("clients/../sequential.py")) == find_strategies()["sequential"]


def test_client_names_its_missing_modules_but_not_those_of_late_imports(tmp_path: Path) -> None:
    file = tmp_path / "curl.py"
    file.write_text(
        "import os.path, no_such_b\nfrom no_such_a.part import x\nfrom bench.api import Get\n"
        "def open_client(settings):\n    import no_such_c\n"
    )
    client = read_client(file)
    assert (client.missing, client.install) == (("no_such_a", "no_such_b"), "pip install no_such_a no_such_b")


def test_client_without_a_face_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "faceless.py"
    file.write_text("def get(url): pass")
    with pytest.raises(UsageError, match="neither open_client nor open_async_client"):
        read_client(file)


@pytest.mark.parametrize(
    ("missing", "extras", "command"),
    [
        ((), {"curl"}, ""),
        (("pycurl",), {"curl"}, "pip install 'flagbench[curl]'"),
        (("pycurl",), {"dev"}, "pip install pycurl"),
    ],
)
def test_install_command_names_the_extra_of_a_client_if_it_has_one(
    missing: tuple[str, ...], extras: set[str], command: str
) -> None:
    assert install_command("curl", missing, frozenset(extras)) == command


@pytest.mark.parametrize(
    ("body", "speech"),
    [
        ("settings.workers", set()),
        ("settings.authority", {"tls"}),
        ("settings.authority, settings.http2", {"tls", "http2"}),
        ("other.authority", set()),
    ],
)
def test_protocols_of_a_client_follow_from_the_settings_that_it_reads(
    tmp_path: Path, body: str, speech: set[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"def open_client(settings):\n    return {body}\n")
    assert read_client(file).speaks == speech
