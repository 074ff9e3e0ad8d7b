"""Failures of a cluster in the middle of a trial: each is named by its deadline, and later trials are right.

The scheduler, two machines and the runner with its flag server have a network namespace each. Block 0 is
measured as usual, and the failure comes in block 1, in the warm-up or the timed round.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from bench.system.process_tree import descendants
from tests import runs
from tests.cluster_runs import FOLDERS_IN_MEMORY, EndedRun, Run, is_fetching, trials
from tests.clusters import Cluster, Machine, Wrap, running_cluster
from tests.networks import Host, missing_for_networks, network

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.skipif(missing_for_networks() is not None, reason=f"{missing_for_networks()}"),
]

FETCHES: Final = 32
DEADLINE_S: Final = 15.0
"""A trial takes three seconds, and several times as long on a busy machine."""
LATE_S: Final = 3.0
"""From its deadline until a trial is in the journal."""
PATIENCE_S: Final = 60.0


@dataclass(frozen=True)
class Site:
    """A cluster in networks of its own, and the folder of its run.

    Attributes:
        hosts: those of the runner, the scheduler and two machines.
    """

    hosts: Mapping[str, Host]
    cluster: Cluster
    folder: Path

    def config(self, *strategies: str, **changes: object) -> Path:
        """Write a config whose rounds last 0.8 s."""
        usual = {
            "countries": {"codes": ["BR", "CN", "DE", "IN"], "repeat": FETCHES // 4},
            "workers": 4,
            "profile": {"latency": "100ms"},
            "deadline": f"{DEADLINE_S}s",
            "host": self.hosts["runner"].address,
            "scheduler": {"address": self.cluster.address, "insecure": True},
        }
        return runs.config(self.folder, strategies or ("dask",), **{**usual, **changes})

    @contextmanager
    def run(self, path: Path) -> Iterator[Run]:
        """Start a run on the host of the runner."""
        with Run(path, "--allow-remote", wrap=self.on("runner")) as run:
            yield run

    @contextmanager
    def run_to_second_trial(self, path: Path) -> Iterator[Run]:
        """Start a run, and wait until the first machine downloads for its second trial."""
        with self.run(path) as run:
            run.wait_for_trials(1, PATIENCE_S)
            server = self.hosts["runner"].address
            first = self.cluster.workers[0].pid
            runs.wait_until(lambda: is_fetching(first, server) or run.process.poll() is not None, PATIENCE_S)
            time.sleep(0.15)  # so that some flags are there
            yield run

    def on(self, name: str) -> Wrap:
        """Return what starts a process on a host."""
        return lambda words: self.hosts[name].command(*words)

    def process(self, name: str) -> "subprocess.Popen[bytes]":
        """Return the scheduler, or the first machine."""
        return self.cluster.scheduler if name == "scheduler" else self.cluster.workers[0]

    def end(self, run: Run) -> EndedRun:
        """Wait for the end of a run, and check that nothing is left on its host."""
        ended = run.end(PATIENCE_S * 2)
        left = subprocess.run(
            ["ip", "netns", "pids", self.hosts["runner"].namespace],
            capture_output=True,
            text=True,
            check=True,
        )
        assert left.stdout == ""
        return ended


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Run a scheduler and two machines."""
    (folder := tmp_path / "cluster").mkdir()
    (of_run := tmp_path / "own").mkdir()
    with network("runner", "scheduler", "one", "two") as hosts:

        def on(name: str) -> Wrap:
            return lambda words: hosts[name].command(*words)

        with running_cluster(
            folder,
            workers=(on("one"), on("two")),
            scheduler=on("scheduler"),
            host=hosts["scheduler"].address,
        ) as cluster:
            yield Site(hosts, cluster, of_run)


def outcome(trial: Mapping[str, Any]) -> str:
    return f"{trial['outcome']}: {trial['detail']}"


def is_right(trial: Mapping[str, Any]) -> bool:
    """Tell whether a trial counts, and check that the server saw what it says."""
    if trial["outcome"] != "ok":
        return False
    for measured in (trial["warm_up"], *trial["rounds"]):
        assert measured["fetches"] == {"ok": FETCHES}
        assert measured["verified"] == measured["server"]["requests"] == FETCHES
    return True


