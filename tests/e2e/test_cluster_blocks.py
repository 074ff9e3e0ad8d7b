"""Whole blocks are measured on machines of a cluster: dask workers whose kernels say different boot ids."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from bench.system.paths import import_path
from bench.system.process_tree import descendants
from tests import runs
from tests.clusters import Cluster, Machine, Wrap, running_cluster
from tests.machines import machine, missing_for_machines
from tests.networks import missing_for_networks, network

pytestmark = [pytest.mark.e2e, pytest.mark.long]

_SLOW = {"latency": "250ms"}
_PATIENCE_S = 30.0


@contextmanager
def cluster_of(folder: Path, *machines: int) -> Iterator[Cluster]:
    """Run a cluster with a worker on each of some machines, which have numbers."""
    folder.mkdir()
    if missing := missing_for_machines(folder):
        pytest.skip(missing)
    with running_cluster(
        folder, workers=[Machine(machine(folder, number)) for number in machines]
    ) as running:
        yield running


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run two machines, one of them with two workers."""
    with cluster_of(tmp_path_factory.mktemp("machines") / "cluster", 1, 2, 2) as running:
        yield running


def machine_by_block(trials: Sequence[dict[str, Any]]) -> dict[int, set[str]]:
    """Return the machines that measured each block."""
    found: dict[int, set[str]] = {}
    for trial in trials:
        found.setdefault(trial["block"], set()).add(trial["machine"])
    return found


def measured_blocks(path: Path) -> list[int]:
    """Return the blocks in the journal of a config's run, in the order in which they ended."""
    journal = path.parent / "run" / "journal.jsonl"
    if not journal.exists():
        return []
    lines = [json.loads(line) for line in journal.read_bytes().split(b"\n")[:-1]]
    return [line["block"]["trials"][0]["block"] for line in lines if "block" in line]


def busy(workers: "Sequence[subprocess.Popen[bytes]]") -> list[int]:
    """Return the processes below some dask workers."""
    return [pid for worker in workers for pid in descendants(worker.pid)]


@contextmanager
def begun(
    path: Path, cluster: Cluster, condition: Callable[[], object], *words: str
) -> Iterator["subprocess.Popen[str]"]:
    """Start a run on a cluster, wait for a condition, and kill the run at exit."""
    with subprocess.Popen(
        runs.command(path, "--on", cluster.address, *words),
        cwd=runs.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            runs.wait_until(condition, _PATIENCE_S)
            yield process
        finally:
            process.kill()


def measures(worker: "subprocess.Popen[bytes]") -> bool:
    """Tell whether a worker of a flag server's strategies is running below a dask worker."""
    return any(b"bench.worker" in runs.command_line(pid) for pid in descendants(worker.pid))


def test_each_block_is_measured_on_one_machine_of_its_own(cluster: Cluster, tmp_path: Path) -> None:
    path = runs.config(tmp_path, ["threadpool_map", "sequential"], blocks=4)
    ended = runs.watched(path, "--on", cluster.address)
    assert ended.returncode == 0, ended.stderr
    stored = runs.document(path)
    found = machine_by_block(stored["trials"])
    assert set(found) == {0, 1, 2, 3}
    assert all(len(machines) == 1 for machines in found.values())
    assert set.union(*found.values()) == {"M1", "M2"}
    assert {trial["outcome"] for trial in stored["trials"]} == {"ok"}
    machines = stored["environment"]["machines"]
    assert set(machines) == {"M1", "M2"}
    assert machines["M1"]["host"] != machines["M2"]["host"]
    assert {trial["fingerprint"] for trial in stored["trials"]} == {machines["M1"]["fingerprint"]}
    assert stored["environment"]["fingerprint"] == machines["M1"]["fingerprint"]
    assert "127.0.0.1" not in json.dumps(stored["environment"])
    assert stored["command"][-2:] == ["--on", "CLUSTER"] if "command" in stored else True
    assert "are on one machine" in ended.stderr
    assert " on M1: " in ended.stderr
    assert " on M2: " in ended.stderr


def test_own_files_are_sent_and_make_the_same_experiment(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "flags").mkdir()
    for code in ("br", "cn", "in"):
        (tmp_path / "flags" / f"{code}.gif").write_bytes(code.encode() * 500)
    (tmp_path / "mine.py").write_text((runs.ROOT / "strategies" / "threadpool_map.py").read_text("utf-8"))
    (tmp_path / "configs").mkdir()
    (tmp_path / "here").mkdir()
    path = runs.config(tmp_path / "configs", ["../mine.py"], blocks=1, flags_dir="../flags")
    assert runs.run(path).returncode == 0
    here = runs.document(path)["config"]["sha256"]
    (tmp_path / "configs" / "run").rename(tmp_path / "here" / "run")
    ended = runs.run(path, "--on", cluster.address)
    assert ended.returncode == 0, ended.stderr
    stored = runs.document(path)
    assert stored["config"]["sha256"] == here
    assert [trial["rounds"][0]["verified"] for trial in stored["trials"]] == [3]


def test_a_script_is_sent_with_its_config(cluster: Cluster, tmp_path: Path) -> None:
    """It is named by its path from the current folder, as the config is in that."""
    path = tmp_path / "mine.py"
    path.write_text((runs.ROOT / "strategies" / "threadpool_map.py").read_text("utf-8"))
    words = ("--blocks", "1", "--countries", "BR,CN", "--only", "mine*", "--on", cluster.address)
    command = [sys.executable, "-m", "bench", "run", "mine.py", *words, "--out", "run", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(import_path())}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert {trial["machine"] for trial in runs.document(path)["trials"]} <= {"M1", "M2"}


def test_a_client_that_the_machines_cannot_have_is_refused_before_the_first_trial(
    cluster: Cluster, tmp_path: Path
) -> None:
    path = runs.config(tmp_path, ["dask"], scheduler=cluster.address)
    ended = runs.run(path, "--on", cluster.address)
    assert ended.returncode == 2
    assert "needs a cluster itself" in ended.stderr
    assert not (tmp_path / "run").exists()


def test_ctrl_c_leaves_nothing_on_the_machines_and_keeps_whole_blocks(
    cluster: Cluster, tmp_path: Path
) -> None:
    path = runs.config(tmp_path, ["threadpool_map"], blocks=100, profile=_SLOW)
    with begun(path, cluster, lambda: measured_blocks(path)) as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=_PATIENCE_S)
    assert process.returncode == 130
    assert "stopped early" in errors
    runs.wait_until(lambda: not busy(cluster.workers), _PATIENCE_S)
    stored = runs.document(path)
    assert stored["status"] == "partial"
    assert {trial["block"] for trial in stored["trials"]} == {*measured_blocks(path)}


