"""One trial: import the strategy, warm it up, time it, and verify every round."""

import gc
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from time import perf_counter

from bench.api import Fetch, Job, Watcher
from bench.api.error_outcomes import local_fault
from bench.model.process_limit import describe_process_limit
from bench.model.text import count_names, describe_error
from bench.worker.leaks import held_resources, leaked_since
from bench.worker.loader import DownloadMany, load_client, load_strategy
from bench.worker.probes import Probing
from bench.worker.protocol import Report, Task, TimedRound
from bench.worker.return_value_check import check_return_value
from bench.worker.round_control import Pace
from bench.worker.symlink_check import escaping_links
from bench.worker.timeline import latency_counts, timeline
from bench.worker.verify import Problem, Verified, entries, verify_round


@dataclass(frozen=True, slots=True)
class RoundTarget:
    """Where one round takes place, and how long it is.

    Attributes:
        base_url: the address it asks.
        folder: what it fills.
        repeat: how often it asks for every country.
    """

    base_url: str
    folder: Path
    repeat: int


def run_trial(task: Task, began_s: float, watcher: Watcher | None, is_due: Pace) -> Report:
    """Do what a task asks, and report it; whatever the strategy raises is in the report.

    Args:
        task: what to do.
        began_s: ``time.perf_counter()`` when this process was ready for it.
        watcher: who looks on; ``None`` while something is timed.
        is_due: says of the rounds so far whether another one is due, and returns when that may begin.
    """
    ready_s = None
    rounds: list[TimedRound] = []
    try:
        download_many = load_strategy(task.strategy_file)
        if task.client is not None:
            load_client(task.client)
        ready_s = perf_counter()
        probing = Probing(task.probes)
        before = held_resources()
        while is_due(rounds):
            verified = run_round(download_many, task, round_target(task, len(rounds)), watcher, probing)
            rounds.append(verified.report)
            if verified.flaw is not None:
                return Report(verified.flaw.outcome, verified.flaw.detail, began_s, ready_s, tuple(rounds))
        return Report("ok", "", began_s, ready_s, tuple(rounds), leaked_since(before))
    except BaseException as error:  # noqa: BLE001  a strategy may raise what it likes, SystemExit included
        with suppress(Exception):  # the strategy may have closed it or put something else in its place
            traceback.print_exception(error, file=sys.stderr)
        said = describe_error(error, task.strategy_file)
        if (limit := describe_process_limit(error)) is not None:
            said = f"{limit} ({said})"
        if limit is not None or local_fault(error) is not None:
            return Report("invalid", f"local_resource: {said}", began_s, ready_s, tuple(rounds))
        return Report("error", said, began_s, ready_s, tuple(rounds))


def round_target(task: Task, number: int) -> RoundTarget:
    """Say where a round takes place, and how long it is; only a live one has the task's own place."""
    if task.live:
        return RoundTarget(task.base_url, task.folder, task.repeat)
    repeat = 1 if task.paced and number == 0 else task.repeat
    return RoundTarget(f"{task.base_url}.{number}", task.folder / str(number), repeat)


def run_round(
    download_many: DownloadMany, task: Task, stage: RoundTarget, watcher: Watcher | None, probing: Probing
) -> Verified:
    """Time one call of ``download_many``; prepare, verify and tidy up outside the timed region."""
    stage.folder.mkdir(parents=True, exist_ok=True)
    before = frozenset(entries(task.folder))
    job = Job(
        countries=task.countries * stage.repeat,
        workers=task.workers,
        base_url=stage.base_url,
        folder=stage.folder,
        client_name=task.client or "",
        keep_alive=task.keep_alive,
        request_timeout_s=task.request_timeout_s,
        watcher=watcher,
        largest_bytes=task.largest_bytes,
        authority=task.authority,
        http2=task.http2,
        checks_content=task.checks_content,
    )
    gc.collect()  # the rubbish of the round before is not this round's to clear away
    probing.begin()
    called_s = perf_counter()
    returned = download_many(job)
    returned_s = perf_counter()
    flaw = check_return_value(returned, len(job.countries), called_s, returned_s)
    fetches: list[Fetch] = returned if flaw is None and isinstance(returned, list) else []
    probes = probing.end(fetches)
    made = frozenset(entries(task.folder)) - before
    verified = verify_round(fetches, returned_s - called_s, job, task.reference, made)
    times = timeline(fetches, task.workers, called_s, returned_s)
    report = replace(
        verified.report,
        timeline=times,
        latencies_us=latency_counts(fetches) if times is not None else {},
        probes=probes,
    )
    led_out = escaping_links(task.folder, {*made, stage.folder})
    if not task.live:
        rmtree(stage.folder, ignore_errors=True)  # the strategy may have removed or replaced it
    return Verified(report, worst_problem(verified.flaw, flaw, led_out))


def worst_problem(found: Problem | None, returned: Problem | None, led_out: Sequence[str]) -> Problem | None:
    """Choose what is said of a round: what this machine lacked, an escape, what was returned, the rest."""
    if found is not None and found.outcome == "invalid":
        return found
    if led_out:
        return Problem("escape", count_names(led_out, "link out of its folder", "links out of its folder"))
    return returned or found
