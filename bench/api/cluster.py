"""Download on the machines of a dask cluster: the connection, a folder on each machine, and what comes back.

A strategy for a cluster declares ``CLUSTER = True``, opens the cluster in ``set_up``, which is not timed, and
sends functions that begin with ``on_this_machine``. dask is imported when a cluster is opened.
"""

import fcntl
import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import rmtree
from threading import RLock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.api.bodies import checksum_of_pieces, read_pieces
from bench.api.fetch import Fetch
from bench.api.job import GATHER, ClusterSettings, Job, save

if TYPE_CHECKING:
    from distributed import Client, Security, Worker

_CONNECT_S: Final = 5
_ANSWER_S: Final = 5
"""How long a scheduler or a machine may take for an answer; dask itself would wait for ever."""
_IDLE_S: Final = 10
"""How long machines may go on with what a trial that was given up has left there."""
_AGAIN_S: Final = 0.05
_IN_MEMORY: Final = "/dev/shm"  # noqa: S108  its files are in folders with names of their own
_MUCH_BYTES: Final = 1 << 30
_PREFIX: Final = "flagbench-batch-"
SETTINGS: Final = {
    "distributed.comm.timeouts.connect": f"{_CONNECT_S}s",  # instead of 30 s
    "distributed.comm.timeouts.tcp": "12s",  # instead of 30 s; less than 11 s is refused
    "distributed.comm.retry.count": 0,
    "distributed.scheduler.worker-ttl": None,  # a trial of a pair is stopped while the other one works
    "distributed.scheduler.allowed-failures": 0,  # repeated, a batch would ask for its flags twice
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
}
"""Those of the cluster that is started here, and of the connection to another one."""
_PACKAGE: Final = Path(__file__).parents[1]
_BUNDLED: Final = _PACKAGE / "_bundled"
_HOME: Final = str(_BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent)
"""The folder of our ``strategies``, in the wheel or in a checkout."""
one_batch: Final = RLock()
"""Held by the thread whose batch a process is doing."""
_OPENED: Final = list[list[str]]()
"""The machines of each cluster that this process has opened."""


class ClusterError(Exception):
    """A cluster on which nothing can be downloaded."""


class Batch(NamedTuple):
    """The fetches of a machine, and the flags if they are gathered.

    Attributes:
        fetches: in the order of the countries.
        files: by the name of the file; empty if they stay where they were fetched.
    """

    fetches: list[Fetch]
    files: dict[str, bytes]


@contextmanager
def open_cluster(job: Job, module: str) -> "Iterator[Client]":
    """Connect to the cluster of a job, or start one with a worker for each core, as dask's default client.

    It waits until no machine does anything: what a trial that was given up has left there would disturb this
    one. In the end, the machines must be those of the beginning, or its rounds would not be alike.

    Args:
        job: the job, with the settings of the cluster.
        module: that of the strategy, whose functions are sent as they are here.

    Raises:
        OSError: there is no scheduler at that address.
        TimeoutError: it does not answer.
        ClusterError: it has no machines, one does not answer or is busy, they are others in the end, or the
            scheduler has been lost.
    """
    import cloudpickle
    import dask
    from distributed import LocalCluster

    settings = _settings(job)
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        address: Any = settings.scheduler
        if not address:
            parent = None if job.watcher else job.folder.parent  # that of the trial
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="flagbench-", dir=parent))
            stack.enter_context(dask.config.set({"temporary-directory": folder}))
            address = stack.enter_context(
                LocalCluster(
                    n_workers=min(os.cpu_count() or 1, job.workers),
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                )
            )
        client = stack.enter_context(connect(address, settings))
        cloudpickle.register_pickle_by_value(sys.modules[module])
        stack.callback(cloudpickle.unregister_pickle_by_value, sys.modules[module])
        processes = _wait_until_idle(client)
        opened = sorted(processes)
        try:
            _OPENED.append(opened)
            yield client
        except CancelledError as error:
            raise ClusterError("the batches were cancelled: the scheduler has been lost") from error
        finally:
            _OPENED.remove(opened)
        _check_unchanged(client, processes)


def opened_machines() -> list[str]:
    """Return the addresses of the machines of the cluster that is open, in order, without asking anyone."""
    return _OPENED[-1]


