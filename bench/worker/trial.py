"""Run one trial: import the strategy, warm it up, and time and check its rounds. Called by main."""

import gc
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import astuple, replace
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from time import perf_counter
from types import ModuleType
from typing import Final, TypeAlias

from bench.api import Fetch, Job, own_client
from bench.api.error_outcomes import local_fault
from bench.api.job import GATHER, ClusterSettings, PathTable, WrongClientError
from bench.api.own_strategy import FILE, find_own_strategy, module_name
from bench.api.processing import Processing
from bench.model.function_call import CURRENT_ROUND
from bench.model.process_limit import describe_process_limit
from bench.model.scheduler import EMBEDDED, Scheduler
from bench.model.text import describe_error
from bench.model.trial_outcome import Invalid
from bench.worker.event_loop import LoopCheck, UnusedOptionError, open_what_gevent_keeps, use_event_loop
from bench.worker.events import Awaiting, EventWriter, WarmedUp
from bench.worker.fetch_times import (
    build_timeline,
    count_latencies,
    has_durations,
    least_work_s_per_byte,
    timeout_waits_s,
)
from bench.worker.job_observation import JobObservation
from bench.worker.leaks import count_leaks, count_resources
from bench.worker.module_path import add_module_folders, explain_import_error
from bench.worker.own_function import (
    announce_round,
    has_fetches,
    list_saved_flags,
    prepare_call,
    redirect_constants,
)
from bench.worker.probes import RoundProbes
from bench.worker.protocol import (
    AUTO_ROUNDS,
    AUTO_TIMED_S,
    FIXED_ROUNDS,
    FIXED_TIMED_S,
    RAISED,
    ClusterTimes,
    Report,
    Task,
    TimedRound,
)
from bench.worker.round_checks import FinishedRound, check_return_value, check_round, describe_failures
from bench.worker.round_files import (
    compare_checksums,
    compare_files,
    find_escaping_links,
    list_paths,
    mark_corrupt_fetches,
)
from bench.worker.run_delay import read_run_delays, run_delay_s
from bench.worker.runtime import describe_runtime
from bench.worker.throttling import count_throttled_periods
from bench.worker.typical_call import TypicalCall

_OF_ALL_PROCESSES: Final = frozenset({"cpu", "allocations"})
"""Probes whose figures are of a process and its children that have ended, and of nothing else."""

DownloadMany: TypeAlias = Callable[..., object]


def run_trial(task: Task, began_s: float, events: EventWriter, commands: int) -> Report:
    """Run the rounds of a task and report them; any exception of the strategy is in the report.

    Args:
        task: the trial to run.
        began_s: ``time.perf_counter()`` when this process was ready for it.
        events: takes the events before the report.
        commands: the descriptor from which a paced task reads when to begin a round.
    """
    observation = JobObservation(task.folder)
    report = _run_rounds(task, began_s, events, commands, observation)
    observation.end()  # an exception in the warm-up has left it open
    use = observation.use
    if use is not None and not use.clients and task.is_elsewhere:
        use = None  # other machines have no file of ours to record it in
    return replace(report, job_use=use)


