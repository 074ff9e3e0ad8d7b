"""What a strategy for a cluster can do wrong, on one machine: each is named, and ours does not do it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pytest
import trustme

import bench
from bench.model.latency_histogram import merge_histograms
from bench.model.scheduler import Scheduler
from bench.system.paths import import_path, strategies_folder
from bench.system.process_tree import descendants
from tests import runs
from tests.cluster_runs import Run, only_trial, requests, run_to_end, strategy, trials
from tests.clusters import Cluster, Machine, running_cluster
from tests.networks import missing_for_shifted_clocks, with_shifted_clock
from tests.stub_server import stub_server
from tests.trial import a_task, report_of

pytestmark = [pytest.mark.e2e, pytest.mark.long]

CODES: Final = ("BR", "CN", "DE", "ES", "FR", "IN", "IT", "JP", "MX", "US")

needs_shifts = pytest.mark.skipif(
    missing_for_shifted_clocks() is not None, reason=f"{missing_for_shifted_clocks()}"
)

SOON_S: Final = 20
"""Dask waits 30 s or for ever; we wait 5 s, and a busy machine takes some more to start the program."""

SAME_SHARES: Final = {"countries": {"codes": ["BR"], "repeat": 8}, "workers": 2}
"""Two machines have the same share."""

BEGINNING: Final = """
from dask.distributed import Client, get_client

from bench.api.batches import receive, send
from bench.api.cluster import machines, on_this_machine, open_cluster, pack, unpack
from strategies.dask import download_batch
from strategies.processpool_asyncio import share

CLIENTS = "sync"
CLUSTER = True


def set_up(job):
    return open_cluster(job, __name__)


def shares(cluster, job):
    chosen = machines(cluster)[: job.workers]
    return zip(chosen, share(job, len(chosen)), strict=True)

"""
USUAL: Final = (
    BEGINNING
    + """
def download_many(job):
    cluster = get_client()
    with cluster.get_executor(pure=False) as executor:
        futures = [
            executor.submit(send(download_batch, part), workers=[place])
            for place, part in shares(cluster, job)
        ]
        return [fetch for future in futures for fetch in receive(job, future.result())]
"""
)
PURE: Final = USUAL.replace("pure=False", "")
FROM_MEMORY: Final = (
    BEGINNING
    + """
KEPT = []


def download_many(job):
    cluster = get_client()
    KEPT.append((job, cluster.submit(download_batch, KEPT[0][0] if KEPT else job)))
    fetches = unpack(job, KEPT[-1][1].result())
    return [fetch._replace(answered_s=0.0, end_s=0.0) for fetch in fetches]  # longer than the round
"""
)
TWICE: Final = (
    BEGINNING
    + """
def download_many(job):
    cluster = get_client()
    with cluster.get_executor(pure=False) as executor:
        first, _ = (executor.submit(send(download_batch, job)) for _ in range(2))
        return receive(job, first.result())
"""
)
DIES: Final = """
import os
from pathlib import Path

HAS_DIED = Path({marker!r})


def download_many(job):
    cluster = get_client()
    with cluster.get_executor(pure=False, allow_other_workers=True) as executor:
        futures = [
            executor.submit(send(download_or_die, part), workers=[place])
            for place, part in shares(cluster, job)
        ]
        return [fetch for future in futures for fetch in receive(job, future.result())]


def download_or_die(job):
    with on_this_machine(job) as here, here.client() as download_one:
        fetches = []
        for country in here.countries:
            fetches.append(download_one(country))
            if here.base_url.endswith("/b0p0a0.1") and not HAS_DIED.exists():
                HAS_DIED.touch()
                os.kill(os.getpid(), 9)
        return pack(here, fetches)
"""
NO_CARE: Final = """
def set_up(job):
    import sys

    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    return Client(job.cluster.scheduler)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run a cluster of two workers, for tests that leave it as it was."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def a_config(folder: Path, strategies: Sequence[object], address: str, **changes: object) -> Path:
    """Write a config of one block whose flags are downloaded on a cluster."""
    return runs.config(folder, strategies, **{"blocks": 1, "scheduler": address, **changes})