def trials_of(path: Path) -> list[dict[str, Any]]:
    """Return all trials in the order of their blocks."""
    (found,) = trials(path).values()
    assert [trial["attempt"] for trial in found] == [0] * len(found)
    return found


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_both_machines_download_from_the_host_of_the_runner(site: Site, *, tls: bool) -> None:
    path = site.config("dask", "dask+gather", blocks=1, profile={"latency": "100ms", "tls": tls})
    with site.run(path) as run:
        ended = site.end(run)
    assert ended.code == 0, ended.output
    assert all(is_right(trial) for each in trials(path).values() for trial in each)
    done, _ = site.cluster.counts(site.on("scheduler"))
    first, second = done.values()
    assert first == second > 0


def test_machine_that_dies_is_named_and_another_one_takes_its_place(site: Site) -> None:
    path = site.config(blocks=6)
    with site.run_to_second_trial(path) as run:
        dead = site.cluster.workers[0]
        address = site.cluster.address_of(dead)
        dead.kill()
        dead.wait()
        run.wait_for_trials(2, DEADLINE_S + LATE_S)
        site.cluster.add(Machine(site.on("one")))
        ended = site.end(run)
    assert ended.code == 3, ended.output
    first, failed, *others, last = trials_of(path)
    assert is_right(first)
    lost = "error: bench.api.cluster.ClusterError: other machines than in the beginning: "
    assert outcome(failed) == f"{lost}{address} has left"
    for trial in others:
        assert is_right(trial) or outcome(trial).endswith(" has come"), outcome(trial)
    assert is_right(last)
    done, _ = site.cluster.counts(site.on("scheduler"))
    assert done[site.cluster.address_of(site.cluster.workers[2])] > 0
    assert [*FOLDERS_IN_MEMORY.glob(f"flagbench-batch-{dead.pid}-*")] == []


def test_worker_that_its_nanny_starts_again_is_named_and_then_used(site: Site) -> None:
    """A nanny watches over each worker, unless dask is told otherwise."""
    nanny = site.cluster.add(Machine(site.on("one"), words=("--nanny",)))
    path = site.config(blocks=6, workers=6)
    before, _ = site.cluster.counts(site.on("scheduler"))
    with site.run_to_second_trial(path) as run:
        (worker,) = (pid for pid in descendants(nanny.pid) if b"spawn_main" in runs.command_line(pid))
        os.kill(worker, signal.SIGKILL)
        ended = site.end(run)
        after, _ = site.cluster.counts(site.on("scheduler"))
    assert ended.code == 3, ended.output
    (old,), (new,) = before.keys() - after.keys(), after.keys() - before.keys()
    first, failed, *others, last = trials_of(path)
    assert is_right(first)
    lost = "error: bench.api.cluster.ClusterError: other machines than in the beginning: "
    assert outcome(failed).startswith(f"{lost}{old} has left")
    for trial in others:
        assert is_right(trial) or outcome(trial) == f"{lost}{new} has come", outcome(trial)
    assert is_right(last)
    assert after[new] > 0


def check_that_the_second_alone_timed_out(path: Path, ended: EndedRun) -> None:
    """Check that the failed trial kept its deadline, and that those before and after it are right."""
    assert ended.code == 3, ended.output
    first, failed, *others = trials_of(path)
    assert is_right(first)
    assert outcome(failed).startswith(f"timeout: not done after {DEADLINE_S:g} s (`deadline`), in ")
    assert failed["took_s"] < DEADLINE_S + LATE_S
    assert [outcome(trial) for trial in others if not is_right(trial)] == []


def test_machine_without_a_network_is_named_at_the_deadline(site: Site) -> None:
    path = site.config(blocks=3, request_timeout="3s")
    with site.run_to_second_trial(path) as run:
        site.hosts["one"].unplug()
        run.wait_for_trials(2, DEADLINE_S + LATE_S + 2)
        site.hosts["one"].plug()
        ended = site.end(run)
    check_that_the_second_alone_timed_out(path, ended)


def test_trial_outlives_a_short_loss_of_the_network(site: Site) -> None:
    path = site.config(blocks=3)
    with site.run_to_second_trial(path) as run:
        site.hosts["one"].unplug()
        time.sleep(1)
        site.hosts["one"].plug()
        ended = site.end(run)
    assert ended.code == 0, ended.output
    found = trials_of(path)
    assert [outcome(trial) for trial in found if not is_right(trial)] == []


