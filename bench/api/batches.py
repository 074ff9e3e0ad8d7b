"""Send batches to the machines of a cluster, and add up what that costs: bytes, packing, the network.

Durations are measured on the machine where they pass, and no clock is compared with another one. dask is
imported by those who have a cluster.
"""

import pickle
import socket
import struct
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any, Final, NamedTuple

from bench.api.cluster import Batch, one_batch, unpack
from bench.api.fetch import Fetch
from bench.api.job import Job

_TCP_INFO_BYTES: Final = 152
_LEAST_ROUND_TRIP: Final = struct.Struct("=148xI")
"""Where ``struct tcp_info`` has ``tcpi_min_rtt``, in microseconds (linux/tcp.h)."""


class BatchCosts(NamedTuple):
    """Durations of a batch on its machine, by the clock of that machine.

    Attributes:
        machine: address of the machine.
        took_s: from the start of the batch until its answer was packed, without the wait for another batch.
        packing_s: the part of it that unpacked the batch and packed the answer.
        round_trip_s: of its connection to the scheduler; None if unknown.
    """

    machine: str
    took_s: float
    packing_s: float
    round_trip_s: float | None


class ClusterCosts(NamedTuple):
    """Time and bytes that a round has spent on the cluster.

    Attributes:
        machines_s: the time in which the machine that took longest was at work on its batches.
        packing_s: time for packing and unpacking, here and on that machine.
        network_s: round trips between here, the scheduler and that machine: one for its batches, which are on
            their way together; None if unknown.
        sent_bytes: packed batches.
        returned_bytes: packed answers.
    """

    machines_s: float
    packing_s: float
    network_s: float | None
    sent_bytes: int
    returned_bytes: int


class Costs:
    """Adds up the costs of the batches of a round in this process."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._batches: list[BatchCosts] = []
        self._packing_s = 0.0
        self._sent_bytes = 0
        self._returned_bytes = 0

    def add_sent(self, size_bytes: int, packing_s: float) -> None:
        """Add a batch that was packed here."""
        self._sent_bytes += size_bytes
        self._packing_s += packing_s

    def add_returned(self, batch: BatchCosts, size_bytes: int, packing_s: float) -> None:
        """Add an answer that was unpacked here."""
        self._batches.append(batch)
        self._returned_bytes += size_bytes
        self._packing_s += packing_s

    @property
    def has_batches(self) -> bool:
        """Whether a machine has returned a batch since the last ``take``."""
        return bool(self._batches)

    def take(self, round_trip_s: float | None) -> ClusterCosts | None:
        """Return the costs since the last call, and forget them; None without any batch.

        Args:
            round_trip_s: of the connection from here to the scheduler; None if unknown.
        """
        batches, packing_s = self._batches, self._packing_s
        sent_bytes, returned_bytes = self._sent_bytes, self._returned_bytes
        self._forget()
        if not batches:
            return None
        of_machine: dict[str, list[BatchCosts]] = {}
        for each in batches:
            of_machine.setdefault(each.machine, []).append(each)
        longest = max(of_machine.values(), key=lambda done: sum(each.took_s for each in done))
        there_s = sum(each.packing_s for each in longest)
        trip_s = longest[0].round_trip_s
        return ClusterCosts(
            machines_s=sum(each.took_s for each in longest) - there_s,
            packing_s=packing_s + there_s,
            network_s=None if trip_s is None or round_trip_s is None else trip_s + round_trip_s,
            sent_bytes=sent_bytes,
            returned_bytes=returned_bytes,
        )


COSTS: Final = Costs()
"""Those of the strategy in this process; its worker takes them after each round."""


def send(function: Callable[[Job], Batch], job: Job) -> "partial[tuple[bytes, BatchCosts]]":
    """Pack a function and its job for a machine; what is returned there is for ``receive``."""
    import cloudpickle

    began_s = perf_counter()
    packed: bytes = cloudpickle.dumps((function, job._replace(watcher=None)))
    COSTS.add_sent(len(packed), perf_counter() - began_s)
    return partial(_run_batch, packed)


def receive(job: Job, answer: tuple[bytes, BatchCosts]) -> list[Fetch]:
    """Unpack what a machine has returned, save its flags if they were gathered, and return its fetches.

    A watcher is shown them now: it cannot follow the job to another machine.
    """
    packed, costs = answer
    began_s = perf_counter()
    fetches = unpack(job, pickle.loads(packed))  # noqa: S301  the machines run our code, and we theirs
    COSTS.add_returned(costs, len(packed), perf_counter() - began_s)
    if job.watcher is not None:
        for fetch in fetches:
            job.watcher.fetched(fetch)
    return fetches


def _run_batch(packed: bytes) -> tuple[bytes, BatchCosts]:
    """Run a function that was sent here; on a machine of the cluster."""
    from distributed import get_worker

    with one_batch:  # the time of another batch in this process is not that of this one
        began_s = perf_counter()
        function, job = pickle.loads(packed)  # noqa: S301  its sender may run code here anyway
        unpacked_s = perf_counter()
        batch = function(job)
        done_s = perf_counter()
        answer = pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)
        ended_s = perf_counter()
    worker = get_worker()
    costs = BatchCosts(
        machine=worker.address,
        took_s=ended_s - began_s,
        packing_s=(unpacked_s - began_s) + (ended_s - done_s),
        round_trip_s=least_round_trip_s(worker.batched_stream.comm),
    )
    return answer, costs


def take_costs() -> ClusterCosts | None:
    """Return what the cluster has cost since the last call; None if nothing was sent to it by ``send``."""
    if not COSTS.has_batches:
        return None
    from distributed import get_client

    return COSTS.take(least_round_trip_s(getattr(get_client().scheduler_comm, "comm", None)))


def least_round_trip_s(comm: Any) -> float | None:
    """Return the shortest round trip that the kernel has seen on a connection of dask, in seconds.

    The mean would have in it that the other side waits with its acknowledgement. None where the kernel or
    dask do not tell.
    """
    try:
        info = comm.stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except (AttributeError, OSError):  # no Linux, or a connection of another kind
        return None
    if len(info) < _TCP_INFO_BYTES:
        return None
    return float(_LEAST_ROUND_TRIP.unpack(info)[0]) / 1e6