@contextmanager
def connect(address: Any, settings: ClusterSettings) -> "Iterator[Client]":
    """Connect to the scheduler at an address, or to that of a cluster of dask; the caller sets ``SETTINGS``.

    Raises:
        OSError: there is none, or the certificates do not fit.
        TimeoutError: it does not answer.
    """
    import asyncio

    from distributed import Client
    from distributed.comm import core as comms
    from distributed.core import send_recv
    from distributed.versions import VersionMismatchWarning

    security = security_of(settings)

    async def greet() -> None:
        options = {} if security is None else security.get_connection_args("client")
        comm = await comms.connect(address, timeout=_CONNECT_S, **options)
        identity = await send_recv(comm, op="identity", close=True)
        if "workers" not in identity:
            raise ClusterError(f"it is a {identity['type']}")

    if settings.scheduler:
        try:  # a client would wait for ever for the answer to its greeting
            asyncio.run(asyncio.wait_for(greet(), _CONNECT_S + 1))
        except TimeoutError as error:
            raise TimeoutError(f"{address} accepts connections and does not answer") from error
        except comms.CommClosedError as error:
            other = "tcp" if address.startswith("tls:") else "tls"
            raise OSError(f"{address} closes the connection; is it {other}://?") from error
        except Exception as error:  # another server may answer anything, and dask checks nothing of it
            if isinstance(error, OSError) and str(error):
                raise
            why = _describe(error.__cause__ or error)
            raise OSError(f"{address} does not answer as a scheduler: {why}") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VersionMismatchWarning)  # other versions are named by the check
        client = Client(address, security=security, timeout=_CONNECT_S)
    try:
        yield client
    finally:
        with suppress(OSError, TimeoutError):  # the scheduler may have been lost
            client.close()


def describe_machines(settings: ClusterSettings, libraries: Iterable[str]) -> dict[str, Any]:
    """Return by address what each machine of a cluster has: its threads, and the versions of libraries.

    The scheduler is one of them, without threads. One that cannot say it has an error in place of it.

    Raises:
        OSError: there is no scheduler at that address, or the certificates do not fit.
        TimeoutError: it does not answer.
        ClusterError: it has no machines.
    """
    import dask
    import distributed  # noqa: F401  before its settings are set: imported within, it would lose its defaults

    wanted = tuple(libraries)
    with dask.config.set(SETTINGS), connect(settings.scheduler, settings) as client:
        threads = _threads(client)
        answers = _ask_machines(client, describe_machine, wanted)
        try:  # it reads what is sent to the machines, so it needs what they have
            answers[settings.scheduler] = _sync(client, client.run_on_scheduler, describe_machine, wanted)
        except Exception as error:  # noqa: BLE001  whatever is raised there
            answers[settings.scheduler] = error
    return {each: {"threads": threads.get(each, 0), **_answer(answer)} for each, answer in answers.items()}


def describe_machine(libraries: Iterable[str]) -> dict[str, Any]:
    """Return the versions of Python, flagbench and libraries that this machine has, by distribution."""
    versions = {"python": platform.python_version(), "flagbench": sys.modules["bench"].__version__}
    for library in libraries:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = ""
    return {"versions": versions}


def _answer(answer: Any) -> dict[str, Any]:
    """Return what a machine has said, or the error in its place."""
    return {"error": _describe(answer)} if isinstance(answer, BaseException) else answer


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def machines(client: "Client") -> list[str]:
    """Return the addresses of the machines of a cluster, in order.

    Those of ``client.scheduler_info()`` are missing now and then: every two seconds, dask writes an answer
    without machines to the same place.

    Raises:
        TimeoutError: the scheduler does not answer.
        ClusterError: there is none.
    """
    return sorted(_threads(client))


def _threads(client: "Client") -> dict[str, int]:
    """Return by address how many threads each machine has.

    Raises:
        TimeoutError: the scheduler does not answer.
        ClusterError: there is none.
    """
    threads: dict[str, int] = _sync(client, client.nthreads)
    if not threads:
        raise ClusterError("the scheduler has no workers; start one on each machine: `dask worker ADDRESS`")
    return threads