def outcome(trial: dict[str, Any]) -> str:
    return f"{trial['outcome']}: {trial['detail']}"


def test_batches_that_are_alike_are_downloaded_each(cluster: Cluster, tmp_path: Path) -> None:
    """Dask's executor takes equal calls for one, unless it is told that they are not pure."""
    names = [strategy(tmp_path, "pure", PURE), "dask"]
    path = a_config(tmp_path, names, cluster.address, **SAME_SHARES)
    ended = run_to_end(path)
    assert ended.code == 3, ended.output
    assert outcome(only_trial(path, "pure")) == "missing: the server saw 4 requests for 8 fetches"
    trial = only_trial(path, "dask")
    assert outcome(trial).startswith("ok:")
    assert {*requests(trial)} == {8}


def test_round_from_memory_is_named(cluster: Cluster, tmp_path: Path) -> None:
    path = a_config(tmp_path, [strategy(tmp_path, "memory", FROM_MEMORY)], cluster.address)
    ended = run_to_end(path)
    assert ended.code == 3, ended.output
    trial = only_trial(path, "memory")
    assert outcome(trial) == "missing: the server saw 0 requests for 3 fetches"


def test_batch_that_is_submitted_twice_is_named(cluster: Cluster, tmp_path: Path) -> None:
    path = a_config(tmp_path, [strategy(tmp_path, "twice", TWICE)], cluster.address)
    ended = run_to_end(path)
    assert ended.code == 3, ended.output
    assert outcome(only_trial(path, "twice")) == "unexpected: the server saw 6 requests for 3 fetches"


@pytest.mark.parametrize(
    ("ending", "named"),
    [
        (NO_CARE, "unexpected: the server saw 9 requests for 8 fetches"),
        ("", "error: bench.api.cluster.ClusterError: other machines than in the beginning: {dead} has left"),
    ],
    ids=["naive", "ours"],
)
def test_batch_that_a_cluster_repeats_elsewhere_is_named(tmp_path: Path, ending: str, named: str) -> None:
    """A worker that dies in the middle of a batch: dask repeats it three times, unless it is told not to."""
    text = BEGINNING + DIES.format(marker=str(tmp_path / "died")) + ending
    with running_cluster(tmp_path) as cluster:
        before = cluster.counts()[0]
        path = a_config(tmp_path, [strategy(tmp_path, "dies", text)], cluster.address, **SAME_SHARES)
        ended = run_to_end(path)
        assert ended.code == 3, ended.output
        trial = only_trial(path, "dies")
        (dead,) = {*before} - {*cluster.counts()[0]}
        assert outcome(trial) == named.format(dead=dead)
        assert requests(trial)[:2] == [8, 9]


@pytest.mark.parametrize(
    ("ending", "named"),
    [
        (NO_CARE, "ok: "),
        ("", "error: bench.api.cluster.ClusterError: other machines than in the beginning: "),
    ],
    ids=["naive", "ours"],
)
def test_repeated_batch_is_named_where_there_is_no_log_of_requests(
    tmp_path: Path, ending: str, named: str
) -> None:
    """A server of the user's says nothing, so nobody but the strategy can notice."""
    text = (
        BEGINNING
        + DIES.format(marker=str(tmp_path / "died")).replace("here.base_url.endswith", "bool")
        + ending
    )
    with running_cluster(tmp_path) as cluster, stub_server(dict.fromkeys(CODES, b"a flag")) as stub:
        files = [f"{code.lower()}/{code.lower()}.gif" for code in CODES]
        path = a_config(
            tmp_path,
            [strategy(tmp_path, "dies", text)],
            cluster.address,
            target={"url": f"{stub.base_url}/flags", "files": files},
            profile=None,
            countries=None,
            workers=2,
        )
        run_to_end(path)
        assert max(stub.requests.values()) > min(stub.requests.values())
    assert outcome(only_trial(path, "dies")).startswith(named)


