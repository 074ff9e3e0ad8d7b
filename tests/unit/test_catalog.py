"""What the catalogue says of a file, without running it."""

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


def test_knows_the_shipped_strategies() -> None:
    """Which face each opens, and whether it takes workers, is read from the code."""
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


def test_knows_the_shipped_clients() -> None:
    """Which faces each offers; all of them are installed for these tests."""
    assert {name: (set(client.faces), client.missing) for name, client in find_clients().items()} == {
        "aiohttp": ({"async"}, ()),
        "httpx": ({"async", "sync"}, ()),
        "requests": ({"sync"}, ()),
        "urllib3": ({"sync"}, ()),
    }


def test_knows_what_the_shipped_clients_speak_and_where_they_deviate() -> None:
    """All of them trust an authority that they are given; what is not seen is said in their files."""
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
def test_a_deviation_is_a_literal_of_faults_and_classes(tmp_path: Path, literal: str) -> None:
    """It is read, not run, and has only what there is."""
    file = tmp_path / "mine.py"
    file.write_text(f"DEVIATIONS = {literal}\ndef open_client(settings): ...\n")
    with pytest.raises(UsageError, match="DEVIATIONS is no literal"):
        read_client(file)


def test_everything_shipped_has_a_summary_and_is_short_enough_to_read() -> None:
    """One line of docstring for ``list``, and a page of code beyond it."""
    everything: list[Strategy | Client] = [*find_strategies().values(), *find_clients().values()]
    for shipped in everything:
        assert shipped.name == shipped.file.stem
        assert shipped.summary.endswith(".")
        assert "`" not in shipped.summary
        code = [line for line in shipped.file.read_text().splitlines() if line.strip()]
        assert len(code) <= 55


def test_imports_nothing() -> None:
    """Neither a strategy nor a library is in the process that has read the catalogue."""
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
def test_reads_a_strategy_of_ones_own(
    tmp_path: Path, body: str, face_and_workers: tuple[str | None, bool]
) -> None:
    """The name is the file's, and a file that would fail on import can be read all the same."""
    file = tmp_path / "mine.py"
    file.write_text(
        f'"""Mine, with ``marks``.\n\nMore."""\n1 / 0\nasync def download_many(job):\n    {body}\n'
    )
    strategy = read_strategy(file)
    assert (strategy.name, strategy.file, strategy.summary) == ("mine", file, "Mine, with marks.")
    assert (strategy.face, strategy.takes_workers) == face_and_workers


def test_a_strategy_needs_no_docstring(tmp_path: Path) -> None:
    """Its summary is empty then."""
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
def test_refuses_what_is_no_strategy(tmp_path: Path, content: bytes | None, message: str) -> None:
    """The message names the file and what is wrong with it."""
    file = tmp_path / "mine.py"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        read_strategy(file)
    assert str(refused.value).startswith(message.format(file))


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_refuses_what_is_no_regular_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A folder, a FIFO that nobody writes to, a link to a device without an end."""
    file = tmp_path / "mine.py"
    make(file)
    with pytest.raises(UsageError, match="is not a regular file; name a Python file"):
        read_strategy(file)


def test_refuses_a_link_to_itself(tmp_path: Path) -> None:
    """There is nothing at its end."""
    file = tmp_path / "mine.py"
    file.symlink_to(file)
    with pytest.raises(UsageError, match="Too many levels of symbolic links"):
        read_strategy(file)


def test_a_link_to_a_strategy_is_one_under_its_own_name(tmp_path: Path) -> None:
    """The name that was checked is the name under which the worker loads it."""
    (tmp_path / "mine.py").symlink_to(strategies_folder() / "sequential.py")
    strategy = read_strategy(tmp_path / "mine.py")
    assert (strategy.name, strategy.file) == ("mine", tmp_path / "mine.py")


@pytest.mark.parametrize("name", ["clients", "sequential"])
def test_refuses_a_file_that_would_hide_what_ships(tmp_path: Path, name: str) -> None:
    """The worker loads it as ``strategies.<name>``, where a strategy or the clients' package is."""
    file = tmp_path / f"{name}.py"
    file.write_text("def download_many(job): return []")
    with pytest.raises(UsageError, match=r"has the name of something that ships in strategies/; rename it"):
        read_strategy(file)


def test_what_ships_may_be_named_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the path is written."""
    monkeypatch.chdir(strategies_folder())
    assert read_strategy(Path("clients/../sequential.py")) == find_strategies()["sequential"]


def test_says_what_a_client_lacks(tmp_path: Path) -> None:
    """Imports of the standard library and of this project are not asked for, nor late ones."""
    file = tmp_path / "curl.py"
    file.write_text(
        "import os.path, no_such_b\nfrom no_such_a.part import x\nfrom bench.api import Get\n"
        "def open_client(settings):\n    import no_such_c\n"
    )
    client = read_client(file)
    assert (client.missing, client.install) == (("no_such_a", "no_such_b"), "pip install no_such_a no_such_b")


def test_refuses_what_is_no_client(tmp_path: Path) -> None:
    """A client without a face cannot be used by anybody."""
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
def test_installs_by_an_extra_where_there_is_one(
    missing: tuple[str, ...], extras: set[str], command: str
) -> None:
    """An extra pins what is known to work."""
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
def test_what_a_client_speaks_is_what_it_reads_of_its_settings(
    tmp_path: Path, body: str, speech: set[str]
) -> None:
    """Its text says so, as it does of everything else."""
    file = tmp_path / "mine.py"
    file.write_text(f"def open_client(settings):\n    return {body}\n")
    assert read_client(file).speaks == speech
