"""Bodies of 1 kB to 10 MiB, from the config to the files: every client, and the memory that it takes."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Final
from zlib import crc32

import pytest

from bench.api import ClientSettings
from bench.config.catalog import find_strategies
from bench.config.compatibility import fits
from bench.errors import ExitCode
from bench.model.body_sizes import LARGEST_BODY, FixedSize
from bench.model.cases import Profile
from bench.model.countries import COUNTRIES
from bench.model.flags import all_flags
from bench.model.planned_bodies import bodies_of, make_body
from bench.model.profile_presets import preset
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.runner.protected_files import write_reference
from bench.system.paths import import_path
from bench.worker.events import Fetched, read_event
from bench.worker.protocol import Report, Task, worker_command
from tests import runs
from tests.client_imports import importable_clients
from tests.server_process import TestedServer, running_server
from tests.trial import a_task

pytestmark = [pytest.mark.e2e, pytest.mark.long]

MIB: Final = 1 << 20
LARGE: Final = Profile("large", sizes=FixedSize(LARGEST_BODY))
ASKED: Final = tuple(sorted(COUNTRIES)[:24])
STYLES: Final = {"sync": "threadpool_map", "async": "asyncio_gather"}
CLIENTS: Final = importable_clients()
FACES: Final = [(name, face) for name, client in CLIENTS.items() for face in sorted(client.faces)]


@pytest.mark.parametrize("size", ["1kB", "100kB", "10MiB"])
def test_run_verifies_bodies_with_every_client(tmp_path: Path, size: str) -> None:
    """The flags on disk equal those served, and the server saw a request for each."""
    path = runs.config(
        tmp_path,
        [*STYLES.values()],
        clients=[name for name, client in CLIENTS.items() if client.keeps_alive],
        profile={"sizes": size, "latency": "20ms"},  # else a quick client keeps the server busy all the time
        blocks=1,
        request_timeout="60s",
    )
    ended = runs.run(path)
    trials = runs.document(path)["trials"]
    strategies = find_strategies()
    expected = {
        f"{strategy}/{client}/3/20ms+{size}-bodies"
        for strategy in STYLES.values()
        for client in CLIENTS
        if fits(strategies[strategy], CLIENTS[client]) and CLIENTS[client].keeps_alive
    }
    assert {each["case"] for each in trials} == expected, ended.stderr
    final = {each["case"]: each for each in trials}
    assert {name: each["detail"] for name, each in final.items() if each["outcome"] != "ok"} == {}
    for trial in final.values():
        for round_ in trial["rounds"]:
            assert (round_["fetches"], round_["verified"]) == ({"ok": 3}, 3)
            assert (round_["server"]["requests"], round_["server"]["retries"]) == (3, 0)


def test_profiles_of_a_run_have_bodies_of_their_own(tmp_path: Path) -> None:
    """Each has its reference and its ideal; 300 kB take 30 ms at 10 MB/s."""
    profiles = [
        "local",
        {"sizes": "100kB", "bandwidth": "10MB"},
        {"name": "tail", "sizes": {"lognormal": {"median": "20KiB", "p99": "1MiB"}}},
        {"name": "large", "sizes": "10MiB"},
    ]
    path = runs.config(tmp_path, ["sequential"], profile=None, profiles=profiles)
    assert runs.run(path).returncode == ExitCode.OK
    trials = runs.document(path)["trials"]
    assert [(each["outcome"], each["rounds"][0]["verified"]) for each in trials] == [("ok", 3)] * 8
    ideals_s = {each["case"].rpartition("/")[2]: each["rounds"][0]["planned_ideal_s"] for each in trials}
    assert ideals_s == {"local": 0.0, "0ms+10MB+100kB-bodies": pytest.approx(0.03), "tail": 0.0, "large": 0.0}


def test_bodies_of_a_process_pool_and_of_cpu_work_are_verified(tmp_path: Path) -> None:
    """Forked processes write files beside each other, also of the same country."""
    path = runs.config(
        tmp_path,
        ["processpool_map", "processpool_map+spawn"],
        profile={"name": "large", "sizes": "1MiB", "faults": [{"kind": "short_body", "rate": "20%"}]},
        countries={"codes": ["BR", "CN", "IN"], "repeat": 4},
        process="sha256",
        blocks=1,
    )
    ended = runs.run(path)
    trials = runs.document(path)["trials"]
    assert [each["outcome"] for each in trials] == ["ok"] * 2, ended.stderr


@pytest.fixture(scope="module")
def server() -> Iterator[TestedServer]:
    """Run one server for all clients."""
    with running_server(ServerSettings(preset("local"))) as running:
        yield running


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the bodies that are served."""
    bodies = bodies_of(LARGE, 1, all_flags())
    return write_reference(tmp_path_factory.mktemp("served"), {country: bodies[country] for country in ASKED})


