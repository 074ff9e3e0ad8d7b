"""The catalogue describes strategies and clients without running their files."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from bench.cli import cli
from bench.config import catalog
from bench.config.catalog import (
    choose_option,
    command_for_missing,
    find_clients,
    find_strategies,
    read_client,
    read_strategy,
)
from bench.config.compatibility import fits
from bench.errors import UsageError
from bench.model.cases import Client, Strategy
from bench.system.optional_dependencies import install_command
from bench.system.paths import import_path, strategies_folder

ROOT: Final = Path(__file__).parents[2]
ASYNC = ("async", True)
SYNC = ("sync", True)


def test_shipped_strategies_have_their_face_and_workers() -> None:
    assert {
        name: (strategy.face, strategy.takes_workers) for name, strategy in find_strategies().items()
    } == {
        "anyio_taskgroup": ASYNC,
        "asyncio_as_completed": ASYNC,
        "asyncio_client_limit": ASYNC,
        "asyncio_eager": ASYNC,
        "asyncio_executor": SYNC,
        "asyncio_gather": ASYNC,
        "asyncio_queue": ASYNC,
        "asyncio_taskgroup": ASYNC,
        "asyncio_to_thread": SYNC,
        "dask": SYNC,
        "gevent_spawn": SYNC,
        "interpreterpool_map": SYNC,
        "multiprocessing_threads": SYNC,
        "processpool_asyncio": ASYNC,
        "processpool_chunks": SYNC,
        "processpool_map": SYNC,
        "sequential": ("sync", False),
        "threadpool_as_completed": SYNC,
        "threadpool_buffered": SYNC,
        "threadpool_map": SYNC,
        "threads_queue": SYNC,
    }


def test_shipped_clients_have_their_faces_and_are_installed() -> None:
    assert {name: (set(client.faces), client.missing) for name, client in find_clients().items()} == {
        "aiohttp": ({"async"}, ()),
        "asyncio_streams": ({"async"}, ()),
        "aiosonic": ({"async"}, ()),
        "curl_cffi": ({"async", "sync"}, ()),
        "http_client": ({"sync"}, ()),
        "httpx": ({"async", "sync"}, ()),
        "niquests": ({"async", "sync"}, ()),
        "pycurl": ({"async", "sync"}, ()),
        "httpx2": ({"async", "sync"}, ()),
        "pyqwest": ({"async", "sync"}, ()),
        "pyreqwest": ({"async", "sync"}, ()),
        "requests": ({"sync"}, ()),
        "urllib3": ({"sync"}, ()),
        "urllib_request": ({"sync"}, ()),
        "wreq": ({"async", "sync"}, ()),
    }


def test_shipped_clients_have_their_protocols_and_deviations() -> None:
    tls, unseen = frozenset({"tls"}), {"surplus_bytes": "ok"}
    assert {name: (client.speaks, client.deviations) for name, client in find_clients().items()} == {
        "aiohttp": (tls, {}),
        "asyncio_streams": (tls, unseen),
        "aiosonic": (tls, unseen),
        "curl_cffi": (tls, unseen),
        "http_client": (tls, unseen),
        "httpx": (tls | {"http2"}, unseen),
        "niquests": (
            tls | {"http2"},
            {**unseen, "reset_before_headers": "disconnected", "reset_mid_body": "truncated"},
        ),
        "pycurl": (tls | {"http2"}, unseen),
        "httpx2": (tls | {"http2"}, unseen),
        "pyqwest": (tls, unseen | {"huge_header": "ok"}),
        "pyreqwest": (set(), unseen | {"huge_header": "ok"}),
        "requests": (tls, unseen),
        "urllib3": (tls, unseen),
        "urllib_request": (tls, unseen),
        "wreq": (tls, unseen),
    }


@pytest.mark.parametrize(
    "literal", ['{"no_such_fault": "ok"}', '{"stall": "fine"}', "{'stall': []}", "[1]", "dict(stall='ok')"]
)
def test_deviations_must_be_a_literal_of_faults_and_outcomes(tmp_path: Path, literal: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"DEVIATIONS = {literal}\ndef open_client(settings): ...\n")
    with pytest.raises(UsageError, match="DEVIATIONS is not a literal"):
        read_client(file)


def test_shipped_clients_keep_connections_alive_but_for_those_that_cannot() -> None:
    assert [name for name, client in find_clients().items() if not client.keeps_alive] == ["urllib_request"]


@pytest.mark.parametrize(
    ("declaration", "keeps_alive"),
    [("", True), ("KEEP_ALIVE = False", False), ("KEEP_ALIVE: bool = True", True)],
)
def test_client_keeps_connections_alive_unless_it_declares_otherwise(
    tmp_path: Path,
    declaration: str,
    keeps_alive: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    (file := tmp_path / "mine.py").write_text(f"{declaration}\ndef open_client(settings): ...\n")
    assert read_client(file).keeps_alive == keeps_alive


@pytest.mark.parametrize("value", ["0", "None", "'no'"])
def test_declaration_of_keep_alive_that_is_not_understood_is_refused(tmp_path: Path, value: str) -> None:
    (file := tmp_path / "mine.py").write_text(f"KEEP_ALIVE = {value}\ndef open_client(settings): ...\n")
    with pytest.raises(UsageError, match=r"mine\.py: KEEP_ALIVE is "):
        read_client(file)


def test_client_speaks_what_it_declares(tmp_path: Path) -> None:
    """For instance if another file reads its settings; so the text of its own says nothing."""
    file = tmp_path / "mine.py"
    file.write_text('SPEAKS = ("tls",)\ndef open_client(settings): settings.http2\n')
    assert read_client(file).speaks == {"tls"}


@pytest.mark.parametrize("literal", ['("tls", "http9")', '"tls"', "tuple(['tls'])", "7", "([],)"])
def test_declared_protocols_must_be_a_literal_of_known_ones(tmp_path: Path, literal: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"SPEAKS = {literal}\ndef open_client(settings): ...\n")
    with pytest.raises(UsageError, match="SPEAKS is not a literal of protocols"):
        read_client(file)


def test_httpx_and_its_successor_do_not_load_each_other() -> None:
    for client, other in (("httpx", {"httpx2", "httpcore2"}), ("httpx2", {"httpx", "httpcore"})):
        code = f"import sys, strategies.clients.{client}; print(*sys.modules)"
        environment = {"PYTHONPATH": os.pathsep.join(import_path())}
        command = [sys.executable, "-c", code]
        loaded = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
        assert client in loaded.stdout.split()
        assert not other & set(loaded.stdout.split())


def test_shipped_files_have_a_summary_and_at_most_55_lines() -> None:
    everything: list[Strategy | Client] = [*find_strategies().values(), *find_clients().values()]
    for shipped in everything:
        assert shipped.name == shipped.file.stem
        assert shipped.summary.endswith(".")
        assert "`" not in shipped.summary
        code = [line for line in shipped.file.read_text().splitlines() if line.strip()]
        assert len(code) <= 55


def test_options_of_a_strategy_are_its_own_and_uvloop_for_the_loop_of_its_process(tmp_path: Path) -> None:
    found = find_strategies()
    starts = ("fork", "forkserver", "spawn")
    assert found["processpool_map"].options == found["processpool_asyncio"].options == starts
    assert found["asyncio_gather"].options == found["asyncio_to_thread"].options == ("uvloop",)
    assert found["anyio_taskgroup"].options == ("trio",)
    assert found["dask"].options == ("gather",)
    assert found["threadpool_map"].options == ()
    own = described(tmp_path, 'import asyncio\nOPTIONS = ("fast",)\ndef download_many(job): ...\n')
    assert own.options == ("fast", "uvloop")


@pytest.mark.parametrize("literal", ['{"a": 1}', '"fast"', '["fast"]', "(1, 2)", '("not a name",)', "find()"])
def test_what_is_named_options_and_lists_none_is_the_files_own(tmp_path: Path, literal: str) -> None:
    assert described(tmp_path, f"OPTIONS = {literal}\ndef download_many(job): ...\n").options == ()


def test_chosen_option_is_part_of_the_name() -> None:
    chosen = choose_option(find_strategies()["anyio_taskgroup"], "trio")
    assert (chosen.name, chosen.plain_name, chosen.option) == (
        "anyio_taskgroup+trio",
        "anyio_taskgroup",
        "trio",
    )
    assert chosen.needs == {"trio"}
    with pytest.raises(ValueError, match=r"anyio_taskgroup has no option 'uvloop'; it has trio"):
        choose_option(find_strategies()["anyio_taskgroup"], "uvloop")
    with pytest.raises(ValueError, match=r"sequential has no option 'spawn'; it has none"):
        choose_option(find_strategies()["sequential"], "spawn")


def test_strategy_that_needs_a_newer_python_or_a_missing_package_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = described(tmp_path, "NEEDS_PYTHON = (3, 99)\ndef download_many(job): ...\n")
    assert re.fullmatch(r"needs Python 3\.99 or newer, and this is 3\.\d+\.\d+", newer.unavailable)
    assert not described(tmp_path, "NEEDS_PYTHON = (3, 11)\ndef download_many(job): ...\n").unavailable
    assert not described(tmp_path, "import no_such\ndef download_many(job): ...\n").unavailable, "own project"
    monkeypatch.setattr(catalog, "find_spec", lambda _: None)
    monkeypatch.setattr(catalog, "_extras", lambda: frozenset({"anyio", "gevent", "uvloop"}))
    assert find_strategies()["gevent_spawn"].unavailable == (
        f"needs gevent, which is not installed: {install_command('gevent')}"
    )
    monkeypatch.setattr(catalog, "_extras", lambda: frozenset({"anyio", "dask", "gevent", "uvloop"}))
    assert find_strategies()["dask"].unavailable == (
        f"needs distributed, which is not installed: {install_command('dask')}"
    )
    on_uvloop = choose_option(find_strategies()["asyncio_gather"], "uvloop")
    assert on_uvloop.unavailable == f"needs uvloop, which is not installed: {install_command('uvloop')}"
    on_trio = choose_option(find_strategies()["anyio_taskgroup"], "trio")
    assert on_trio.unavailable == f"needs anyio, which is not installed: {install_command('anyio')}"


@pytest.mark.parametrize(
    ("literal", "uses_cluster"),
    [("True", True), ("False", False), ("1", False), ('"dask"', False), ("find()", False)],
)
def test_strategy_downloads_on_a_cluster_if_it_declares_that(
    tmp_path: Path,
    literal: str,
    uses_cluster: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    text = f"CLUSTER = {literal}\ndef set_up(job): ...\ndef download_many(job): ...\n"
    assert described(tmp_path, text).uses_cluster == uses_cluster
    assert [name for name, each in find_strategies().items() if each.uses_cluster] == ["dask"]


def test_strategy_fits_clients_that_can_do_what_it_needs() -> None:
    strategies, clients = find_strategies(), find_clients()
    needs = {name: strategy.needs for name, strategy in strategies.items() if strategy.needs}
    assert needs == {"asyncio_client_limit": {"connection_limit"}, "gevent_spawn": {"greenlets"}}
    on_trio = choose_option(strategies["anyio_taskgroup"], "trio")
    assert fits(on_trio, clients["httpx"])
    assert not fits(on_trio, clients["aiohttp"])
    assert fits(strategies["anyio_taskgroup"], clients["aiohttp"])


def test_client_declares_what_it_cannot_do(tmp_path: Path) -> None:
    (file := tmp_path / "mine.py").write_text("def open_client(settings): ...\n")
    assert read_client(file).abilities == {"greenlets"}
    file.write_text("GREENLETS = False\ndef open_client(settings): ...\n")
    assert read_client(file).abilities == set()
    file.write_text("TRIO = True\ndef open_client(settings): ...\n")
    assert read_client(file).abilities == {"greenlets", "trio"}


@pytest.mark.parametrize(
    ("value", "faces"),
    [("True", {"sync", "async"}), ('"async"', {"async"}), ("False", set()), ("find()", set())],
)
def test_client_declares_whether_its_library_limits_its_connections(
    tmp_path: Path, value: str, faces: set[str]
) -> None:
    opener = "def open_client(settings): ...\nasync def open_async_client(settings): ...\n"
    (file := tmp_path / "mine.py").write_text(f"CONNECTION_LIMIT = {value}\n{opener}")
    assert read_client(file).limits == faces
    file.write_text(f'CONNECTION_LIMIT = "loop"\n{opener}')
    with pytest.raises(UsageError, match="CONNECTION_LIMIT is 'loop'"):
        read_client(file)


def test_catalogue_imports_no_strategy_and_no_library() -> None:
    code = "import sys, bench.config.catalog as c; c.find_strategies(), c.find_clients(); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": os.pathsep.join(import_path())}
    listed = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    modules = set(listed.stdout.split())
    assert not modules & {"strategies", "requests", "httpx", "urllib3", "aiohttp", "asyncio"}


def described(folder: Path, text: str) -> Strategy:
    """Describe a strategy with this text."""
    file = folder / "mine.py"
    file.write_text(text)
    return read_strategy(file)


def test_own_strategy_is_described_although_its_import_would_fail(tmp_path: Path) -> None:
    text = '"""Mine, with ``marks``.\n\nMore."""\n1 / 0\ndef download_many(job): job.client()\n'
    strategy = described(tmp_path, text)
    assert (strategy.name, strategy.file) == ("mine", tmp_path / "mine.py")
    assert (strategy.summary, strategy.face) == ("Mine, with marks.", "sync")


@pytest.mark.parametrize("value", ["0", "None", "'no'", "-1", "'clients'", "1.0"])
def test_declaration_of_workers_that_is_not_understood_is_refused(tmp_path: Path, value: str) -> None:
    """It is meant to say something, and would be ignored."""
    (file := tmp_path / "mine.py").write_text(f"WORKERS = {value}\ndef download_many(job): return []\n")
    with pytest.raises(UsageError, match=r"mine\.py: WORKERS is "):
        read_strategy(file)


@pytest.mark.parametrize(
    ("declaration", "takes_workers"),
    [
        ("", True),
        ("WORKERS = False", False),
        ("WORKERS: bool = False", False),
        ("WORKERS = True", True),
        ("WORKERS = 8", True),  # a number of the strategy's own
        ("WORKERS = os.cpu_count()", True),
        ("class Other:\n    WORKERS = False", True),
    ],
)
def test_every_strategy_takes_workers_unless_it_declares_otherwise(
    tmp_path: Path,
    declaration: str,
    takes_workers: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """Whatever attributes the text has: those of other objects are called workers, too."""
    for body in ("return []", "pool.workers", "job.workers"):
        text = f"{declaration}\ndef download_many(job): {body}\n"
        assert described(tmp_path, text).takes_workers == takes_workers


@pytest.mark.parametrize(
    ("declaration", "face"),
    [
        ('CLIENTS = "sync"', "sync"),
        ('CLIENTS = "async"', "async"),
        ('CLIENTS: Final = "async"', "async"),
        ("CLIENTS = None", None),
        ("CLIENTS = make_clients()", "sync"),  # a name of the strategy's own
    ],
)
def test_declared_client_takes_precedence_over_the_text(
    tmp_path: Path, declaration: str, face: str | None
) -> None:
    assert described(tmp_path, f"{declaration}\ndef download_many(job): job.client()\n").face == face


@pytest.mark.parametrize("value", ['"asynchronous"', '("httpx",)', "True", "{}"])
def test_unknown_declaration_of_clients_is_rejected(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match=r"mine.py: CLIENTS is .*; write \"sync\" for job.client\(\)"):
        described(tmp_path, f"CLIENTS = {value}\ndef download_many(job): return []\n")


@pytest.mark.parametrize(
    "signature",
    [
        "def download_many(job): return []",
        "def download_many(flags, /, *, pause_s=0): return []",
        "def download_many(job, attempts=3): return []",
        "def download_many(*jobs): return []",
        "@wrapped\nasync def download_many(one, other): return []",
        "def download_many(): return []\ndownload_many = wrap(download_many)",
        "async def download_many(job): return []\ndef download_many(job): return []",
    ],
)
def test_function_that_can_be_called_with_one_job_is_accepted(tmp_path: Path, signature: str) -> None:
    assert described(tmp_path, signature).name == "mine"


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        ("def download_many(): pass", "takes no positional argument, and is called with one, the job"),
        ("def download_many(*, job): pass", "takes no positional argument"),
        ("def download_many(**job): pass", "takes no positional argument"),
        ("def download_many(job, folder): pass", "needs 2 arguments (job, folder), and is called with one"),
        ("def download_many(job, /, folder, x=1): pass", "needs 2 arguments (job, folder)"),
        ("def download_many(job, *, folder): pass", "needs the keyword folder"),
        ("async def download_many(job, folder): pass", "needs 2 arguments (job, folder)"),
        ("class download_many:\n    pass", "has a class download_many (line 1), which must be a function"),
        (
            "def download_many(job): pass\nasync def download_many(): pass",
            "(line 2) that takes no",
        ),
    ],
)
def test_function_that_cannot_be_called_with_one_job_is_rejected(
    tmp_path: Path, signature: str, problem: str
) -> None:
    with pytest.raises(UsageError) as refused:
        described(tmp_path, signature)
    assert problem in str(refused.value)
    assert refused.value.hint == "a strategy is a file with `def download_many(job: Job) -> list[Fetch]`"


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
        (("pycurl",), {"curl"}, install_command("curl")),
        (("pycurl",), {"dev"}, "pip install pycurl"),
    ],
)
def test_install_command_names_the_extra_of_a_client_if_it_has_one(
    missing: tuple[str, ...], extras: set[str], command: str
) -> None:
    assert command_for_missing("curl", missing, frozenset(extras)) == command


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


def test_pool_of_threads_of_multiprocessing_starts_no_processes() -> None:
    found = {name for name, strategy in find_strategies().items() if strategy.starts_processes}
    pools = {"processpool_asyncio", "processpool_chunks", "processpool_map"}
    assert found == pools | {"interpreterpool_map"}, "each interpreter has a client of its own, too"


def test_list_says_how_to_install_a_client_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "find_spec", lambda name: None if name == "pycurl" else object())
    monkeypatch.setattr(catalog, "_extras", lambda: frozenset({"pycurl"}))
    listed = CliRunner().invoke(cli, ["list", "clients"])
    said = " ".join(listed.output.split())
    assert f"Not here: pycurl needs pycurl, which is not installed: {install_command('pycurl')}." in said
    assert "niquests is measured in an environment of its own, which `run` makes with uv." in said
    assert said.count("Not here:") == 1


def test_list_shows_dask_with_its_option_or_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = " ".join(CliRunner().invoke(cli, ["list", "strategies"]).output.split())
    assert re.search(r"dask +sync +yes +Machines of a cluster", said)
    assert "Option +gather, as in dask+gather; of dask." in said
    assert "Not here: dask" not in said
    monkeypatch.setattr(catalog, "find_spec", lambda name: None if name == "distributed" else object())
    monkeypatch.setattr(catalog, "_extras", lambda: frozenset({"dask"}))
    said = " ".join(CliRunner().invoke(cli, ["list", "strategies"]).output.split())
    missing = f"needs distributed, which is not installed: {install_command('dask')}"
    assert f"Not here: dask {missing}." in said
    assert f"Option +gather, as in dask+gather; it {missing}; of dask." in said


def test_extra_of_dask_brings_what_its_strategy_imports() -> None:
    """As ``all`` does; whoever has the package has the library that it is missing otherwise."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert [re.split("[>=]", each)[0] for each in extras["dask"]] == ["distributed"]
    assert "dask" in re.split(r"[\[,\]]", extras["all"][0])
    assert find_spec("distributed") is not None