EXECUTOR: Final = """
import json, sys
from distributed import Client

def twice(number):
    return 2 * number

def submit_all(executor):
    return list(executor.map(twice, range(10), chunksize=5))

with Client(sys.argv[1], timeout=10) as client, client.get_executor(pure=False) as executor:
    found = submit_all(executor)
    try:
        executor.map(twice, range(10), buffersize=5)
        error = ""
    except TypeError as refused:
        error = str(refused)
    print(json.dumps([found, error]))
"""


def test_executor_of_dask_still_ignores_chunksize_and_refuses_buffersize(cluster: Cluster) -> None:
    """So one call of ours is a share. When this changes, read what strategies/dask.py could do with it."""
    command = [sys.executable, "-c", EXECUTOR, cluster.address]
    printed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert json.loads(printed) == [
        [2 * number for number in range(10)],
        "unexpected arguments to map(): ['buffersize']",
    ]
    assert len([key for key in cluster.counts()[1] if key.startswith("twice-")]) == 10


def test_each_machine_gets_one_share_in_each_round(cluster: Cluster, tmp_path: Path) -> None:
    def batches() -> tuple[dict[str, int], int]:
        done, keys = cluster.counts()
        return done, len([key for key in keys if key.startswith("_run_batch-")])

    with stub_server({code: code.encode() for code in CODES}) as stub:
        done_before, keys_before = batches()
        report = report_of(
            a_task(
                tmp_path,
                strategy_file=strategies_folder() / "dask.py",
                countries=CODES,
                base_url=f"{stub.base_url}/-/t1",
                reference=stub.save_flags(tmp_path / "reference"),
                cluster=Scheduler(cluster.address),
            )
        )
        done_after, keys_after = batches()
    assert (report.outcome, report.detail) == ("ok", "")
    rounds = len(report.rounds)
    assert [done_after[each] - done_before[each] for each in done_before] == [rounds, rounds]
    assert keys_after - keys_before == 2 * rounds


SILENT: Final = """
import sys
import tempfile
import threading
import time
from distributed import Client

with Client(sys.argv[1]) as client:
    client.run(print)
"""