def test_a_killed_command_leaves_nothing_on_the_machines_and_is_resumed(
    cluster: Cluster, tmp_path: Path
) -> None:
    path = runs.config(tmp_path, ["threadpool_map"], blocks=6, profile=_SLOW)
    with begun(path, cluster, lambda: len(measured_blocks(path)) >= 2) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    runs.wait_until(lambda: not busy(cluster.workers), _PATIENCE_S)
    before = (path.parent / "run" / "journal.jsonl").read_bytes()
    assert not (path.parent / "run" / "run.json").exists()
    ended = runs.resumed(path, "--on", cluster.address)
    assert ended.returncode == 0, ended.stderr
    assert (path.parent / "run" / "journal.jsonl").read_bytes().startswith(before)
    assert sorted(measured_blocks(path)) == [0, 1, 2, 3, 4, 5]
    assert runs.document(path)["status"] == "complete"
    assert set(runs.document(path)["environment"]["machines"]) == {"M1", "M2"}


def test_a_run_on_a_cluster_is_not_resumed_here(cluster: Cluster, tmp_path: Path) -> None:
    path = runs.config(tmp_path, ["threadpool_map"], blocks=100, profile=_SLOW)
    with begun(path, cluster, lambda: measured_blocks(path)):
        pass
    ended = runs.resumed(path)
    assert ended.returncode == 2
    assert "resume it with --on" in ended.stderr
    runs.wait_until(lambda: not busy(cluster.workers), _PATIENCE_S)


def test_the_block_of_a_machine_that_dies_is_measured_as_a_whole_by_another_one(tmp_path: Path) -> None:
    """Its half of the block is not in the journal, and its processes are gone."""
    with cluster_of(tmp_path / "cluster", 1, 2) as cluster:
        first, _ = cluster.workers
        path = runs.config(tmp_path, ["threadpool_map", "sequential"], blocks=3, profile=_SLOW)
        with begun(path, cluster, lambda: measures(first)) as process:
            below = [*descendants(first.pid)]
            first.kill()
            _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        runs.wait_until(lambda: not runs.alive(below), _PATIENCE_S)
    assert "it is gone" in errors
    assert "is due again" in errors
    stored = runs.document(path)
    assert (stored["status"], len(stored["trials"])) == ("complete", 6)
    assert sorted(measured_blocks(path)) == [0, 1, 2]
    assert len(set.union(*machine_by_block(stored["trials"]).values())) == 1


