"""Measure the parts of a cluster, and simulate from them a round on a thousand machines.

On a quiet machine, in about six minutes:
``pytest -o addopts=--import-mode=importlib tests/benchmarks/bench_cluster_plan.py -s``
It prints tables; docs/cluster.md has what follows from them.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from select import select
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final, NamedTuple

import pytest

from bench.model.cases import Fixed, Profile
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.system.other_processes import parse_process
from bench.system.paths import import_path
from tests.benchmarks.bench_server import FLAG, LOCAL, load, pinned_server
from tests.benchmarks.cluster_client import BODY_BYTES, Spent
from tests.clusters import Machine, running_cluster
from tests.server_process import running_server
from tests.simulated_cluster import Costs, Plan, simulate

pytestmark = pytest.mark.timeout(1_200)

COUNTS: Final = (2, 20, 100, 300, 1_000)
"""Numbers of real workers; the last ones are left out where they do not connect in time."""
GATHERING: Final = 20
"""Workers for all that does not depend on their number."""
CONNECT_S: Final = 40.0
GROWING_S: Final = 120.0
"""No further workers are started after it."""
PROCESSES: Final = 2
REPEATS: Final = 5
TASKS: Final = 300
LARGE: Final = 1_000
"""Fetches of a large batch."""
LATENCY_S: Final = 0.05
WORKERS: Final = 40
CHECKED: Final = (Plan(2, 40, 1), Plan(2, 500, 10), Plan(2, 1_000, 100), Plan(2, 1_000, 1_000))
PLANNED: Final = [
    Plan(machines, 1_000, batch) for machines in (10, 100, 1_000) for batch in (1, 10, 100, 1_000)
]


class Figure(NamedTuple):
    """Repeated measurements of one thing."""

    values: Sequence[float]

    @property
    def typical(self) -> float:
        """Their median."""
        return median(self.values)

    def text(self, scale: float = 1.0, digits: int = 2) -> str:
        """Return median, least and most."""
        least, most = min(self.values) * scale, max(self.values) * scale
        return f"{self.typical * scale:,.{digits}f} ({least:,.{digits}f} to {most:,.{digits}f})"


class Tasks(NamedTuple):
    """Seconds for each of many tasks: of the clock, and processor times of client, scheduler and workers."""

    elapsed_s: Figure
    submit_s: Figure
    client_s: Figure
    scheduler_s: Figure
    machines_s: Figure


class Client:
    """A process that asks a cluster.

    Raises:
        ConnectionError: it has ended.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.set_up_s = float(self._read())

    def _read(self) -> str:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise ConnectionError("the client has ended")
        return str(line)

    def ask(self, **asked: Any) -> Spent:
        """Have it do something, and return the seconds that it has spent."""
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return Spent(**json.loads(self._read()))


