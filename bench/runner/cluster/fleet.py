"""The command's end of a cluster: dask's client, the machines, and the block that each of them measures."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from bench.api.cluster import SETTINGS, ClusterError, connect, machines
from bench.api.job import ClusterSettings
from bench.errors import SetupError
from bench.model.json_codec import MalformedError, encode
from bench.model.results import Measurement
from bench.model.scheduler import Scheduler
from bench.model.text import one_line
from bench.runner.cluster.machine_process import run_on_machine
from bench.runner.cluster.machines import Machine
from bench.runner.cluster.messages import (
    Answer,
    MachineFacts,
    MachineFault,
    MachineTask,
    SentConfig,
    decode_answer,
)

if TYPE_CHECKING:
    from distributed import Client, Future

_RESULT_S: Final = 5
"""How long a result may take that is said to be there."""
_DESCRIBE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a block on a machine.

    Attributes:
        label: that of the machine.
        block: its number; None for a machine that was lost while it waited for one.
        trials: all trials of the block; none if there was a problem.
        problem: why the machine measures nothing any more; empty if it does.
    """

    label: str
    block: int | None
    trials: tuple[Measurement, ...] = ()
    problem: str = ""


class Connection:
    """A connection to a cluster, and the experiment that its machines are sent."""

    def __init__(self, client: "Client", address: str, sent: SentConfig) -> None:
        self._client = client
        self._address = address
        self._sent = sent

    def workers(self) -> list[str]:
        """Return the addresses of all dask workers.

        Raises:
            SetupError: the scheduler does not answer.
        """
        try:
            if self._client.status != "running":  # it keeps what it has known of the workers
                raise ConnectionError("the connection is lost")
            return machines(self._client)
        except ClusterError:
            return []
        except (OSError, TimeoutError, RuntimeError, CancelledError) as error:
            why = one_line(str(error)) or type(error).__name__
            raise SetupError(
                f"scheduler {self._address} does not answer: {why}", hint="start it again"
            ) from error

    def submit(self, worker: str, cases: Sequence[str] = (), block: int = 0) -> "Future[Any]":
        """Send a worker its task."""
        task = encode(MachineTask(self._sent, tuple(cases), block))
        return self._client.submit(run_on_machine, task, workers=[worker], pure=False, retries=0)

    def wait(self, futures: Sequence["Future[Any]"], seconds: float) -> None:
        """Wait until one of some tasks has ended, for so many seconds at most."""
        from distributed import wait

        with suppress(TimeoutError, CancelledError):
            wait(futures, timeout=seconds, return_when="FIRST_COMPLETED")

    def describe(self) -> dict[str, MachineFacts]:
        """Return what the machine of each worker says of itself, by address.

        Raises:
            SetupError: one cannot measure the experiment, or does not answer.
        """
        futures = {worker: self.submit(worker) for worker in self.workers()}
        end_s = monotonic() + _DESCRIBE_S
        while any(not future.done() for future in futures.values()) and monotonic() < end_s:
            self.wait([future for future in futures.values() if not future.done()], 1.0)
        answers = {
            worker: answers_of(future)[-1]
            if future.done()
            else MachineFault(f"no answer in {_DESCRIBE_S:g} s")
            for worker, future in futures.items()
        }
        for future in futures.values():
            future.cancel()
        faults = {worker: each for worker, each in answers.items() if isinstance(each, MachineFault)}
        if faults:
            hints = [each.hint for each in faults.values() if each.hint]
            raise SetupError(
                f"scheduler {self._address}: machines that cannot measure this config",
                hint=hints[0] if hints else "",
                details=tuple(f"{worker}: {each.what}" for worker, each in faults.items()),
            )
        return {worker: each for worker, each in answers.items() if isinstance(each, MachineFacts)}


class Fleet:
    """The machines of a run, each with at most one block.

    Attributes:
        machines: those that can measure, by label; one that has a problem is taken out.
        running: the block that each busy machine measures, by its label.
    """

    def __init__(self, connection: Connection, machines: Sequence[Machine]) -> None:
        self._connection = connection
        self._futures: dict[str, Future[Any]] = {}
        self.machines = {machine.label: machine for machine in machines}
        self.running: dict[str, int] = {}

    def idle(self) -> list[str]:
        """Return the labels of the machines that wait for a block."""
        return [label for label in self.machines if label not in self.running]

    def start(self, label: str, block: int, cases: Sequence[str]) -> None:
        """Have a machine measure these cases in a block."""
        self._futures[label] = self._connection.submit(self.machines[label].address, cases, block)
        self.running[label] = block

    def wait(self, seconds: float) -> list[Ended]:
        """Wait until a block has ended, for so many seconds at most, and return those that have.

        Raises:
            SetupError: the scheduler does not answer.
        """
        self._connection.wait([*self._futures.values()], seconds)
        there = self._connection.workers()
        ended = []
        for label, future in [*self._futures.items()]:
            machine = self.machines[label]
            if future.done():
                ended.append(_ended(machine, self.running[label], answers_of(future)))
            elif machine.address not in there:
                future.cancel()
                ended.append(Ended(label, self.running[label], problem="it is gone"))
        for each in ended:
            del self._futures[each.label], self.running[each.label]
            if each.problem:
                del self.machines[each.label]
        for label in [label for label in self.idle() if self.machines[label].address not in there]:
            del self.machines[label]
            ended.append(Ended(label, None, problem="it is gone"))
        return ended

    def cancel(self) -> None:
        """End the blocks that are measured; machines notice within a second."""
        for future in self._futures.values():
            future.cancel()
        self._futures.clear()
        self.running.clear()


def _ended(machine: Machine, block: int, answers: Sequence[Answer]) -> Ended:
    """Return the end of a block: its trials, with the label of the machine, or the problem."""
    for answer in answers:
        if isinstance(answer, MachineFault):
            problem = f"{answer.what}; {answer.hint}" if answer.hint else answer.what
            return Ended(machine.label, block, problem=one_line(problem))
    fingerprint = machine.facts.fingerprint
    trials = tuple(
        replace(answer, machine=machine.label, fingerprint=fingerprint)
        for answer in answers
        if isinstance(answer, Measurement)
    )
    return Ended(machine.label, block, trials)


def answers_of(future: "Future[Any]") -> list[Answer]:
    """Return the answers of a task that has ended; a fault is the last one if there is no other."""
    try:
        lines: list[str] = future.result(timeout=_RESULT_S)
        return [decode_answer(line) for line in lines] or [MachineFault("it answered nothing")]
    except MalformedError as error:
        return [MachineFault(f"its answer cannot be read: {error.what}")]
    except (Exception, CancelledError) as error:  # noqa: BLE001  whatever is raised there
        return [MachineFault(f"{type(error).__name__}: {one_line(str(error))}")]


@contextmanager
def open_connection(scheduler: Scheduler, sent: SentConfig) -> Iterator[Connection]:
    """Connect to a cluster; at exit, all tasks of this connection are cancelled.

    Raises:
        SetupError: the scheduler cannot be reached.
    """
    import dask
    import distributed  # noqa: F401  before its settings are set: imported within, it would lose its defaults

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says is said by our errors
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        try:
            client = stack.enter_context(connect(scheduler.address, ClusterSettings(*astuple(scheduler))))
        except (OSError, TimeoutError) as error:
            why = one_line(str(error)) or type(error).__name__
            raise SetupError(
                f"scheduler {scheduler.address}: {why}", hint="start it with `dask scheduler`"
            ) from error
        yield Connection(client, scheduler.address, sent)
