"""The job of a warm-up records its use: in its own process, in forked ones, and where it is unpickled."""

import asyncio
import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.api import Job
from bench.api.job import CLIENT_OBSERVERS, WrongClientError
from bench.api.observed_job import ObservedJob
from bench.model.job_use import JobUse
from bench.system.paths import import_path
from bench.worker.job_observation import JobObservation

NOTHING = JobUse((), workers=False)
SYNC = JobUse(("sync",), workers=False)


@pytest.fixture
def plain(tmp_path: Path) -> Job:
    return Job(("BR", "CN"), 7, "http://server", tmp_path / "0", "urllib3")


@pytest.fixture
def observation(tmp_path: Path) -> Iterator[JobObservation]:
    """Begin no observation yet, and end it whatever happens."""
    observation = JobObservation(tmp_path)
    yield observation
    observation.end()


def use_of(observation: JobObservation, plain: Job, use: Callable[[Any], object]) -> JobUse | None:
    job = observation.begin(plain)
    assert isinstance(job, ObservedJob)
    use(job)
    observation.end()
    return observation.use


def open_client(job: Job) -> None:
    with job.client():
        pass


def open_in_loop(job: Job) -> None:
    async def open_one() -> None:
        async with job.async_client():
            pass

    asyncio.run(open_one())


def loop_class() -> str:
    """Return the class of the loops that asyncio makes on this system."""
    with asyncio.Runner() as runner:
        kind = type(runner.get_loop())
    return f"{kind.__module__}.{kind.__qualname__}"


def match_workers(job: Job) -> int:
    match job:
        case Job(workers=workers):
            return workers


@pytest.mark.parametrize(
    "use",
    [
        lambda job: job.workers,
        lambda job: getattr(job, "work" + "ers"),
        lambda job: job[1],
        lambda job: job[1 - len(job)],
        lambda job: job[:3],
        list,
        lambda job: job._asdict(),
        lambda job: job._replace(folder=Path()).workers,
        lambda job: copy.copy(job).workers,
        lambda job: pickle.loads(pickle.dumps(job)).workers,  # noqa: S301
        match_workers,
    ],
)
def test_workers_count_as_read_however_they_are_reached(
    observation: JobObservation, plain: Job, use: Callable[[Job], object]
) -> None:
    assert use_of(observation, plain, use) == JobUse((), workers=True)


@pytest.mark.parametrize(
    "use",
    [
        lambda job: job.countries,
        lambda job: job[0],
        lambda job: job._replace(keep_alive=False),
        lambda job: (copy.deepcopy(job), pickle.loads(pickle.dumps(job))),  # noqa: S301
        lambda job: (repr(job), len(job), job == job, hash(job)),  # noqa: PLR0124
        lambda job: (job.client(), job.async_client),  # neither is entered
    ],
)
def test_nothing_else_counts_as_a_use(
    observation: JobObservation, plain: Job, use: Callable[[Job], object]
) -> None:
    """The client reads the workers itself, and so does ``pickle``."""
    assert use_of(observation, plain, use) == NOTHING


@pytest.mark.parametrize(
    "use",
    [
        open_client,
        lambda job: open_client(job._replace(keep_alive=False)),
        lambda job: open_client(pickle.loads(pickle.dumps(job))),  # noqa: S301
    ],
)
def test_opened_client_is_recorded(
    observation: JobObservation, plain: Job, use: Callable[[Job], object]
) -> None:
    assert use_of(observation, plain, use) == SYNC


def test_event_loop_of_an_opened_client_is_recorded(observation: JobObservation, plain: Job) -> None:
    use = use_of(observation, plain._replace(client_name="aiohttp"), open_in_loop)
    assert use == JobUse(("async",), workers=False, event_loops=(loop_class(),))


def test_event_loops_of_other_processes_are_recorded(observation: JobObservation, plain: Job) -> None:
    def open_in_fork(job: Job) -> None:
        forked = multiprocessing.get_context("fork").Process(target=open_in_loop, args=(job,))
        forked.start()
        forked.join()

    use = use_of(observation, plain._replace(client_name="aiohttp"), open_in_fork)
    assert use == JobUse(("async",), workers=False, event_loops=(loop_class(),))


def test_client_of_a_rebuilt_job_is_recorded(observation: JobObservation, plain: Job) -> None:
    assert use_of(observation, plain, lambda job: open_client(Job(*job))) == JobUse(("sync",), workers=True)


def test_client_that_the_case_was_not_planned_with_is_named_with_the_remedy(
    observation: JobObservation, plain: Job
) -> None:
    """It counts as no opened client: a strategy that goes on with a library of its own has none."""

    async def open_async_client(job: Job) -> None:
        async with job.async_client():
            pass

    def use(job: Job) -> None:
        words = (
            'opened an asynchronous client, and its case was planned with urllib3: declare CLIENTS = "async"'
        )
        with pytest.raises(WrongClientError, match=words):
            open_async_client(job).send(None)
        words = (
            'opened a synchronous client, and its case was planned without a client: declare CLIENTS = "sync"'
        )
        with pytest.raises(WrongClientError, match=words):
            open_client(job._replace(client_name=""))

    assert use_of(observation, plain, use) == NOTHING


def in_forked_process(job: Job) -> None:
    process = multiprocessing.get_context("fork").Process(target=open_client, args=(job,))
    process.start()
    process.join()
    assert process.exitcode == 0


def in_fresh_process(job: Job) -> None:
    code = (
        "import pickle, sys; job = pickle.load(sys.stdin.buffer); job.workers\n"
        "for _ in range(2):\n    with job.client(): pass"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(import_path())}
    subprocess.run([sys.executable, "-c", code], input=pickle.dumps(job), check=True, env=environment)


def test_forked_process_records_what_it_opens(observation: JobObservation, plain: Job) -> None:
    assert use_of(observation, plain, in_forked_process) == SYNC


def test_process_that_gets_a_pickled_job_records_its_use(observation: JobObservation, plain: Job) -> None:
    assert use_of(observation, plain, in_fresh_process) == JobUse(("sync",), workers=True)


def test_use_is_unknown_if_the_record_of_other_processes_was_removed(
    observation: JobObservation, plain: Job, tmp_path: Path
) -> None:
    def use(_job: Job) -> None:
        for file in tmp_path.iterdir():
            file.unlink()

    assert use_of(observation, plain, use) is None


def test_nothing_is_recorded_after_the_warm_up(
    observation: JobObservation, plain: Job, tmp_path: Path
) -> None:
    kept: list[Job] = []
    assert use_of(observation, plain, kept.append) == NOTHING
    assert list(tmp_path.iterdir()) == []
    assert CLIENT_OBSERVERS == []
    open_client(kept[0])
    in_forked_process(kept[0])
    in_fresh_process(kept[0])
    assert observation.use == NOTHING
    assert list(tmp_path.iterdir()) == []