def large_task(folder: Path, url: str, reference: Path, client: str, face: str) -> Task:
    """Ask for 24 of the largest bodies, twelve at once, that stay in the folder."""
    return a_task(
        folder,
        strategy_file=find_strategies()[STYLES[face]].file,
        client=client,
        workers=12,
        countries=ASKED,
        base_url=url,
        reference=reference,
        request_timeout_s=60.0,
        largest_bytes=LARGEST_BODY,
        live=True,
    )


def run_measured(task: Task) -> tuple[Report, int]:
    """Run a worker; return its report, and the most bytes of memory by its last fetch."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(import_path())}
    peak_bytes, events = 0, []
    with subprocess.Popen(
        worker_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=task.folder, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(task.to_json().encode())
        process.stdin.close()
        for line in process.stdout:
            events.append(read_event(line))
            if isinstance(events[-1], Fetched):
                peak_bytes = read_peak_bytes(process.pid)
    report = events[-1]
    assert isinstance(report, Report)
    return report, peak_bytes


def read_peak_bytes(pid: int) -> int:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


@pytest.mark.parametrize(("client", "face"), FACES)
def test_large_bodies_are_on_disk_and_were_not_in_memory(
    server: TestedServer, reference: Path, tmp_path: Path, client: str, face: str
) -> None:
    """All bodies have 240 MiB."""
    name = f"{client}-{face}"
    opened = server.open_trial(Opening(name, LARGE, 0))
    task = large_task(tmp_path, f"{opened.url}.0", reference, client, face)
    report, peak_bytes = run_measured(task)
    assert report.outcome == "ok", report
    records = server.records(name)[0]
    server.close_trial(name)
    assert sorted(each.country for each in records) == sorted(ASKED)
    saved = {path.name: crc32(path.read_bytes()) for path in task.folder.glob("[!.]*.gif")}
    assert saved == {f"{each.lower()}.gif": crc32(make_body(each, LARGEST_BODY)) for each in ASKED}
    assert not [*task.folder.glob(".part*")]
    assert peak_bytes < 140 * MIB, f"{peak_bytes / MIB:.0f} MiB"


@pytest.mark.parametrize("name", [each for each in ("curl_cffi", "pycurl") if each in importable_clients()])
def test_a_download_that_cannot_be_saved_is_ended(name: str, tmp_path: Path) -> None:
    """A function that libcurl calls for each piece fails; 256 MiB would come all the same."""
    sent = []

    def send_pieces(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n")
            for _ in range(4_096):
                connection.sendall(bytes(65_536))
                sent.append(65_536)

    settings = ClientSettings(1, True, 20.0, 1 << 30, folder=str(tmp_path / "gone"))  # noqa: FBT003  as a job has it
    client = import_module(f"strategies.clients.{name}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=send_pieces, args=(listener,))
        thread.start()
        with client.open_client(settings) as get, pytest.raises(FileNotFoundError):
            get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert sum(sent) < 64 << 20
