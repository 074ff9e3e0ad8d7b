"""Run dask's own scheduler and workers as processes of their own, as on the machines of a cluster."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.system.paths import import_path
from tests.runs import wait_until

Wrap = Callable[[Sequence[str]], Sequence[str]]
"""Puts another command before that of a process, such as one that starts it in a network of its own."""

_START_S: Final = 30.0
_COUNTS: Final = """
import json, sys
from distributed import Client, Security

def finished(dask_worker):
    return dask_worker.state.executed_count

def seen(dask_scheduler):
    return sorted({key for key, *_ in dask_scheduler.transition_log})

address, *files = sys.argv[1:]
names = ("tls_ca_file", "tls_client_cert", "tls_client_key")
security = Security(**dict(zip(names, files))) if files else None
with Client(address, security=security, timeout=10) as client:
    print(json.dumps([client.run(finished), client.run_on_scheduler(seen)]))
"""


def as_it_is(words: Sequence[str]) -> Sequence[str]:
    """Return a command without another one before it."""
    return words


@dataclass(frozen=True)
class Machine:
    """How a scheduler or worker is started.

    Attributes:
        wrap: puts a command before that of the process.
        path: the folders that it imports from.
        words: further options of its command.
    """

    wrap: Wrap = as_it_is
    path: Sequence[str] = import_path()
    words: Sequence[str] = ()


@dataclass
class Cluster:
    """A scheduler with its workers, which a test may end one by one, and to which it may add others.

    Attributes:
        address: that of the scheduler.
        folder: has their files, and what they print.
        scheduler: its process.
        workers: those of its workers, in the order of their start.
    """

    address: str
    folder: Path
    scheduler: "subprocess.Popen[bytes]"
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    _options: Sequence[str] = ()
    _stack: ExitStack = field(default_factory=ExitStack)

    def add(self, worker: Machine | Wrap = Machine(), *, waits: bool = True) -> "subprocess.Popen[bytes]":
        """Start another worker, and wait until it is connected."""
        machine, log = _machine(worker), self.folder / f"worker-{len(self.workers)}.log"
        command = ["worker", self.address, "--nthreads", "1", "--no-nanny"]
        command += ["--local-directory", str(self.folder), *self._options, *machine.words]
        process = self._stack.enter_context(_process(machine, log, command))
        self.workers.append(process)
        if waits:
            wait_until(lambda: b"Registered to:" in log.read_bytes(), _START_S)
        return process

    def restart(self, scheduler: Machine | Wrap, *workers: Machine | Wrap) -> None:
        """Start another scheduler at the same address in place of one that is gone, and new workers."""
        machine = _machine(scheduler)
        protocol, _, place = self.address.partition("://")
        host, _, port = place.rpartition(":")
        command = ["scheduler", "--host", f"{protocol}://{host}", "--port", port, *self._options]
        log = self.folder / "another-scheduler.log"
        self.scheduler = self._stack.enter_context(_process(machine, log, [*command, *machine.words]))
        for worker in workers:
            self.add(worker)

    def address_of(self, worker: "subprocess.Popen[bytes]") -> str:
        """Return the address of a worker, as it has printed it."""
        log = self.folder / f"worker-{self.workers.index(worker)}.log"
        found = re.search(r"Start worker at: +(\S+)", log.read_text("utf-8", errors="replace"))
        assert found is not None, log.read_text("utf-8", errors="replace")
        return found[1]

    def counts(
        self, wrap: Wrap = as_it_is, files: Sequence[str | Path] = ()
    ) -> tuple[dict[str, int], list[str]]:
        """Return how many tasks each worker has done, and the keys of all that the scheduler has seen."""
        return count_tasks(self.address, wrap, files)


def count_tasks(
    address: str, wrap: Wrap = as_it_is, files: Sequence[str | Path] = ()
) -> tuple[dict[str, int], list[str]]:
    """Return how many tasks each worker has done, and the keys of all that the scheduler has seen.

    Args:
        address: that of the scheduler.
        wrap: puts a command before that of the process that asks.
        files: the authority, the certificate and the key, if it speaks TLS.
    """
    command = wrap([sys.executable, "-c", _COUNTS, address, *map(str, files)])
    printed = subprocess.run(command, capture_output=True, check=True, timeout=_START_S).stdout
    done, keys = json.loads(printed)
    return done, keys


@contextmanager
def running_cluster(
    folder: Path,
    *,
    workers: Sequence[Machine | Wrap] = (Machine(), Machine()),
    scheduler: Machine | Wrap = Machine(),
    host: str = "127.0.0.1",
    tls: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """Start a scheduler and workers, wait until all are connected, and end them.

    Args:
        folder: for their files and what they print.
        workers: one for each worker.
        scheduler: that of the scheduler.
        host: the address at which the scheduler listens.
        tls: options of both, such as ``{"--tls-ca-file": ...}``; None: they speak plain TCP.
    """
    protocol = "tcp" if tls is None else "tls"
    options = [word for pair in (tls or {}).items() for word in pair]
    file, place = folder / "scheduler.json", _machine(scheduler)
    with ExitStack() as stack:
        command = [
            "scheduler",
            "--host",
            f"{protocol}://{host}",
            "--port",
            "0",
            "--scheduler-file",
            str(file),
        ]
        begun = stack.enter_context(
            _process(place, folder / "scheduler.log", [*command, *options, *place.words])
        )
        wait_until(lambda: _read(file) is not None, _START_S)
        cluster = Cluster(str(_read(file)["address"]), folder, begun, _options=options, _stack=stack)
        for worker in workers:
            cluster.add(worker, waits=False)
        logs = [folder / f"worker-{number}.log" for number in range(len(workers))]
        wait_until(lambda: all(b"Registered to:" in log.read_bytes() for log in logs), _START_S)
        yield cluster


def _machine(given: Machine | Wrap) -> Machine:
    return given if isinstance(given, Machine) else Machine(given)


@contextmanager
def _process(machine: Machine, log: Path, words: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a process of dask, and kill it in the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(machine.path)}
    command = machine.wrap([sys.executable, "-P", "-m", "dask", *words, "--no-dashboard"])
    with log.open("wb") as printed:
        process = subprocess.Popen(
            command, cwd=log.parent, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _read(file: Path) -> Any:
    """Return what a scheduler says of itself; None as long as it has not said all."""
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