def test_a_run_without_machines_ends_and_is_resumed_on_others(tmp_path: Path) -> None:
    path = runs.config(tmp_path, ["threadpool_map"], blocks=4, profile=_SLOW)
    with cluster_of(tmp_path / "one", 1) as cluster:
        with begun(path, cluster, lambda: len(measured_blocks(path)) == 1) as process:
            cluster.workers[0].kill()
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 4, errors
        assert "no machine of the cluster is left" in errors
        assert f"--on {cluster.address} --resume" in errors
        assert runs.document(path)["status"] == "partial"
    with cluster_of(tmp_path / "other", 2) as cluster:
        ended = runs.resumed(path, "--on", cluster.address)
    assert ended.returncode == 0, ended.stderr
    stored = runs.document(path)
    assert stored["status"] == "complete"
    assert machine_by_block(stored["trials"]) == {0: {"M1"}, 1: {"M2"}, 2: {"M2"}, 3: {"M2"}}
    assert set(stored["environment"]["machines"]) == {"M1", "M2"}


def test_a_run_whose_scheduler_dies_ends_with_what_it_has(tmp_path: Path) -> None:
    path = runs.config(tmp_path, ["threadpool_map"], blocks=100, profile=_SLOW)
    with cluster_of(tmp_path / "cluster", 1) as cluster:
        with begun(path, cluster, lambda: measured_blocks(path)) as process:
            cluster.scheduler.kill()
            _, errors = process.communicate(timeout=90)
        assert process.returncode == 4, errors
        assert "does not answer" in errors
        runs.wait_until(lambda: not busy(cluster.workers), _PATIENCE_S)
    assert runs.document(path)["status"] == "partial"


def test_the_block_of_an_unplugged_machine_is_measured_by_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection is closed, so the scheduler loses its patience; the machine ends its block by itself."""
    if missing := missing_for_networks():
        pytest.skip(missing)
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "6s")
    folder = tmp_path / "cluster"
    folder.mkdir()
    if missing := missing_for_machines(folder):
        pytest.skip(missing)
    path = runs.config(tmp_path, ["threadpool_map", "sequential"], blocks=3, profile=_SLOW)
    file = tmp_path / "cluster.yaml"
    with network("command", "one", "two") as hosts:

        def on_host(name: str, number: int) -> Wrap:
            return lambda words: hosts[name].command(*machine(folder, number)(words))

        with running_cluster(
            folder,
            workers=[Machine(on_host("one", 1)), Machine(on_host("two", 2))],
            scheduler=Machine(lambda words: hosts["command"].command(*words)),
            host=hosts["command"].address,
        ) as cluster:
            file.write_text(f"scheduler: {{address: '{cluster.address}', insecure: true}}", "utf-8")
            process = hosts["command"].popen(
                *runs.command(path, "--on", str(file)),
                cwd=runs.ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            runs.wait_until(lambda: measures(cluster.workers[0]), _PATIENCE_S)
            hosts["one"].unplug()
            _, errors = process.communicate(timeout=100)
            assert process.returncode == 0, errors
            assert "M1: it is gone; its block" in errors or "M2: it is gone; its block" in errors
            runs.wait_until(lambda: not busy(cluster.workers), _PATIENCE_S)
    stored = runs.document(path)
    assert (stored["status"], len(stored["trials"])) == ("complete", 6)
    assert all(len(machines) == 1 for machines in machine_by_block(stored["trials"]).values())


def test_an_encrypted_cluster_is_named_by_a_file_with_its_certificates(tmp_path: Path) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    (tmp_path / "own.pem").write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    files = {"ca-file": "ca.pem", "cert": "own.pem", "key": "key.pem"}
    tls = {f"--tls-{option}": str(tmp_path / name) for option, name in files.items()}
    (tmp_path / "cluster").mkdir()
    path = runs.config(tmp_path, ["threadpool_map"], blocks=1)
    file = tmp_path / "cluster.yaml"
    with running_cluster(tmp_path / "cluster", tls=tls) as cluster:
        certificates = "authority: ca.pem, certificate: own.pem, private_key: key.pem"
        file.write_text(f"scheduler: {{address: '{cluster.address}', {certificates}}}", "utf-8")
        assert runs.run(path, "--on", cluster.address).returncode == 2
        ended = runs.run(path, "--on", str(file))
    assert ended.returncode == 0, ended.stderr
    assert cluster.address.startswith("tls://")
    assert [trial["machine"] for trial in runs.document(path)["trials"]] == ["M1"]
