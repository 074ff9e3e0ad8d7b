"""A simulated round of the strategy ``dask``, from measured times and nothing else.

The client, the scheduler, the gathering of bytes and the target do one thing after the other. The machines
work at the same time, each on one batch after the other and in waves of as many downloads as it has workers.
"""

import math
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple


class Costs(NamedTuple):
    """Measured times.

    Attributes:
        submit_s: the client's, to pack and submit a batch.
        answer_s: the client's, for all else of a batch.
        answer_fetch_s: the same for each fetch of it.
        scheduler_s: the scheduler's for a batch, half before it is done and half afterwards.
        scheduler_fetch_s: the same for each fetch of it.
        way_s: from the client to the machine, in which nothing is busy.
        machine_s: the machine's for a batch.
        machine_worker_s: the machine's for each worker of a batch, as each opens a connection.
        machine_fetch_s: the machine's for each fetch.
        gathered_bytes_per_s: of all machines together.
        requests_per_s: the most that the target answers.
    """

    submit_s: float = 0.0
    answer_s: float = 0.0
    answer_fetch_s: float = 0.0
    scheduler_s: float = 0.0
    scheduler_fetch_s: float = 0.0
    way_s: float = 0.0
    machine_s: float = 0.0
    machine_worker_s: float = 0.0
    machine_fetch_s: float = 0.0
    gathered_bytes_per_s: float = math.inf
    requests_per_s: float = math.inf


class Plan(NamedTuple):
    """A round; ``downloads`` and ``workers`` are for each machine, ``gathered_bytes`` for each download."""

    machines: int
    downloads: int
    batch: int
    workers: int = 40
    latency_s: float = 0.05
    gathered_bytes: int = 0


class Simulated(NamedTuple):
    """A simulated round: its time, and the part that was busy for the largest share of it."""

    elapsed_s: float
    limit: str


class _Serial:
    """A part that does one thing after the other."""

    def __init__(self) -> None:
        self.busy_s = self.free_s = 0.0

    def serve(self, now_s: float, takes_s: float) -> float:
        """Return when something that arrives now is done."""
        self.busy_s += takes_s
        self.free_s = max(now_s, self.free_s) + takes_s
        return self.free_s


class _Round:
    """The events of a round; each step of a batch is handled when it is due."""

    def __init__(self, plan: Plan, costs: Costs) -> None:
        self._plan, self._costs = plan, costs
        self.client, self.scheduler, self.gathering, self.target = (_Serial() for _ in range(4))
        self.machines_s = [0.0] * plan.machines
        """The time in which each machine was at work, or waited for the latency of its downloads."""
        self._waiting: list[deque[int] | None] = [None] * plan.machines
        """The batches that wait for a machine that is at work; None: it is not."""
        firsts = range(0, plan.downloads, plan.batch)
        sizes = [min(plan.batch, plan.downloads - first) for first in firsts]
        self._unsubmitted = ((machine, size) for machine in range(plan.machines) for size in sizes)
        self._events: list[tuple[float, int, Callable[..., None], int, int, int]] = []
        self._number = 0

    def _add(self, at_s: float, step: Callable[..., None], machine: int, size: int, left: int = 0) -> None:
        self._number += 1
        heappush(self._events, (at_s, self._number, step, machine, size, left))

    def run(self) -> None:
        """Let all batches pass."""
        self._submit_next(0.0)
        while self._events:
            now_s, _, step, machine, size, left = heappop(self._events)
            step(now_s, machine, size, left)

    def _submit_next(self, now_s: float) -> None:
        if (following := next(self._unsubmitted, None)) is not None:
            self._add(now_s, self._submit, *following)

    def _submit(self, now_s: float, machine: int, size: int, _left: int) -> None:
        submitted_s = self.client.serve(now_s, self._costs.submit_s)
        self._add(submitted_s, self._assign, machine, size)
        self._submit_next(submitted_s)

    def _assign(self, now_s: float, machine: int, size: int, _left: int) -> None:
        assigned_s = self.scheduler.serve(now_s, self._costs.scheduler_s / 2)
        self._add(assigned_s + self._costs.way_s, self._arrive, machine, size)

    def _arrive(self, now_s: float, machine: int, size: int, _left: int) -> None:
        if (waiting := self._waiting[machine]) is not None:
            waiting.append(size)
        else:
            self._waiting[machine] = deque()
            self._begin(now_s, machine, size)

    def _begin(self, now_s: float, machine: int, size: int) -> None:
        opening_s = self._costs.machine_s + min(size, self._plan.workers) * self._costs.machine_worker_s
        self.machines_s[machine] += opening_s
        self._add(now_s + opening_s, self._ask_wave, machine, size, size)

    def _ask_wave(self, now_s: float, machine: int, size: int, left: int) -> None:
        asked = min(self._plan.workers, left)
        fetch_s, latency_s = self._costs.machine_fetch_s, self._plan.latency_s
        own_s = max(latency_s + fetch_s, asked * fetch_s)
        self.machines_s[machine] += own_s
        answered_s = self.target.serve(now_s, asked / self._costs.requests_per_s) + latency_s
        step = self._ask_wave if left > asked else self._finish
        self._add(max(answered_s, now_s + own_s), step, machine, size, left - asked)

    def _finish(self, now_s: float, machine: int, size: int, _left: int) -> None:
        if waiting := self._waiting[machine]:
            self._begin(now_s, machine, waiting.popleft())
        else:
            self._waiting[machine] = None
        takes_s = self._costs.scheduler_s / 2 + size * self._costs.scheduler_fetch_s
        self._add(self.scheduler.serve(now_s, takes_s), self._gather, machine, size)

    def _gather(self, now_s: float, machine: int, size: int, _left: int) -> None:
        takes_s = size * self._plan.gathered_bytes / self._costs.gathered_bytes_per_s
        self._add(self.gathering.serve(now_s, takes_s), self._answer, machine, size)

    def _answer(self, now_s: float, _machine: int, size: int, _left: int) -> None:
        self.client.serve(now_s, self._costs.answer_s + size * self._costs.answer_fetch_s)


def simulate(plan: Plan, costs: Costs) -> Simulated:
    """Simulate a round, event by event; all batches of a machine are submitted before those of the next."""
    (done := _Round(plan, costs)).run()
    busy_s = {
        "client": done.client.busy_s,
        "scheduler": done.scheduler.busy_s,
        "gathering": done.gathering.busy_s,
        "target": done.target.busy_s,
        "machines": max(done.machines_s),
    }
    return Simulated(done.client.free_s, max(busy_s, key=busy_s.__getitem__))