def _run_rounds(
    task: Task, began_s: float, events: EventWriter, commands: int, observation: JobObservation
) -> Report:
    """Load the strategy and run its rounds; the warm-up is observed."""
    ready_s = None
    rounds: list[TimedRound] = []
    typical = TypicalCall() if task.keeps_spans else None
    try:
        add_module_folders(task.module_folders)
        loops = use_event_loop(task.option)
        download_many = load_strategy(task)
        load_client(task)  # the first round must not pay for it
        open_what_gevent_keeps()
        if task.cluster is not None:
            import_module("distributed")  # it imports numpy if there is one, whose threads stay
        probes = RoundProbes(probes_of(task))
        before = count_resources()
        with set_up(task, events):
            ready_s = perf_counter()
            while is_round_due(task, rounds, events, commands):
                job = build_job(task, len(rounds), events)
                if task.round_file is not None:
                    announce_round(task.round_file, len(rounds))
                is_observed = not (rounds or task.call.is_foreign) and (not task.live or bool(task.option))
                timed, problem = run_round(
                    download_many, task, observation.begin(job) if is_observed else job, probes, typical
                )
                observation.end()
                rounds.append(timed)
                if problem is not None:
                    return Report(problem.outcome, problem.detail, began_s, ready_s, tuple(rounds))
                check_option(task, loops, observation if is_observed else None)
        left = count_leaks(before)
        spans = None if typical is None else typical.spans
        runtime = describe_runtime(task)
        return Report("ok", "", began_s, ready_s, tuple(rounds), left, spans=spans, runtime=runtime)
    except BaseException as error:  # noqa: BLE001  a strategy may raise anything, SystemExit included
        with suppress(Exception):  # the strategy may have closed or replaced standard error
            sys.stderr.write(f"{RAISED}\n")
            traceback.print_exception(error, file=sys.stderr)
        own_file = task.client_file if task.client_source else task.strategy_file
        detail = describe_error(error, own_file)
        if (where := explain_import_error(error, task.module_folders, own_file.name)) is not None:
            detail = f"{detail}; {where}"
        if isinstance(error, WrongClientError | UnusedOptionError):
            detail = f"{task.strategy_file.name} {error}"
        if (limit := describe_process_limit(error)) is not None:
            detail = f"{limit} ({detail})"
        if limit is not None or local_fault(error) is not None:
            return Report("invalid", f"local_resource: {detail}", began_s, ready_s, tuple(rounds))
        return Report("error", detail, began_s, ready_s, tuple(rounds))


def probes_of(task: Task) -> Sequence[str]:
    """Return the probes of a trial; on a cluster, those of all that downloads would miss its machines."""
    if task.cluster is None:
        return task.probes
    return [each for each in task.probes if each not in _OF_ALL_PROCESSES]


def check_option(task: Task, loops: LoopCheck | None, observation: JobObservation | None) -> None:
    """Check that the strategy has done what its option says.

    Args:
        task: the trial, with the option.
        loops: those of an option for event loops.
        observation: that of the warm-up, just ended; None in other rounds.

    Raises:
        UnusedOptionError: it has not.
    """
    if loops is not None:
        loops.check()
    elif task.is_elsewhere:
        return  # it may be read there alone; whether flags are gathered, their files show
    elif task.option and observation is not None and not observation.has_read_option:
        raise UnusedOptionError(f"never read job.option, and its case is planned with {task.option}")


def load_strategy(task: Task) -> DownloadMany:
    """Import the strategy file of a task from any folder as a module of ``strategies``; return its function.

    The processes that it starts find the module, too, whether they are forked or not. A module of a package
    is imported by its own name.

    Raises:
        ImportError: it cannot be loaded, or has no such function.
        BaseException: raised by the file itself.
    """
    file, call = task.strategy_file, task.call
    os.environ[FILE] = str(file)
    find_own_strategy()
    if call.is_foreign:
        redirect_constants(task)  # behind the finder of the strategy, so that it comes first
    module = import_module(call.module or module_name(str(file)))
    if call.module:
        check_module_file(call.module, file)
    download_many: DownloadMany | None = getattr(module, call.function, None)
    if download_many is None:
        raise ImportError(f"{file.name} has no function {call.function}")
    return download_many


def set_up(task: Task, events: EventWriter) -> AbstractContextManager[object]:
    """Return what a strategy for a cluster keeps open for all its rounds: the connection, which is not timed.

    Raises:
        ImportError: the strategy has no such function.
        BaseException: raised by the function.
    """
    if task.cluster is None:
        return nullcontext()
    file = task.strategy_file
    open_all = getattr(sys.modules[task.call.module or module_name(str(file))], "set_up", None)
    if open_all is None:
        raise ImportError(f"{file.name} declares CLUSTER, and has no function set_up")
    opened: AbstractContextManager[object] = open_all(build_job(task, 0, events))
    return opened