@contextmanager
def running(module: str, *words: object, log: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a module of the tests, and kill it in the end."""
    command = [sys.executable, "-P", "-m", module, *map(str, words)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((*import_path(), str(Path(__file__).parents[2]))),
    }
    with log.open("wb") as printed:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=printed, text=True, env=environment
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def running_client(address: str, folder: Path) -> Iterator[Client]:
    """Run a client of a cluster, which saves flags in memory, as in a trial."""
    log = folder / "client.log"
    with (
        TemporaryDirectory(dir="/dev/shm") as files,
        running("tests.benchmarks.cluster_client", address, files, log=log) as process,
    ):
        yield Client(process)


def cpu_s(*pids: int) -> float:
    """Return the processor time of processes."""
    found = [parse_process(Path(f"/proc/{pid}/stat").read_text("utf-8")) for pid in pids]
    return sum(each[2] for each in found if each is not None)


def measure_tasks(
    scheduler: int, machines: Sequence[int], client: Client, batches: int, **asked: Any
) -> Tasks:
    """Measure batches without downloads, after a first round that opens the connections."""
    client.ask(batches=batches, **asked)
    rows = []
    for _ in range(REPEATS):
        before_s = cpu_s(scheduler), cpu_s(*machines)
        spent = client.ask(batches=batches, **asked)
        after_s = cpu_s(scheduler), cpu_s(*machines)
        rows.append((*spent, *(after - before for after, before in zip(after_s, before_s, strict=True))))
    return Tasks(*(Figure([value / batches for value in values]) for values in zip(*rows, strict=True)))


class Parts(NamedTuple):
    """All that the simulation rests on.

    Attributes:
        tasks: batches of one fetch without a download, by the number of workers.
        alone: the time of one of them alone.
        large: batches of many fetches.
        gathered: by the bytes of a result.
        machine_s: of a batch without latency, by its fetches: one, one of each worker, many.
        requests_per_s: of the flag server.
    """

    tasks: dict[int, Tasks]
    alone: dict[int, Figure]
    large: Tasks
    gathered: dict[int, Tasks]
    machine_s: dict[int, Figure]
    requests_per_s: Figure

    def costs(self, machines: int) -> Costs:
        """Return what a round on so many machines costs, by the next larger number that was measured."""
        count = min((count for count in self.tasks if count >= machines), default=max(self.tasks))
        small, base, large = self.tasks[count], self.tasks[GATHERING], self.large
        own_s = small.client_s.typical + small.scheduler_s.typical + small.machines_s.typical
        least, most = self.gathered
        sizes_s = self.gathered[most].elapsed_s.typical - self.gathered[least].elapsed_s.typical
        of_one, of_wave, of_many = (self.machine_s[fetches].typical for fetches in (1, WORKERS, LARGE))
        fetch_s = max(0.0, (of_many - of_wave) / (LARGE - WORKERS))
        worker_s = max(0.0, (of_wave - of_one) / (WORKERS - 1) - fetch_s)
        return Costs(
            submit_s=small.submit_s.typical,
            answer_s=small.client_s.typical - small.submit_s.typical,
            answer_fetch_s=_each(base.client_s, large.client_s),
            scheduler_s=small.scheduler_s.typical,
            scheduler_fetch_s=_each(base.scheduler_s, large.scheduler_s),
            way_s=max(0.0, self.alone[count].typical - own_s),
            machine_s=max(0.0, of_one - worker_s - fetch_s) + small.machines_s.typical,
            machine_worker_s=worker_s,
            machine_fetch_s=fetch_s,
            gathered_bytes_per_s=(most - least) / sizes_s if sizes_s > 0 else math.inf,
            requests_per_s=self.requests_per_s.typical,
        )


def _each(one: Figure, many: Figure) -> float:
    return max(0.0, (many.typical - one.typical) / (LARGE - 1))


def measure_cluster(folder: Path) -> dict[str, Any]:
    """Measure tasks with more and more workers of one scheduler, and large answers with some of them."""
    tasks: dict[int, Tasks] = {}
    alone: dict[int, Figure] = {}
    found: dict[str, Any] = {"tasks": tasks, "alone": alone}
    with ExitStack() as stack, running_cluster(folder, workers=[]) as cluster:
        processes: list[subprocess.Popen[str]] = []
        connected, began_s = 0, monotonic()
        for count in COUNTS:
            if monotonic() - began_s > GROWING_S:
                print(f"{count:,} workers are left out, as the time is up")
                break
            share, connected = (count - connected) // PROCESSES, count
            words = ("tests.benchmarks.many_machines", cluster.address, share, folder)
            new = [
                stack.enter_context(running(*words, log=folder / "machines.log")) for _ in range(PROCESSES)
            ]
            processes += new
            if not all(_has_printed(each, CONNECT_S) for each in new):
                print(f"{count:,} workers do not connect within {CONNECT_S:.0f} s here")
                break
            measure = partial(measure_tasks, cluster.scheduler.pid, [each.pid for each in processes])
            try:
                with running_client(cluster.address, folder) as client:
                    small = measure(client, max(TASKS, count), fetches=1)
                    alone[count] = Figure(
                        [client.ask(batches=1, fetches=1).elapsed_s for _ in range(4 * REPEATS)]
                    )
                    tasks[count] = small
                    if count == GATHERING:
                        found["large"] = measure(client, 40, fetches=LARGE)
                        found["gathered"] = {
                            fetches * BODY_BYTES: measure(client, batches, fetches=fetches, option="gather")
                            for fetches, batches in ((10, 100), (100, 40))
                        }
            except ConnectionError:
                why = (folder / "client.log").read_text("utf-8")[-500:]
                print(f"{count:,} workers cannot be asked here: {why}")
                break
    return found


def _has_printed(process: "subprocess.Popen[str]", patience_s: float) -> bool:
    return bool(select([process.stdout.fileno()], [], [], patience_s)[0])  # type: ignore[union-attr]


def measure_target() -> Figure:
    """Measure the requests per second of the flag server."""
    rates = []
    with pinned_server() as (server, _):
        for number in range(REPEATS):
            server.open_trial(Opening(f"t{number}", LOCAL, 0))
            rates.append(load(server.round_url(f"t{number}", 0) + FLAG, 64, 1))
            server.close_trial(f"t{number}")
    return Figure(rates)


def measure_rounds(folder: Path) -> tuple[dict[int, Figure], list[Figure]]:
    """Measure a batch without latency in a process, and rounds of the strategy on two machines with it."""
    with ExitStack() as stack:
        near, far = (
            stack.enter_context(running_server(ServerSettings(Profile("own", Fixed(latency_s)))))
            for latency_s in (0.0, LATENCY_S)
        )
        cluster = stack.enter_context(running_cluster(folder, workers=[Machine()] * 2))
        client = stack.enter_context(running_client(cluster.address, folder))

        def repeat(ask: Callable[[], float]) -> Figure:
            ask()
            return Figure([ask() for _ in range(REPEATS)])

        def here(fetches: int) -> Figure:
            asked = {"fetches": fetches, "workers": WORKERS, "base_url": near.base_url}
            return repeat(lambda: client.ask(**asked).client_s)

        def there(plan: Plan) -> Figure:
            asked = {"fetches": plan.machines * plan.downloads, "workers": plan.machines * plan.workers}
            option = "gather" if plan.gathered_bytes else ""
            return repeat(
                lambda: (
                    client.ask(
                        **asked, largest_batch=plan.batch, base_url=far.base_url, option=option
                    ).elapsed_s
                )
            )

        return {fetches: here(fetches) for fetches in (1, WORKERS, LARGE)}, [there(plan) for plan in CHECKED]


def test_plan_for_a_thousand_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The simulated rounds are near the measured ones on two machines."""
    for name in ("cluster", "rounds"):
        (tmp_path / name).mkdir()
    with capsys.disabled():
        print()
        measured = measure_cluster(tmp_path / "cluster")
        machine_s, checked = measure_rounds(tmp_path / "rounds")
        parts = Parts(**measured, machine_s=machine_s, requests_per_s=measure_target())
        print("\n".join((*part_lines(parts), "", *check_lines(parts, checked), "", *plan_lines(parts))))
    for plan, figure in zip(CHECKED, checked, strict=True):
        assert 0.5 < simulate(plan, parts.costs(plan.machines)).elapsed_s / figure.typical < 1.5


def part_lines(parts: Parts) -> Iterator[str]:
    """Yield the tables of the measured parts."""
    yield "| workers | tasks per second | scheduler, ms per task | client, ms per task | one task alone, ms |"
    yield "| --- | --- | --- | --- | --- |"
    for count, tasks in parts.tasks.items():
        rate = Figure([1 / each_s for each_s in tasks.elapsed_s.values])
        cells = (rate.text(1, 0), tasks.scheduler_s.text(1e3), tasks.client_s.text(1e3))
        yield f"| {count:,} | {' | '.join(cells)} | {parts.alone[count].text(1e3, 1)} |"
    costs = parts.costs(GATHERING)
    yield ""
    yield "| what | median (least to most) |"
    yield "| --- | --- |"
    for size_bytes, tasks in parts.gathered.items():
        rate = Figure([size_bytes / each_s for each_s in tasks.elapsed_s.values])
        yield f"| gathering, results of {size_bytes / 1e3:,.0f} kB | {rate.text(1e-6, 0)} MB/s |"
    largest = max(parts.gathered)
    for name, figure in (
        ("scheduler", parts.gathered[largest].scheduler_s),
        ("client", parts.gathered[largest].client_s),
        ("machines", parts.gathered[largest].machines_s),
    ):
        yield f"| gathering, processor time of the {name} per MB | {figure.text(1e9 / largest, 1)} ms |"
    for fetches, figure in parts.machine_s.items():
        yield f"| processor time of a machine for a batch of {fetches:,} | {figure.text(1e3, 1)} ms |"
    yield f"| flag server | {parts.requests_per_s.text(1, 0)} requests/s |"
    yield f"| each fetch of an answer, client | {costs.answer_fetch_s * 1e6:.1f} µs |"
    yield f"| each fetch of an answer, scheduler | {costs.scheduler_fetch_s * 1e6:.1f} µs |"


def check_lines(parts: Parts, checked: Sequence[Figure]) -> Iterator[str]:
    """Yield the table of simulated and measured rounds."""
    yield "| downloads on 2 machines | batch | measured, s | simulated, s | off by |"
    yield "| --- | --- | --- | --- | --- |"
    for plan, figure in zip(CHECKED, checked, strict=True):
        simulated = simulate(plan, parts.costs(plan.machines))
        off = simulated.elapsed_s / figure.typical - 1
        cells = (f"{plan.machines * plan.downloads:,}", f"{plan.batch:,}", figure.text())
        yield f"| {' | '.join(cells)} | {simulated.elapsed_s:.2f} | {off:+.0%} |"


def plan_lines(parts: Parts) -> Iterator[str]:
    """Yield the plan: with one flag server, with a target that is no limit, and with gathering."""
    yield "| machines | batch | one flag server | a target without limit | the same with `+gather` |"
    yield "| --- | --- | --- | --- | --- |"
    for plan in PLANNED:
        costs = parts.costs(plan.machines)
        endless = costs._replace(requests_per_s=math.inf)
        rounds = (
            simulate(plan, costs),
            simulate(plan, endless),
            simulate(plan._replace(gathered_bytes=BODY_BYTES), endless),
        )
        downloads = plan.machines * plan.downloads
        cells = [
            f"{each.elapsed_s:,.1f} s, {downloads / each.elapsed_s:,.0f}/s: {each.limit}" for each in rounds
        ]
        yield f"| {plan.machines:,} | {plan.batch:,} | {' | '.join(cells)} |"
