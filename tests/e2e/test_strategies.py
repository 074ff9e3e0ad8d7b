"""Every shipped strategy with every client it can use, in real workers against a real server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.config.catalog import choose_option, find_strategies
from bench.config.compatibility import fits
from bench.model.cases import Client, Strategy
from bench.model.flags import all_flags
from bench.model.job_use import JobUse
from bench.model.scheduler import Scheduler
from bench.system.paths import import_path, strategies_folder
from bench.worker.protocol import HeldResources, Task
from tests.client_imports import importable_clients
from tests.stub_server import Stub, stub_server
from tests.trial import a_task, report_of

pytestmark = pytest.mark.e2e

WORKERS = 4
FLAGS = {country: f"GIF89a of {country}".encode() * 50 for country in ("BR", "CN", "DE", "ET")}
STRATEGIES = [
    each
    for strategy in find_strategies().values()
    for each in (strategy, *(choose_option(strategy, option) for option in strategy.options))
    if not each.unavailable
]
"""Those that can be run here, each also with each of its options."""
PAIRS = [
    pytest.param(strategy, client, id=f"{strategy.name}-{client.name}")
    for strategy in STRATEGIES
    for client in importable_clients().values()
    if fits(strategy, client)
]


def cluster_of(strategy: Strategy) -> Scheduler | None:
    """Return the embedded cluster for a strategy that uses one."""
    return Scheduler() if strategy.uses_cluster else None


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Serve four flags, each after 50 ms."""
    with stub_server(FLAGS) as stub:
        stub.delay_s = 0.05
        yield stub


def test_table_below_has_every_shipped_strategy_and_client() -> None:
    assert (len(find_strategies()), len(importable_clients())) == (21, 14)
    fitting = {strategy.plain_name for strategy in STRATEGIES}
    assert {pair.values[0].plain_name for pair in PAIRS} == fitting  # type: ignore[union-attr]
    assert {pair.values[1].name for pair in PAIRS} == {*importable_clients()}  # type: ignore[union-attr]


def test_strategies_that_cannot_be_run_here_say_why() -> None:
    """On every Python that flagbench supports, and with everything of the extra ``all`` installed."""
    ours = ".".join(map(str, sys.version_info[:3]))
    newer = {"asyncio_eager": (3, 12), "interpreterpool_map": (3, 14), "threadpool_buffered": (3, 14)}
    expected = {
        name: f"needs Python 3.{version[1]} or newer, and this is {ours}"
        for name, version in newer.items()
        if sys.version_info < version
    }
    found = find_strategies().values()
    assert {each.name: each.unavailable for each in found if each.unavailable} == expected


@pytest.mark.long
@pytest.mark.parametrize(("strategy", "client"), PAIRS)
def test_all_workers_download_at_once_and_every_flag_is_verified(
    stub: Stub, tmp_path: Path, strategy: Strategy, client: Client
) -> None:
    if strategy.starts_processes or strategy.uses_cluster:
        stub.delay_s = 0.25  # on a busy machine the last process starts when the first has had 50 ms
    task = a_task(
        tmp_path,
        strategy_file=strategy.file,
        option=strategy.option,
        client=client.name,
        keep_alive=client.keeps_alive,
        cluster=cluster_of(strategy),
        workers=WORKERS,
        countries=(*FLAGS, "ZZ"),
        base_url=f"{stub.base_url}/-/t1",
        reference=stub.save_flags(tmp_path / "reference"),
    )
    report = report_of(task)
    assert (report.outcome, report.detail, report.left) == ("ok", "", HeldResources(0, 0))
    expected = ({"ok": 4, "not_found": 1}, 4, ("ZZ: not_found: HTTP status 404",))
    assert [(each.fetches, each.verified, each.failures) for each in report.rounds] == [expected] * 2
    assert stub.requests == {
        f"/-/t1.{number}/flags/{country.lower()}/{country.lower()}.gif": 1
        for number in (0, 1)
        for country in (*FLAGS, "ZZ")
    }
    workers = WORKERS if strategy.takes_workers else 1
    assert stub.peak == workers
    assert stub.connections <= (2 * workers if client.keeps_alive else stub.requests.total())
    assert list(task.folder.iterdir()) == []


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(each, id=each.name, marks=[pytest.mark.long] if each.uses_cluster else [])
        for each in STRATEGIES
    ],
)
def test_without_keep_alive_every_request_has_its_own_connection(
    stub: Stub, tmp_path: Path, strategy: Strategy
) -> None:
    stub.ignores_close = True
    stub.delay_s = 0.02  # with which one timed round is long enough
    task = a_task(
        tmp_path,
        strategy_file=strategy.file,
        option=strategy.option,
        client=next(name for name, each in importable_clients().items() if fits(strategy, each)),
        cluster=cluster_of(strategy),
        workers=2,
        keep_alive=False,
        countries=tuple(FLAGS),
        repeat=3,
        base_url=f"{stub.base_url}/-/t1",
        reference=stub.save_flags(tmp_path / "reference"),
    )
    report = report_of(task)
    assert ([each.fetches for each in report.rounds], report.left) == ([{"ok": 12}] * 2, HeldResources(0, 0))
    assert stub.connections == stub.requests.total() == 24