def load_client(task: Task) -> None:
    """Import the client of a task, if it has one.

    Raises:
        BaseException: raised by the user's file.
    """
    if task.client_source.endswith(":"):
        import_module(task.client_module)
        check_module_file(task.client_module, task.client_file)
    elif task.client_source:
        os.environ[own_client.OWN_CLIENT] = task.client_source
        own_client.load_function()
        check_module_file(task.client_module, task.client_file)
    elif task.client is not None:
        import_module(f"strategies.clients.{task.client}")


def opener_module(task: Task) -> str:
    """Return the module that opens the client of a task; empty for one of ``strategies/clients``."""
    if not task.client_source:
        return ""
    return task.client_module if task.client_source.endswith(":") else own_client.__name__


def check_module_file(module: str, file: Path) -> None:
    """Check that a module came from the file that was described, and not from an installed one of its name.

    Raises:
        ImportError: it came from another file.
    """
    loaded = getattr(sys.modules[module], "__file__", None)
    if loaded is None or not Path(loaded).samefile(file):
        raise ImportError(f"{module} was imported from {loaded}, and not from {file}; rename one")


def is_round_due(task: Task, rounds: Sequence[TimedRound], events: EventWriter, commands: int) -> bool:
    """Tell whether to call ``download_many`` again; before a round, a paced task waits for the runner.

    The runner sends a byte for a round of one or several calls, and closes the pipe to end the trial.
    """
    if task.paced:
        done, left = divmod(len(rounds) - 1 + task.calls, task.calls) if rounds else (0, 0)
        if left:
            return True
        events.write(Awaiting(done))
        return bool(os.read(commands, 1))
    is_due = needs_round(task, rounds)
    if is_due and len(rounds) == 1:
        events.write(WarmedUp())
    return is_due


def needs_round(task: Task, rounds: Sequence[TimedRound]) -> bool:
    """Tell whether rounds are missing: the warm-up, the number asked for, or enough time."""
    if task.live or not rounds:
        return not rounds
    timed = len(rounds) - 1
    timed_s = sum(each.elapsed_s for each in rounds[1:])
    if task.rounds is None:
        return timed < AUTO_ROUNDS and timed_s < AUTO_TIMED_S
    return timed < task.rounds or (timed < FIXED_ROUNDS and timed_s < FIXED_TIMED_S)


def build_job(task: Task, number: int, events: EventWriter) -> Job:
    """Build the job of a call; the warm-up, number 0, is a closed loop.

    Each has an address and a folder of its own, unless the task is live, or its function takes no job: such
    a function may have kept them from the previous call.
    """
    place = CURRENT_ROUND if task.call.is_foreign else str(number)
    is_open_loop = task.is_open_loop and number > 0
    return Job(
        countries=task.countries * task.repeat,
        workers=task.workers,
        base_url=task.base_url if task.has_one_address else f"{task.base_url}.{place}",
        folder=task.folder if task.live else task.folder / place,
        client_name=task.client or "",
        keep_alive=task.keep_alive,
        request_timeout_s=task.request_timeout_s,
        watcher=events if task.live else None,
        largest_bytes=task.largest_bytes,
        authority=task.authority,
        http2=task.http2,
        checks_content=task.checks_content,
        option=task.option,
        connections=task.connections,
        client_module=opener_module(task),
        paths=PathTable(task.paths) if task.paths else None,
        rate=task.rate if is_open_loop or not task.is_open_loop else None,
        schedule=task.schedule,
        is_open_loop=is_open_loop,
        cluster=None if task.cluster is None else _cluster_settings(task, task.cluster),
        processing=Processing(task.work.kind, task.work.times) if task.work.times else None,
    )


def _cluster_settings(task: Task, scheduler: Scheduler) -> ClusterSettings:
    trusted = ""
    if scheduler.address != EMBEDDED and task.authority is not None:
        trusted = Path(task.authority).read_text(encoding="ascii")
    return ClusterSettings(*astuple(scheduler))._replace(trusted=trusted)