@contextmanager
def naive_client(address: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a client of dask that connects and asks all machines as its documentation says."""
    with subprocess.Popen([sys.executable, "-c", SILENT, address], stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def stopped(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Stop a process; it goes on at exit."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("listens", [False, True], ids=["refuses", "never answers"])
def test_address_without_a_scheduler_is_named_soon(tmp_path: Path, *, listens: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        if not listens:
            listener.close()
        with naive_client(address) as naive:
            ended = run_to_end(a_config(tmp_path, ["dask"], address))
            assert naive.poll() is None, "dask waits no longer than we do"
    assert ended.code == 4, ended.output
    said = "accepts connections and does not answer" if listens else "Timed out trying to connect"
    assert f"scheduler {address}: " in ended.output
    assert said in ended.output
    assert "check address, certificates and firewall" in ended.output
    assert ended.took_s < SOON_S
    assert not (tmp_path / "run").exists()


@contextmanager
def talker(words: bytes) -> Iterator[str]:
    """Serve something else than a scheduler, which says the same to whoever connects; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            with suppress(OSError):  # closed at exit
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(words)

        threading.Thread(target=talk).start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_other_server_in_place_of_a_scheduler_is_named(tmp_path: Path) -> None:
    with talker(b"SSH-2.0-OpenSSH_9.2\r\n") as address:
        ended = run_to_end(a_config(tmp_path, ["dask"], address))
    assert ended.code == 4, ended.output
    assert f"scheduler {address}: {address} does not answer as a scheduler" in ended.output


def test_server_that_closes_the_connection_may_want_encryption(tmp_path: Path) -> None:
    """A scheduler with certificates does so with whoever comes without one."""
    with talker(b"") as address:
        ended = run_to_end(a_config(tmp_path, ["dask"], address))
    assert ended.code == 4, ended.output
    assert f"{address} closes the connection; is it tls://?" in ended.output


def test_worker_in_place_of_a_scheduler_is_named(cluster: Cluster, tmp_path: Path) -> None:
    address = cluster.address_of(cluster.workers[0])
    ended = run_to_end(a_config(tmp_path, ["dask"], address))
    assert ended.code == 4, ended.output
    assert f"{address} does not answer as a scheduler: ClusterError: it is a Worker" in ended.output


def test_scheduler_that_has_stopped_is_named_soon(tmp_path: Path) -> None:
    with running_cluster(tmp_path) as cluster, stopped(cluster.scheduler):
        ended = run_to_end(a_config(tmp_path, ["dask"], cluster.address))
    assert ended.code == 4, ended.output
    assert "accepts connections and does not answer" in ended.output
    assert ended.took_s < SOON_S


def test_machine_that_has_stopped_is_named_soon(tmp_path: Path) -> None:
    with running_cluster(tmp_path) as cluster:
        slow, _ = cluster.workers
        with stopped(slow), naive_client(cluster.address) as naive:
            ended = run_to_end(a_config(tmp_path, ["dask"], cluster.address))
            assert naive.poll() is None, "dask waits no longer than we do"
        assert ended.code == 4, ended.output
        said = "cannot say what it has: TimeoutError: no answer within 5 s"
        assert ended.output.count(said) == 1
        assert f"{cluster.address_of(slow)} {said}" in ended.output
    assert ended.took_s < SOON_S
    assert not (tmp_path / "run").exists()


def test_scheduler_without_workers_is_named(tmp_path: Path) -> None:
    with running_cluster(tmp_path, workers=()) as cluster:
        ended = run_to_end(a_config(tmp_path, ["dask"], cluster.address))
    assert ended.code == 4, ended.output
    assert f"scheduler {cluster.address}: the scheduler has no workers" in ended.output
    assert not (tmp_path / "run").exists()


def with_other_library(folder: Path) -> list[str]:
    """Return an import path on which another version of urllib3 comes first."""
    (folder / "urllib3-0.0.1.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: urllib3\nVersion: 0.0.1\n"
    (folder / "urllib3-0.0.1.dist-info" / "METADATA").write_text(metadata, encoding="utf-8")
    return [str(folder), *import_path()]


def with_other_flagbench(folder: Path) -> list[str]:
    """Return an import path on which another version of flagbench comes first."""
    shutil.copytree(Path(bench.__file__).parent, folder / "bench")
    with (folder / "bench" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write('\n__version__ = "0.0.1"\n')
    return [str(folder), *import_path()]


@pytest.mark.parametrize(
    ("find_path", "named"),
    [
        (with_other_library, "has urllib3 0.0.1, and we have " + version("urllib3")),
        (with_other_flagbench, "has flagbench 0.0.1, and we have " + bench.__version__),
        (
            lambda _: [],
            """cannot say what it has: Exception: ModuleNotFoundError("No module named 'bench'")""",
        ),
    ],
    ids=["library", "flagbench", "no flagbench"],
)
def test_machine_with_other_versions_is_named(
    tmp_path: Path, find_path: Callable[[Path], list[str]], named: str
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    with running_cluster(tmp_path, workers=(Machine(), Machine(path=find_path(folder)))) as cluster:
        ended = run_to_end(a_config(tmp_path, ["dask"], cluster.address))
        assert f"{cluster.address_of(cluster.workers[1])} {named}" in ended.output
        assert cluster.address_of(cluster.workers[0]) not in ended.output
    assert ended.code == 4, ended.output
    assert "machines with other versions than this one" in ended.output
    assert not (tmp_path / "run").exists()


def test_scheduler_without_flagbench_is_named(tmp_path: Path) -> None:
    with running_cluster(tmp_path, scheduler=Machine(path=())) as cluster:
        ended = run_to_end(a_config(tmp_path, ["dask"], cluster.address))
    assert ended.code == 4, ended.output
    assert f"{cluster.address} cannot say what it has: ModuleNotFoundError" in ended.output


@needs_shifts
def test_clocks_of_machines_do_not_matter(tmp_path: Path) -> None:
    """Theirs are a day ahead, and a second behind."""

    def shifted(shift_s: int) -> Machine:
        return Machine(wrap=lambda words: with_shifted_clock(words, shift_s))

    with running_cluster(tmp_path, workers=(shifted(100_000), shifted(-1))) as cluster:
        path = a_config(tmp_path, ["dask"], cluster.address, workers=2, rounds=3)
        ended = run_to_end(path)
    assert ended.code == 0, ended.output
    trial = only_trial(path, "dask")
    assert trial["outcome"] == "ok"
    latency = merge_histograms([trial["latency"]])
    assert latency is not None
    assert 0.005 <= latency.p50_s <= latency.max_s < 1
    found = figures(runs.document(path)["trials"])
    wrong = {place: value for place, value in found if not 0 <= value < 1000 and not place.endswith("_bytes")}
    assert wrong == {}


def figures(value: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Yield each number with a fraction of a document, and where it is."""
    if isinstance(value, float):
        yield place, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from figures(part, f"{place}/{name}")


LINGERS: Final = """
import os
import time
from pathlib import Path

MARKER = Path({marker!r})


def download_many(job):
    cluster = get_client()
    first, last = machines(cluster)
    with cluster.get_executor(pure=False) as executor:
        if "/b0p" in job.base_url:
            executor.submit(send(linger, job), workers=[last])
            while not MARKER.exists():
                time.sleep(0.01)
            os.kill(os.getpid(), 9)
        future = executor.submit(send(download_batch, job), workers=[first])
        if MARKER.exists():
            raise RuntimeError("disturbed by what another trial has left")
        return receive(job, future.result())


def linger(job):
    MARKER.touch()
    time.sleep({lasts_s})
    MARKER.unlink()
"""


@pytest.mark.parametrize(
    ("ending", "lasts_s", "named"),
    [
        (NO_CARE, 60, "error: RuntimeError: disturbed by what another trial has left"),
        ("", 5, "ok: "),
        ("", 60, "error: bench.api.cluster.ClusterError: {machine}: busy with run_batch for 10 s"),
    ],
    ids=["naive", "waits", "gives up"],
)
def test_trial_waits_for_what_a_trial_before_it_has_left_on_a_machine(
    tmp_path: Path, ending: str, lasts_s: int, named: str
) -> None:
    """The first is killed, as at its deadline: its batch goes on where nothing of the second is sent."""
    text = BEGINNING + LINGERS.format(marker=str(tmp_path / "marker"), lasts_s=lasts_s) + ending
    with running_cluster(tmp_path) as cluster:
        path = a_config(tmp_path, [strategy(tmp_path, "lingers", text)], cluster.address, blocks=2)
        ended = run_to_end(path)
        machine = max(cluster.counts()[0])
    assert ended.code == 3, ended.output
    ((killed, next_),) = trials(path).values()
    assert outcome(killed).startswith("crash: killed by SIGKILL")
    assert outcome(next_).startswith(named.format(machine=machine))
    assert next_["took_s"] < SOON_S


READS_INFO: Final = """
def machines(client):
    return sorted(client.scheduler_info(n_workers=-1)["workers"])
"""


@pytest.fixture
def forgetful_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients of dask ask for facts about the scheduler every millisecond, and not every two seconds.

    They forget the machines whenever the answer comes.
    """
    settings = tmp_path / ".config" / "dask" / "often.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("distributed: {client: {scheduler-info-interval: 1ms}}", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("forgetful_clients")
@pytest.mark.parametrize("reads", [True, False], ids=["naive", "ours"])
def test_machines_are_known_at_all_times(cluster: Cluster, tmp_path: Path, *, reads: bool) -> None:
    text = USUAL + READS_INFO * reads
    path = a_config(tmp_path, [strategy(tmp_path, "asks", text)], cluster.address, rounds=60)
    ended = run_to_end(path)
    assert ended.code == 3 * reads, ended.output
    named = "error: ZeroDivisionError" if reads else "ok: "
    assert outcome(only_trial(path, "asks")).startswith(named)


KNOWN: Final = """
import sys
from distributed import Client
from bench.runner.cluster.fleet import Connection

with Client(sys.argv[1], timeout=10) as client:
    connection = Connection(client, sys.argv[1], None)
    print({len(connection.workers()) for _ in range(300)})
"""


@pytest.mark.usefixtures("forgetful_clients")
def test_machines_that_measure_blocks_are_known_at_all_times(cluster: Cluster) -> None:
    command = [sys.executable, "-c", KNOWN, cluster.address]
    ended = subprocess.run(command, cwd=runs.ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "{2}\n"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two authorities, and a certificate of each for this machine."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("our", "other"):
        authority = trustme.CA()
        own = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(folder / f"{name}-ca.pem"))
        own.private_key_pem.write_to_path(str(folder / f"{name}-key.pem"))
        (folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    return folder


def files_of(certificates: Path, **changes: str) -> dict[str, str]:
    names = {"authority": "our-ca.pem", "certificate": "our.pem", "private_key": "our-key.pem", **changes}
    return {key: str(certificates / name) for key, name in names.items()}


@pytest.fixture(scope="module")
def encrypted(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run a cluster whose processes only speak to those with a certificate."""
    options = ("--tls-ca-file", "--tls-cert", "--tls-key")
    tls = dict(zip(options, files_of(certificates).values(), strict=True))
    with running_cluster(tmp_path_factory.mktemp("encrypted"), tls=tls) as running:
        yield running


def test_encrypted_cluster_is_used_with_its_certificates(
    encrypted: Cluster, certificates: Path, tmp_path: Path
) -> None:
    path = runs.config(
        tmp_path, ["dask"], blocks=1, scheduler={"address": encrypted.address, **files_of(certificates)}
    )
    ended = run_to_end(path)
    assert ended.code == 0, ended.output
    assert encrypted.address.startswith("tls://")
    trial = only_trial(path, "dask")
    assert trial["outcome"] == "ok"
    assert {*requests(trial)} == {3}


@pytest.mark.parametrize(
    "changes",
    [{"authority": "other-ca.pem"}, {"certificate": "other.pem", "private_key": "other-key.pem"}],
    ids=["authority", "certificate"],
)
def test_certificates_that_do_not_fit_are_named_before_the_first_trial(
    encrypted: Cluster, certificates: Path, tmp_path: Path, changes: dict[str, str]
) -> None:
    files = files_of(certificates, **changes)
    path = runs.config(tmp_path, ["dask"], blocks=1, scheduler={"address": encrypted.address, **files})
    ended = run_to_end(path)
    assert ended.code == 4, ended.output
    assert f"scheduler {encrypted.address}: " in ended.output
    assert ended.took_s < SOON_S
    assert not (tmp_path / "run").exists()


def test_encryption_of_one_side_alone_is_named_before_the_first_trial(
    encrypted: Cluster, cluster: Cluster, certificates: Path, tmp_path: Path
) -> None:
    plain = {"address": encrypted.address.replace("tls:", "tcp:")}
    secret = {"address": cluster.address.replace("tcp:", "tls:"), **files_of(certificates)}
    for number, scheduler in enumerate((plain, secret)):
        (folder := tmp_path / f"{number}").mkdir()
        ended = run_to_end(runs.config(folder, ["dask"], blocks=1, scheduler=scheduler))
        assert ended.code == 4, ended.output
        assert f"scheduler {scheduler['address']}: " in ended.output
        assert not (folder / "run").exists()


def test_cluster_without_encryption_is_refused_elsewhere(tmp_path: Path) -> None:
    ended = run_to_end(a_config(tmp_path, ["dask"], "tcp://10.0.0.1:8786"))
    assert ended.code == 2, ended.output
    assert "insecure: true" in ended.output


NOT_SENT: Final = (
    USUAL
    + """
def download_batch(job):
    with on_this_machine(job) as here, here._replace(authority=job.authority).client() as download_one:
        return pack(here, [download_one(country) for country in here.countries])
"""
)


def missing_for_mounts() -> str | None:
    """Say why a process cannot have mounts of its own here; none if it can."""
    try:
        command = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"unshare: {error.strerror}"
    return None if ended.returncode == 0 else f"mounts of one's own: {ended.stderr.strip()}"


def test_authority_of_the_flag_server_is_sent_to_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have no file of this machine: that of the run is in a folder that is empty for them."""
    if missing := missing_for_mounts():
        pytest.skip(missing)
    (hidden := tmp_path / "hidden").mkdir()
    script = 'mount -t tmpfs tmpfs "$0" && exec "$@"'

    def elsewhere(words: Sequence[str]) -> Sequence[str]:
        return ["unshare", "--mount", "sh", "-c", script, str(hidden), *words]

    with running_cluster(tmp_path, workers=(elsewhere, elsewhere)) as cluster:
        monkeypatch.setenv("TMPDIR", str(hidden))
        names = [strategy(tmp_path, "not_sent", NOT_SENT), "dask"]
        path = a_config(tmp_path, names, cluster.address, profile={"latency": "5ms", "tls": True})
        ended = run_to_end(path)
    assert ended.code == 3, ended.output
    assert outcome(only_trial(path, "not_sent")).startswith("error: FileNotFoundError: ")
    trial = only_trial(path, "dask")
    assert trial["outcome"] == "ok"
    assert {*requests(trial)} == {3}


def test_machine_with_several_threads_downloads_no_more_at_once_than_its_share(tmp_path: Path) -> None:
    """It has two batches in each round, of 1,000 flags and of 10, and a thread for both at once."""
    machine = Machine(words=("--nthreads", "2"))
    with running_cluster(tmp_path, workers=(machine, machine)) as cluster:
        path = a_config(
            tmp_path,
            ["dask"],
            cluster.address,
            workers=4,
            profile={"latency": "1ms"},
            countries={"codes": [*CODES], "repeat": 202},
        )
        ended = run_to_end(path)
        done, _ = cluster.counts()
    assert ended.code == 0, ended.output
    trial = only_trial(path, "dask")
    assert {*requests(trial)} == {2020}
    assert max(each["server"]["max_in_flight"] for each in trial["rounds"]) <= 4
    assert len({*done.values()}) == 1


def test_cluster_of_a_trial_that_was_stopped_for_long_goes_on(tmp_path: Path) -> None:
    """So are trials of pairs, by turns. Dask restarts workers that have been silent for some time."""
    path = runs.config(
        tmp_path, ["dask"], blocks=1, workers=1, profile={"latency": "1s"}, request_timeout="60s"
    )
    with Run(path) as run:
        runs.wait_until(lambda: downloads(run.process.pid) or run.process.poll() is not None, 60)
        worker = next(
            pid for pid in descendants(run.process.pid) if b"bench.worker" in runs.command_line(pid)
        )
        group = os.getpgid(worker)
        os.killpg(group, signal.SIGSTOP)
        time.sleep(13)
        os.killpg(group, signal.SIGCONT)
        ended = run.end()
    assert ended.code == 0, ended.output
    trial = only_trial(path, "dask")
    assert trial["outcome"] == "ok"
    assert trial["warm_up"]["elapsed_s"] > 13


def downloads(runner: int) -> bool:
    """Tell whether a batch of the first trial has a folder; pilots have other names."""
    return any(
        [*parent.glob(f"flagbench-{runner}-*/b0p0a0/0/*/flags")]
        for parent in (Path("/dev/shm"), Path(tempfile.gettempdir()))  # noqa: S108  where the harness has its own
    )


def test_nothing_is_left_of_a_cluster_whose_trial_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    path = runs.config(tmp_path, ["dask"], blocks=1, workers=1, profile={"latency": "8s"}, deadline="12s")
    ended = run_to_end(path)
    assert ended.code == 3, ended.output
    trial = only_trial(path, "dask")
    assert outcome(trial).startswith("timeout: not done after 12 s (`deadline`), in the warm-up with ")
    assert [*temporary.iterdir()] == []
