"""A real worker process, with strategies that fail, lie and leak."""

import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.api.pacing import create_open_schedule
from bench.system.paths import strategies_folder
from bench.worker.events import Event, Fetched, FutureObserved, read_event
from bench.worker.protocol import Report, Task, worker_command
from tests.stub_server import Stub, stub_server
from tests.trial import a_task, report_in, report_of, run_worker

pytestmark = pytest.mark.e2e

HOSTILE = Path(__file__).parents[1] / "strategies"
FLAGS = {"BR": b"GIF89a of Brazil", "CN": b"GIF89a of China", "IN": b"GIF89a of India"}
LONG_ENOUGH_S = 0.1
"""A delay that makes rounds too long for another one to be added."""
HEAVY = {
    *("yaml", "rich", "click", "pydantic", "numpy", "httptools", "aiohttp", "httpx", "asyncio"),
    "statistics",
}


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Serve three flags."""
    with stub_server(FLAGS) as stub:
        yield stub


def a_trial(stub: Stub, folder: Path, file: Path, **wanted: Any) -> Task:
    """Build a task for three countries with the strategy of a file."""
    reference = stub.save_flags(folder / "reference")
    usual = {"strategy_file": file, "countries": tuple(FLAGS), "base_url": f"{stub.base_url}/-/t1"}
    return a_task(folder, **{"reference": reference, **usual, **wanted})


@pytest.mark.parametrize(
    ("strategy", "rounds", "outcome"),
    [
        ("raises", 0, "error: ValueError: no more �[31mflags (raises.py:10)"),
        ("exits", 0, "error: SystemExit: 3 are too many (exits.py:10)"),
        ("returns_none", 1, "error: download_many returned NoneType, not a list of Fetch"),
        ("returns_names", 1, "error: download_many returned a list with 'BR' in it, which is not a Fetch"),
        ("wrong_bytes", 1, "corrupt: br.gif differs at byte 10 (16 bytes, 16 were served)"),
        ("cut_short", 1, "corrupt: cn.gif differs at byte 5 (5 bytes, 15 were served)"),
        ("few_files", 1, "missing: 2 files missing: br.gif, cn.gif"),
        ("few_fetches", 1, "missing: 1 fetch missing: BR"),
        ("more_fetches", 1, "unexpected: 2 unexpected fetches: BR, ZZ"),
        ("extra_file", 1, "unexpected: 1 unexpected file: x.tmp"),
        ("second_round", 1, "error: RuntimeError: once is enough (second_round.py:9)"),
        ("removes_folder", 1, "missing: 3 files missing: br.gif, cn.gif, in.gif"),
        ("links_folder", 1, "missing: 3 files missing: br.gif, cn.gif, in.gif"),
        ("scatters", 1, "unexpected: 4 unexpected files: ../beside.txt, link.gif, notes, notes/a.txt"),
        ("full_disk", 1, "invalid: local_resource: CN: OSError: [Errno 28] No space left on device"),
        (
            "lacks_descriptors",
            0,
            "invalid: local_resource: OSError: [Errno 24] Too many open files (lacks_descriptors.py:13)",
        ),
        ("closes_stderr", 0, "error: ValueError: 3 countries unheard of (closes_stderr.py:12)"),
        ("replaces_stderr", 0, "error: ValueError: 3 countries unheard of (replaces_stderr.py:11)"),
        ("no_function", 0, "error: ImportError: no_function.py has no function download_many"),
        ("no_import", 0, "error: ModuleNotFoundError: No module named 'no_such_library' (no_import.py:3)"),
    ],
)
def test_first_problem_of_a_trial_ends_it(
    stub: Stub, tmp_path: Path, strategy: str, rounds: int, outcome: str
) -> None:
    report = report_of(a_trial(stub, tmp_path, HOSTILE / f"{strategy}.py"))
    assert (len(report.rounds), f"{report.outcome}: {report.detail}") == (rounds, outcome)
    assert (report.ready_s is None) == strategy.startswith("no_")


def test_strategy_from_any_folder_may_print_start_processes_and_leave_threads(
    stub: Stub, tmp_path: Path
) -> None:
    stub.delay_s = LONG_ENOUGH_S
    ended = run_worker(a_trial(stub, tmp_path, HOSTILE / "own_pool.py"))
    assert report_in(ended).outcome == "ok"
    assert (ended.returncode, ended.stderr) == (0, b"hello from the strategy\n" * 2)


def test_report_survives_a_flood_of_output(stub: Stub, tmp_path: Path) -> None:
    stub.delay_s = LONG_ENOUGH_S
    ended = run_worker(a_trial(stub, tmp_path, HOSTILE / "floods.py"))
    assert report_in(ended).outcome == "ok"
    assert len(ended.stderr) == 20_000_000


def test_dripping_answer_is_a_failed_fetch(stub: Stub, tmp_path: Path) -> None:
    stub.drip_s = 0.03
    sequential = strategies_folder() / "sequential.py"
    report = report_of(a_trial(stub, tmp_path, sequential, countries=("BR",), request_timeout_s=0.1))
    assert (report.outcome, [each.fetches for each in report.rounds]) == ("ok", [{"timeout": 1}] * 2)


def test_crash_leaves_a_stack_dump(stub: Stub, tmp_path: Path) -> None:
    ended = run_worker(a_trial(stub, tmp_path, HOSTILE / "segfaults.py"))
    assert (ended.returncode, ended.stdout) == (-signal.SIGSEGV, b"")
    assert b"Fatal Python error: Segmentation fault" in ended.stderr
    assert f'File "{HOSTILE}/segfaults.py", line 12 in download_many' in ended.stderr.decode()


def test_worker_imports_only_light_modules(stub: Stub, tmp_path: Path) -> None:
    """It imports four rooms of bench, of model only the light modules, and what the strategy needs."""
    ended = run_worker(a_trial(stub, tmp_path, HOSTILE / "shows_modules.py"))
    modules = set(ended.stderr.decode().split())
    rooms = {name.split(".")[1] for name in modules if name.startswith("bench.")}
    model = {name for name in modules if name.startswith("bench.model.")}
    assert "urllib3" in modules
    assert rooms == {"api", "errors", "model", "worker"}
    light = {
        "exception_groups",
        "function_call",
        "job_use",
        "json_codec",
        "open_loop",
        "process_limit",
        "scheduler",
        "text",
        "trial_outcome",
        "work",
        "worker_runtime",
    }
    assert model == {f"bench.model.{name}" for name in light}
    assert not modules & HEAVY


def test_each_fetch_of_a_repeated_country_is_verified(stub: Stub, tmp_path: Path) -> None:
    stub.delay_s = LONG_ENOUGH_S / 10
    sequential = strategies_folder() / "sequential.py"
    report = report_of(a_trial(stub, tmp_path, sequential, repeat=4, rounds=3))
    assert [(each.fetches, each.verified) for each in report.rounds] == [({"ok": 12}, 12)] * 4


def an_open_loop(stub: Stub, folder: Path, file: Path) -> Task:
    """Build a task for three countries, three times each, at 20 a second."""
    create_open_schedule(str(folder / "schedule"))
    schedule = str(folder / "schedule")
    return a_trial(stub, folder, file, repeat=3, rate=20.0, schedule=schedule, is_open_loop=True)


def test_each_timed_round_of_an_open_loop_has_a_schedule_and_the_warm_up_has_none(
    stub: Stub, tmp_path: Path
) -> None:
    """The ninth fetch is due after 0.4 s."""
    task = an_open_loop(stub, tmp_path, strategies_folder() / "threadpool_map.py")
    report = report_of(replace(task, rounds=2))
    assert (report.outcome, report.detail) == ("ok", "")
    warm_up, *timed = report.rounds
    assert warm_up.open_loop is None
    assert len(timed) == 2
    for each in timed:
        assert each.elapsed_s > 0.4
        assert each.open_loop is not None
        assert each.open_loop.offered == 20.0
        assert each.open_loop.reached < 9 / 0.4


def test_fetches_that_do_not_follow_the_schedule_are_an_error(stub: Stub, tmp_path: Path) -> None:
    report = report_of(an_open_loop(stub, tmp_path, HOSTILE / "forgets_schedule.py"))
    what = "download_many returned a Fetch of 'BR' that has no place in the schedule"
    assert (report.outcome, report.detail, len(report.rounds)) == ("error", what, 2)


def test_live_task_reports_every_event(stub: Stub, tmp_path: Path) -> None:
    """It is one round at the address itself, into the folder itself, where the flags stay."""
    strategy = strategies_folder() / "threadpool_as_completed.py"
    task = a_trial(stub, tmp_path, strategy, live=True, base_url=stub.base_url, countries=("BR", "ZZ"))
    (task.folder / "mine.txt").write_text("was here before")
    events = live_events(task)
    report = events.pop()
    assert isinstance(report, Report)
    assert (report.outcome, [each.fetches for each in report.rounds]) == ("ok", [{"ok": 1, "not_found": 1}])
    assert sorted(path.name for path in task.folder.iterdir()) == ["br.gif", "mine.txt"]
    assert stub.requests == {"/flags/br/br.gif": 1, "/flags/zz/zz.gif": 1}
    fetched = sorted((event.country, event.outcome) for event in events if isinstance(event, Fetched))
    assert fetched == [("BR", "ok"), ("ZZ", "not_found")]
    for country in ("BR", "ZZ"):
        texts = [
            event.text for event in events if isinstance(event, FutureObserved) and event.country == country
        ]
        assert len(texts) == 2
        assert "state=finished returned Fetch" in texts[-1]


@pytest.mark.parametrize("strategy", ["asyncio_as_completed", "asyncio_gather", "asyncio_taskgroup"])
def test_live_task_reports_asyncio_tasks_when_scheduled_and_when_done(
    stub: Stub, tmp_path: Path, strategy: str
) -> None:
    file = strategies_folder() / f"{strategy}.py"
    task = a_trial(stub, tmp_path, file, client="aiohttp", live=True, base_url=stub.base_url)
    seen = [event for event in live_events(task) if isinstance(event, FutureObserved)]
    assert [event.country for event in seen[:3]] == list(FLAGS)
    assert all(event.text.startswith("<Task pending ") for event in seen[:3])
    assert sorted(event.country for event in seen[3:]) == list(FLAGS)
    assert all(event.text.startswith("<Task finished ") for event in seen[3:])


@pytest.mark.parametrize(
    ("strategy", "client"), [("processpool_map", "urllib3"), ("asyncio_gather", "aiohttp")]
)
def test_live_task_reports_fetches_of_pool_processes_and_of_event_loops(
    stub: Stub, tmp_path: Path, strategy: str, client: str
) -> None:
    file = strategies_folder() / f"{strategy}.py"
    task = a_trial(stub, tmp_path, file, client=client, live=True, repeat=20, base_url=stub.base_url)
    *events, report = live_events(task)
    assert isinstance(report, Report)
    assert report.rounds[0].verified == 60
    assert sorted(event.country for event in events if isinstance(event, Fetched)) == sorted([*FLAGS] * 20)


@pytest.mark.parametrize("strategy", ["hangs", "hangs_in_c"])
def test_sigterm_dumps_the_stack_and_ends_a_hanging_worker(stub: Stub, tmp_path: Path, strategy: str) -> None:
    task = a_trial(stub, tmp_path, HOSTILE / f"{strategy}.py")
    worker = subprocess.Popen(
        worker_command(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(strategies_folder().parent)},
    )
    with worker:
        assert worker.stdin is not None
        assert worker.stderr is not None
        worker.stdin.write(task.to_json().encode())
        worker.stdin.close()
        assert worker.stderr.readline() == b"waiting\n"
        worker.terminate()
        words = worker.stderr.read().decode()
    assert worker.returncode == -signal.SIGTERM
    # it may not have reached the line on which it hangs
    assert re.search(rf'File "{re.escape(str(HOSTILE))}/{strategy}\.py", line 1[01] in download_many', words)


def test_programs_started_by_a_strategy_do_not_inherit_the_report(stub: Stub, tmp_path: Path) -> None:
    """They inherit three descriptors; ``ls`` opens the fourth."""
    report = report_of(a_trial(stub, tmp_path, HOSTILE / "starts_program.py"))
    assert "descriptors ['0', '1', '2', '3'] " in report.detail


def live_events(task: Task) -> list[Event]:
    """Run a worker, and read all its events."""
    ended = run_worker(task)
    assert ended.stderr == b""
    assert all(len(line) < 4096 for line in ended.stdout.splitlines())
    return [read_event(line) for line in ended.stdout.splitlines()]