def run_round(
    download_many: DownloadMany, task: Task, job: Job, probes: RoundProbes, typical: TypicalCall | None = None
) -> tuple[TimedRound, Invalid | None]:
    """Time one call of ``download_many``; prepare, check and clean up outside the timed region."""
    job.folder.mkdir(parents=True, exist_ok=True)
    before = frozenset(list_paths(task.folder))
    gc.collect()  # garbage of the previous round must not slow this one down
    throttled_before = count_throttled_periods(task.throttling)
    call = prepare_call(download_many, task, job)
    delays_before = _read_delays(task)
    open_loop = _load_open_loop() if job.is_open_loop else None
    probes.begin()
    called_s = perf_counter()
    if open_loop is not None:
        open_loop.begin(job, called_s)
    returned = call()
    returned_s = perf_counter()
    if task.call.is_foreign:
        os.chdir(task.folder)  # that of the round is about to be removed
    is_silent = task.call.is_foreign and not has_fetches(returned)
    return_problem = None
    if not is_silent:
        return_problem = check_return_value(
            returned, len(job.countries), called_s, returned_s, elsewhere=task.is_elsewhere
        )
    if open_loop is not None:
        return_problem = return_problem or open_loop.check(returned, job, called_s)
    fetches: list[Fetch] = returned if return_problem is None and isinstance(returned, list) else []
    figures = probes.end([] if is_silent else fetches)
    delays = [run_delay_s(*each) for each in zip(delays_before, _read_delays(task), strict=True)]
    if is_silent:
        fetches = list_saved_flags(job)
    throttled = count_throttled_periods(task.throttling) - throttled_before
    created = frozenset(list_paths(task.folder)) - before
    if not task.compares_sizes:
        fetches = list(mark_corrupt_fetches(fetches, task.reference))
    if task.cluster is not None and task.option != GATHER:
        files = compare_checksums(fetches, job, task.reference, created, sizes_only=task.compares_sizes)
    else:
        files = compare_files(fetches, job, task.reference, created, sizes_only=task.compares_sizes)
    links = find_escaping_links(task.folder, {*created, job.folder})
    timeline = build_timeline(fetches, task.workers, called_s, returned_s)
    if typical is not None:
        typical.offer([] if timeline is None else fetches, called_s, returned_s)
    timed = TimedRound(
        elapsed_s=returned_s - called_s,
        fetches=dict(Counter(fetch.outcome for fetch in fetches)),
        verified=files.verified,
        failures=describe_failures(fetches, task.paths),
        timeline=timeline,
        latencies_us=count_latencies(fetches) if has_durations(fetches, called_s, returned_s) else {},
        probes=figures,
        throttled=max(0, throttled),
        waited_s=timeout_waits_s(fetches),
        run_delay_s=delays[0],
        server_delay_s=delays[1],
        cluster=None if task.cluster is None else _cluster_times(),
        unreported=len(job.countries) - len(fetches) if is_silent else 0,
        open_loop=None if open_loop is None else open_loop.sum_up(fetches, job, called_s),
        work_s_per_byte=least_work_s_per_byte(fetches, task.work.times) if task.work.times else None,
    )
    if not task.live:
        rmtree(job.folder, ignore_errors=True)  # the strategy may have removed or replaced it
    told = [fetch.country for fetch in fetches] if is_silent else job.countries
    idle = [each.country for each in fetches if each.outcome == "ok" and each.work_s is None]
    unprocessed = idle if task.work.times else ()
    return timed, check_round(FinishedRound(told, return_problem, fetches, files, links, unprocessed))


def _load_open_loop() -> ModuleType:
    from bench.worker import open_loop  # few cases have a rate

    return open_loop


def _cluster_times() -> ClusterTimes | None:
    from bench.api.batches import take_costs  # few strategies have a cluster

    return None if (costs := take_costs()) is None else ClusterTimes(*costs)


def _read_delays(task: Task) -> tuple[Mapping[str, int] | None, Mapping[str, int] | None]:
    """Read how long the threads of this process and of the server have waited for a processor."""
    own = read_run_delays("self")
    return own, None if task.server_pid is None else read_run_delays(task.server_pid)