@pytest.mark.parametrize("name", ["machine", "scheduler"])
def test_process_that_stands_still_is_named_at_the_deadline(site: Site, name: str) -> None:
    path = site.config(blocks=3)
    process = site.process(name)
    with site.run_to_second_trial(path) as run:
        process.send_signal(signal.SIGSTOP)
        run.wait_for_trials(2, DEADLINE_S + LATE_S + 2)
        process.send_signal(signal.SIGCONT)
        ended = site.end(run)
    check_that_the_second_alone_timed_out(path, ended)


@pytest.mark.parametrize("name", ["machine", "scheduler"])
def test_process_that_stands_still_for_a_while_makes_a_trial_slow_and_not_wrong(
    site: Site, name: str
) -> None:
    path = site.config(blocks=3)
    process = site.process(name)
    with site.run_to_second_trial(path) as run:
        process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        process.send_signal(signal.SIGCONT)
        ended = site.end(run)
    assert ended.code == 0, ended.output
    found = trials_of(path)
    assert [outcome(trial) for trial in found if not is_right(trial)] == []
    assert max(each["elapsed_s"] for each in (found[1]["warm_up"], *found[1]["rounds"])) > 2


def test_scheduler_that_dies_is_named_and_a_new_one_is_used(site: Site) -> None:
    path = site.config(blocks=8)
    with site.run_to_second_trial(path) as run:
        site.cluster.scheduler.kill()
        run.wait_for_trials(3, DEADLINE_S + LATE_S + 20)
        site.cluster.restart(Machine(site.on("scheduler")), Machine(site.on("one")), Machine(site.on("two")))
        ended = site.end(run)
    assert ended.code == 3, ended.output
    first, failed, next_, *others, last = trials_of(path)
    assert is_right(first)
    lost = "error: bench.api.cluster.ClusterError: the batches were cancelled: the scheduler has been lost"
    assert outcome(failed) == lost
    assert failed["took_s"] < DEADLINE_S
    gone = f"error: OSError: Timed out trying to connect to {site.cluster.address} after 5 s"
    assert outcome(next_) == gone
    for trial in others:
        assert is_right(trial) or trial["outcome"] == "error", outcome(trial)
    assert is_right(last)


@pytest.mark.slow
def test_each_trial_is_named_while_a_machine_has_no_network(site: Site) -> None:
    """Nobody plugs it in again: the second trial after it, too, is named, and says which machine it is."""
    path = site.config(blocks=3, request_timeout="3s", deadline="25s")
    with site.run_to_second_trial(path) as run:
        site.hosts["one"].unplug()
        ended = site.end(run)
    assert ended.code == 3, ended.output
    first, failed, next_ = trials_of(path)
    assert is_right(first)
    assert failed["outcome"] == "timeout"
    address = site.cluster.address_of(site.cluster.workers[0])
    assert outcome(next_).startswith(
        f"error: bench.api.cluster.ClusterError: {address}: TimeoutError: no answer within 5 s"
    )
    assert next_["took_s"] < 25


@pytest.mark.slow
@pytest.mark.parametrize("after_ms", range(0, 2500, 250))
@pytest.mark.parametrize(("name", "blocks"), [("machine", 3), ("scheduler", 2)])
def test_process_may_die_at_any_time(site: Site, name: str, blocks: int, after_ms: int) -> None:
    """Whatever a trial does just then, it counts as the server saw it, or says in time who is gone."""
    path = site.config(blocks=blocks)
    with site.run(path) as run:
        run.wait_for_trials(1, PATIENCE_S)
        time.sleep(after_ms / 1000)
        site.process(name).kill()
        ended = site.end(run)
    first, *later = trials_of(path)
    assert is_right(first)
    failed = [trial for trial in later if not is_right(trial)]
    assert failed == later[:1] or (name == "machine" and not failed)  # the other machine goes on alone
    assert ended.code == (3 if failed else 0), ended.output
    said = {"machine": ["has left"], "scheduler": ["scheduler", site.cluster.address.removeprefix("tcp://")]}
    for trial in failed:
        assert any(words in outcome(trial) for words in said[name]), outcome(trial)
        assert trial["took_s"] < DEADLINE_S