def _ask_machines(client: "Client", function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """Return by address what a function returns on each machine, or the error in its place.

    Raises:
        TimeoutError: the scheduler does not answer.
        ClusterError: there is no machine.
    """
    import asyncio

    addresses = machines(client)

    async def ask(address: str) -> Any:
        asked = client.run(function, *arguments, workers=[address], on_error="return")
        try:
            return (await asyncio.wait_for(asked, _ANSWER_S))[address]
        except TimeoutError:
            return TimeoutError(f"no answer within {_ANSWER_S} s")
        except Exception as error:  # noqa: BLE001  as those that are raised there
            return error

    async def ask_all() -> list[Any]:
        return await asyncio.gather(*map(ask, addresses))

    return dict(zip(addresses, client.sync(ask_all), strict=True))


def _sync(client: "Client", function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function that asks the scheduler, and wait for its answer.

    Raises:
        TimeoutError: there is none in time.
    """
    try:
        return client.sync(function, *arguments, callback_timeout=_ANSWER_S)
    except TimeoutError as error:
        raise TimeoutError(f"the scheduler has not answered within {_ANSWER_S} s") from error


class _MachineState(NamedTuple):
    """Whether a machine is the same process as before, and whether it is busy.

    Attributes:
        process: the name that its process has given itself; one that is started again has another.
        tasks: the functions that run there, also those that nobody waits for any more.
    """

    process: str
    tasks: list[str]


def _report_state(dask_worker: "Worker") -> _MachineState:
    """Return the state of this machine; it runs there."""
    from dask.utils import key_split

    return _MachineState(
        dask_worker.id, sorted(key_split(task.key) for task in dask_worker.state.all_running_tasks)
    )


def _wait_until_idle(client: "Client") -> dict[str, str]:
    """Wait until no machine does anything, and return the name of each one's process by address.

    Raises:
        TimeoutError: the scheduler does not answer.
        ClusterError: there is no machine, or one is busy or does not answer for too long.
    """
    deadline_s = monotonic() + _IDLE_S
    while True:
        doing = _ask_machines(client, _report_state)
        problems = [f"{each}: {what}" for each, said in doing.items() if (what := _find_problem(said))]
        if not problems:
            return {address: said.process for address, said in doing.items()}
        if monotonic() > deadline_s:
            raise ClusterError(f"{problems[0]}; start that worker again, or leave the cluster to one run")
        sleep(_AGAIN_S)


def _find_problem(said: "_MachineState | BaseException") -> str:
    """Return why a machine is not ready, by what it has said of itself; empty if it is."""
    if isinstance(said, BaseException):
        return _describe(said)
    return f"busy with {', '.join(said.tasks)} for {_IDLE_S} s" if said.tasks else ""


def _check_unchanged(client: "Client", before: Mapping[str, str]) -> None:
    """Check that the machines are still those that were there before.

    Raises:
        TimeoutError: the scheduler does not answer.
        ClusterError: they are others, or one does not answer.
    """
    doing = _ask_machines(client, _report_state)
    changes = [f"{address} has left" for address in before if address not in doing]
    for address, said in doing.items():
        if isinstance(said, BaseException):
            changes.append(f"{address} does not answer: {_describe(said)}")
        elif address not in before:
            changes.append(f"{address} has come")
        elif said.process != before[address]:
            changes.append(f"{address} was started again")
    if changes:
        raise ClusterError(f"other machines than in the beginning: {'; '.join(changes)}")


@contextmanager
def on_this_machine(job: Job) -> Iterator[Job]:
    """Yield the job with a folder on this machine; its flags get checksums, as nobody else sees their bytes.

    A process does one batch at a time, so that no more downloads are in flight than the job has workers.
    """
    if _HOME not in sys.path:
        sys.path.append(_HOME)  # for the clients: what runs here is a process of dask, and no worker of ours
    with one_batch, _open_folder(job) as folder:
        flags, authority = Path(folder, "flags"), job.authority
        flags.mkdir()
        if trusted := _settings(job).trusted:
            authority = f"{folder}/authority.pem"
            Path(authority).write_text(trusted, encoding="ascii")
        yield job._replace(folder=flags, authority=authority, checks_content=True, watcher=None)


@contextmanager
def _open_folder(job: Job) -> Iterator[str]:
    """Make a folder for a batch, and remove it in the end.

    On the cluster of a trial it is in the folder of the job, which is removed even if all are killed.
    Elsewhere it is in memory if there is room, and the first batch removes what killed processes left there.
    """
    if not _settings(job).scheduler and job.watcher is None:
        with tempfile.TemporaryDirectory(dir=job.folder) as folder:
            yield folder
        return
    parent = _IN_MEMORY if _has_room_in_memory() else None
    if parent is not None:
        _remove_abandoned(parent)
    name = f"{_PREFIX}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=name, dir=parent) as folder, _lock_folder(folder):
        yield folder


def _has_room_in_memory() -> bool:
    """Tell whether files are kept in memory, as those of the harness are: not where ``TMPDIR`` is set."""
    if not os.environ.keys().isdisjoint(("TMPDIR", "TEMP", "TMP")) or not os.access(
        _IN_MEMORY, os.W_OK | os.X_OK
    ):
        return False
    room = os.statvfs(_IN_MEMORY)
    return room.f_bavail * room.f_frsize >= _MUCH_BYTES


@cache
def _remove_abandoned(parent: str) -> None:
    """Remove the folders of batches whose processes were killed; done once in each process.

    A process that is not seen may be in another container, so nobody may have locked its folder either.
    """
    for entry in os.scandir(parent):
        owner = entry.name.removeprefix(_PREFIX).partition("-")[0]
        if not entry.name.startswith(_PREFIX) or not owner.isdecimal() or Path("/proc", owner).exists():
            continue
        with suppress(OSError), _lock_folder(entry.path):  # of another user, or another process removes it
            rmtree(entry.path)


@contextmanager
def _lock_folder(folder: str) -> Iterator[None]:
    """Lock a folder until its processes have ended.

    Raises:
        OSError: it is locked, or there is none.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def pack(job: Job, fetches: Iterable[Fetch]) -> Batch:
    """Return what is sent back of the fetches of a machine: the bytes only if they are gathered.

    The clock of another machine says nothing here, so only durations come back: each fetch starts at 0.
    """
    done, files, checksums = list(fetches), dict[str, bytes](), dict[str, int]()
    for entry in sorted(os.scandir(job.folder), key=lambda each: each.name):
        if job.option == GATHER:
            files[entry.name] = b"".join(read_pieces(entry.path))
        checksums[entry.name] = checksum_of_pieces(read_pieces(entry.path))
    done = [*_with_checked_files(done, checksums)]
    if _settings(job).scheduler:
        done = [_without_clock(fetch) for fetch in done]
    return Batch(done, files)


def _with_checked_files(fetches: Iterable[Fetch], saved: Mapping[str, int]) -> Iterator[Fetch]:
    """Yield fetches, without a checksum those whose flag is not on this machine as it was received.

    Of several fetches of a flag, the file is that of the last one.
    """
    received: dict[str, set[int | None]] = {}
    fetches = list(fetches)
    for fetch in fetches:
        received.setdefault(f"{fetch.country.lower()}.gif", set()).add(fetch.checksum)
    wrong = {name for name in received if name not in saved or saved[name] not in received[name]}
    for fetch in fetches:
        yield fetch._replace(checksum=None) if f"{fetch.country.lower()}.gif" in wrong else fetch


def unpack(job: Job, batch: Batch) -> list[Fetch]:
    """Save the flags that a machine has sent, and return its fetches.

    Raises:
        ClusterError: it has sent a file that is none of its flags.
    """
    if strange := batch.files.keys() - {f"{country.lower()}.gif" for country in job.countries}:
        raise ClusterError(f"a machine has sent {min(strange)!r:.60}, which is no flag of its batch")
    for name, body in batch.files.items():
        save(f"{job.folder}/{name}", body)
    return batch.fetches


def _without_clock(fetch: Fetch) -> Fetch:
    answered_s = fetch.answered_s and fetch.answered_s - fetch.start_s
    return fetch._replace(
        start_s=0.0,
        answered_s=answered_s,
        end_s=fetch.end_s - fetch.start_s,
        opening_s=0.0,
        opened_s=0.0,
        opened_in="",
    )


def _settings(job: Job) -> ClusterSettings:
    if job.cluster is None:
        raise RuntimeError("its case was planned without a cluster: declare CLUSTER = True")
    return job.cluster


def security_of(settings: ClusterSettings) -> "Security | None":
    """Return the certificates of a connection as dask takes them; None without encryption."""
    if not settings.authority:
        return None
    from distributed import Security

    return Security(
        tls_ca_file=settings.authority,
        tls_client_cert=settings.certificate,
        tls_client_key=settings.key,
        require_encryption=True,
    )
