"""Type the commands of docs/cluster.md on two machines with the addresses of that page.

The lines and files are those of the page, but three things are not a user's: the libraries are those of the
tests instead of newly installed ones, ``scp`` is ``cp``, and only one block is measured.
"""

import json
import shlex
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import pytest

from tests import runs
from tests.cluster_page import CLUSTER, ON, STEPS, TWO, section
from tests.clusters import Wrap, count_tasks
from tests.environments import add_command, make_environment
from tests.machines import machine, missing_for_machines
from tests.networks import Host, missing_for_networks, network

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(300)]

PREFIX: Final = "10.0.0"
FIRST: Final = "10.0.0.1"
OTHER: Final = "10.0.0.2"
SCHEDULER: Final = f"tls://{FIRST}:8786"
PATIENCE_S: Final = 60.0
READY: Final = {"scheduler": b"Scheduler at:", "worker": b"Registered to:"}
"""What the processes that stay print when they are ready."""

LISTENER: Final = """
import socket
with socket.create_server(("10.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        print("connected", flush=True)
        connection.close()
"""


@dataclass(frozen=True)
class Site:
    """Two machines, each with a home folder.

    Attributes:
        hosts: the machines by their addresses.
        folder: has the home folders, by the same names.
    """

    hosts: Mapping[str, Host]
    folder: Path

    def within(self, address: str, words: Sequence[str]) -> Sequence[str]:
        """Return a command that sees the boot id of a machine, but not its network."""
        return machine(self.folder, int(address.rpartition(".")[2]))(words)

    def on(self, address: str) -> Wrap:
        """Return what starts a process on a machine."""
        return lambda words: self.hosts[address].command(*self.within(address, words))

    def home(self, address: str) -> Path:
        """Return the home folder of a machine."""
        return self.folder / address

    def type(self, line: str, address: str = FIRST) -> "subprocess.CompletedProcess[str]":
        """Type a command, and wait for its end."""
        return subprocess.run(
            self.on(address)(["bash", "-c", line]),
            cwd=self.home(address),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S * 4,
        )

    def start(self, line: str) -> "subprocess.Popen[str]":
        """Type a command of dask that stays, on the machine of its ``--host``, and wait until it is ready."""
        words = shlex.split(line)
        address = words[words.index("--host") + 1].removeprefix("tls://")
        log = self.home(address) / f"{words[1]}.log"
        with log.open("wb") as printed:
            process = self.hosts[address].popen(
                *self.within(address, words),
                cwd=self.home(address),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
            )
        runs.wait_until(lambda: READY[words[1]] in log.read_bytes() or process.poll() is not None, PATIENCE_S)
        assert process.poll() is None, log.read_text("utf-8")
        return process

    def stored(self, name: str) -> Any:
        """Return the stored run of the config with a name."""
        (file,) = self.home(FIRST).glob(f"results/runs/{name}-*/run.json")
        return json.loads(file.read_text("utf-8"))


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Make two machines where flagbench is installed, as after the first command of the page."""
    folder = tmp_path_factory.mktemp("page")
    if missing := missing_for_networks() or missing_for_machines(folder):
        pytest.skip(missing)
    (dask,) = entry_points(group="console_scripts", name="dask")
    project = tomllib.loads((runs.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    with network(FIRST, OTHER, prefix=PREFIX) as hosts:
        assert [host.address for host in hosts.values()] == [FIRST, OTHER]
        for address in hosts:
            environment = folder / address / "fb"
            make_environment(environment, runs.ROOT)
            add_command(environment, "dask", dask.value)
            add_command(environment, "flagbench", project["scripts"]["flagbench"])
        yield Site(hosts, folder)


@pytest.fixture(scope="module")
def site(machines: Site) -> Site:
    """Type all commands of the page before those of flagbench, and write its files."""
    _, *steps = STEPS
    for line in steps:
        if line.startswith("fb/bin/dask "):
            machines.start(line)
        elif not line.startswith("fb/bin/flagbench "):
            copied = line.replace("scp ", "cp ").replace(f" {OTHER}:", f" {machines.home(OTHER)}")
            ended = machines.type(copied)
            assert ended.returncode == 0, ended.stderr
    (machines.home(FIRST) / "two.yaml").write_text(TWO, "utf-8")
    (machines.home(FIRST) / "cluster.yaml").write_text(CLUSTER, "utf-8")
    return machines


def tasks(site: Site) -> dict[str, int]:
    """Return how many tasks the worker of each machine has done."""
    certificates = [site.home(FIRST) / "certs" / name for name in ("client.pem", "server.pem", "server.key")]
    done, _ = count_tasks(SCHEDULER, site.on(FIRST), certificates)
    return {address.removeprefix("tls://").rpartition(":")[0]: count for address, count in done.items()}


def open_ports(site: Site, address: str) -> set[str]:
    """Return the addresses at which the processes of a machine listen, without their ports."""
    words = site.hosts[address].command("ss", "-H", "-l", "-t", "-n")
    rows = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.splitlines()
    return {row.split()[3].rpartition(":")[0] for row in rows}


def test_page_has_at_most_ten_commands_which_it_counts() -> None:
    first, *others = STEPS
    assert first == "python3 -m venv fb && fb/bin/pip install './flagbench[dask,tls]'"  # on both
    assert 2 + len(others) == 9
    assert "These are nine commands" in section("From two machines to a result")
    assert [line.split()[:2] for line in others] == [
        ["mkdir", "-m"],
        ["scp", "-r"],
        ["fb/bin/dask", "scheduler"],
        ["fb/bin/dask", "worker"],
        ["fb/bin/dask", "worker"],
        ["fb/bin/flagbench", "check"],
        ["fb/bin/flagbench", "run"],
    ]


def test_only_the_owner_can_read_the_key_and_no_page_is_served_to_others(site: Site) -> None:
    for address in (FIRST, OTHER):
        assert (site.home(address) / "certs").stat().st_mode & 0o777 == 0o700
        assert open_ports(site, address) == {address, "127.0.0.1"}


def test_both_machines_download_in_the_run_of_the_page(site: Site) -> None:
    check, run = (line for line in STEPS if line.startswith("fb/bin/flagbench "))
    ended = site.type(check)
    assert ended.returncode == 0, ended.stderr
    assert "2 cases" in ended.stdout
    before = tasks(site)
    ended = site.type(f"{run} --blocks 1")
    assert ended.returncode == 0, ended.stderr
    after = tasks(site)
    assert set(after) == {FIRST, OTHER}
    assert after[FIRST] - before[FIRST] == after[OTHER] - before[OTHER] > 0
    trials = site.stored("two")["trials"]
    assert sorted(trial["case"].partition("/")[0] for trial in trials) == ["dask", "threadpool_map"]
    for trial in trials:
        assert trial["outcome"] == "ok"
        (measured,) = trial["rounds"]
        assert measured["verified"] == measured["server"]["requests"] == 194 * 10


def test_both_machines_measure_blocks_with_the_file_of_the_page(site: Site) -> None:
    path = runs.config(site.home(FIRST), ["threadpool_map", "sequential"], blocks=4)
    ended = site.type(ON.replace("CONFIG", path.name))
    assert ended.returncode == 0, ended.stderr
    assert "4 blocks of 2 cases on 2 machines" in ended.stderr
    by_block: dict[int, set[str]] = {}
    for trial in site.stored("test")["trials"]:
        assert trial["outcome"] == "ok"
        by_block.setdefault(trial["block"], set()).add(trial["machine"])
    assert set(by_block) == {0, 1, 2, 3}
    assert all(len(labels) == 1 for labels in by_block.values())
    assert set.union(*by_block.values()) == {"M1", "M2"}


@pytest.mark.parametrize("insecure", [False, True])
@pytest.mark.parametrize("way", ["run", "on"])
def test_plain_address_of_another_machine_is_refused_before_it_is_connected(
    machines: Site, way: str, *, insecure: bool
) -> None:
    """With ``insecure: true`` it is connected, so that the listener is known to tell."""
    with machines.hosts[FIRST].popen(
        str(machines.home(FIRST) / "fb" / "bin" / "python"), "-c", LISTENER, stdout=subprocess.PIPE
    ) as listener:
        assert listener.stdout is not None
        port = listener.stdout.readline().strip()
        scheduler = {"address": f"tcp://{FIRST}:{port}", **({"insecure": True} if insecure else {})}
        changes = {"scheduler": scheduler, "host": FIRST} if way == "run" else {}
        strategy = "dask" if way == "run" else "threadpool_map"
        path = runs.config(machines.home(FIRST), [strategy], **changes)
        (machines.home(FIRST) / "plain.yaml").write_text(json.dumps({"scheduler": scheduler}), "utf-8")
        words = "--allow-remote --out plain" if way == "run" else "--on plain.yaml --out plain"
        ended = machines.type(f"fb/bin/flagbench run {path.name} {words}")
        listener.kill()
        connected = "connected" in listener.stdout.read()
    assert connected is insecure
    assert ended.returncode == (4 if insecure else 2), ended.stderr
    assert ("whoever can change what is sent can run code there" in ended.stderr) is not insecure
    assert not (machines.home(FIRST) / "plain").exists()