def test_own_strategy_file_runs_as_a_program(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_bytes((Path(__file__).parents[1] / "strategies" / "runs_itself.py").read_bytes())
    ended = subprocess.run(
        [sys.executable, file, "BR", "--client", "urllib3"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(import_path())},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "downloaded" / "br.gif").read_bytes() == all_flags()["BR"]


def test_to_thread_has_as_many_threads_as_workers(stub: Stub, tmp_path: Path) -> None:
    """The default executor of asyncio stops at 32 threads."""
    stub.delay_s = 0.3
    task = a_task(
        tmp_path,
        strategy_file=strategies_folder() / "asyncio_to_thread.py",
        workers=36,
        countries=tuple(FLAGS),
        repeat=9,
        base_url=f"{stub.base_url}/-/t1",
        reference=stub.save_flags(tmp_path / "reference"),
    )
    assert report_of(task).outcome == "ok"
    assert stub.peak == 36


METHODS = ("fork", "forkserver", "spawn")


def pool_strategy(file: Path, method: str) -> Path:
    """Write a strategy with a pool of processes that start by this method."""
    text = (Path(__file__).parents[1] / "strategies" / "pool_by_method.py").read_text("utf-8")
    file.parent.mkdir(exist_ok=True)
    file.write_text(text.replace('METHOD = "spawn"', f'METHOD = "{method}"'), encoding="utf-8")
    return file


def pool_task(stub: Stub, tmp_path: Path, file: Path) -> Task:
    return a_task(
        tmp_path,
        strategy_file=file,
        workers=2,
        countries=tuple(FLAGS),
        base_url=f"{stub.base_url}/-/t1",
        reference=stub.save_flags(tmp_path / "reference"),
    )


@pytest.mark.parametrize("method", METHODS)
def test_pool_of_processes_may_start_in_any_way(stub: Stub, tmp_path: Path, method: str) -> None:
    """Its use of the job is recorded, and what multiprocessing keeps open is no leak of the strategy."""
    report = report_of(pool_task(stub, tmp_path, pool_strategy(tmp_path / "mine.py", method)))
    assert (report.outcome, report.detail, report.left) == ("ok", "", HeldResources(0, 0))
    assert report.job_use == JobUse(("sync",), workers=True)


@pytest.mark.long
@pytest.mark.parametrize("name", ["my-pool.py", "my.pool.py", "1st.py", "a b/mine.py", "queue.py"])
def test_file_of_a_spawned_pool_may_have_any_name(stub: Stub, tmp_path: Path, name: str) -> None:
    report = report_of(pool_task(stub, tmp_path, pool_strategy(tmp_path / name, "spawn")))
    assert (report.outcome, report.detail) == ("ok", "")


@pytest.mark.long
@pytest.mark.parametrize("name", ["processpool_map", "processpool_chunks"])
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_shipped_pool_may_start_in_any_way(stub: Stub, tmp_path: Path, method: str, name: str) -> None:
    """As it does by default on macOS, and from Python 3.14."""
    shipped = (strategies_folder() / f"{name}.py").read_text("utf-8")
    file = tmp_path / f"own_{name}.py"
    start = f"import multiprocessing\nmultiprocessing.set_start_method({method!r}, force=True)\n"
    file.write_text(shipped.replace("from bench.api", f"{start}from bench.api"), "utf-8")
    report = report_of(pool_task(stub, tmp_path, file))
    assert (report.outcome, report.detail, report.left) == ("ok", "", HeldResources(0, 0))


@pytest.mark.long
@pytest.mark.parametrize("method", METHODS)
def test_strategy_with_a_pool_runs_as_a_program(tmp_path: Path, method: str) -> None:
    """Its processes report their fetches, although only forked ones inherit the pipe for that."""
    ended = subprocess.run(
        [sys.executable, pool_strategy(tmp_path / "mine.py", method), "BR", "CN", "--client", "urllib3"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(import_path())},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert "2 flags, 0 not found, 0 errors" in ended.stdout
    assert (tmp_path / "downloaded" / "cn.gif").read_bytes() == all_flags()["CN"]
