"""Build the task of a trial, which its worker gets."""

from pathlib import Path
from typing import Final

from bench.config.catalog import MODULES_OF_OPTIONS
from bench.config.imported_modules import imported_modules
from bench.model.round_spans import keeps_spans
from bench.runner.context import RunContext, module_folders
from bench.stats.schedule import ScheduledTrial
from bench.worker.protocol import WORKER_PROBES, Task

_SCHEDULE: Final = ".schedule"
"""File name in the folder of a trial: no round of it shares an open loop with another trial."""


def build_task(context: RunContext, scheduled: ScheduledTrial, folder: Path, base_url: str) -> Task:
    """Return the task of a trial by the settings of its run and its case.

    It lacks what is known only once a server serves the trial: authority, process and file of the round.

    Args:
        context: that of the run.
        scheduled: the trial.
        folder: that of the trial.
        base_url: the address of its calls, as `Task` has it.
    """
    experiment, case = context.experiment, scheduled.case
    variant, strategy, target = context.variant(case), experiment.strategies[case.strategy], experiment.target
    client, call, file = (
        context.own_client(case),
        context.function_call(case),
        variant.strategies[case.strategy],
    )
    return Task(
        strategy_file=file,
        module_folders=module_folders(variant, case.strategy, call.module, client),
        client=context.client_module(case),
        workers=case.workers,
        keep_alive=case.keep_alive,
        countries=case.countries.codes,
        repeat=case.countries.repeat,
        base_url=base_url,
        rounds=experiment.rounds,
        folder=folder,
        reference=context.references[case.profile.sizes].folder,
        request_timeout_s=experiment.request_timeout_s,
        calls=experiment.comparison.calls.get(case.plain_id, 1) if experiment.comparison else 1,
        http2=case.profile.http2,
        probes=tuple(probe for probe in WORKER_PROBES if probe in experiment.probes),
        largest_bytes=context.largest_bytes,
        checks_content=any(fault.kind == "wrong_content" for fault in case.profile.faults),
        throttling=tuple(context.throttling.values()),
        call=call,
        option=strategy.option,
        connections=case.connections,
        client_source="" if client is None else client.source,
        client_file=Path() if client is None else client.file,
        keeps_spans=keeps_spans(scheduled.block),
        client_modules=_client_modules(context.client_file(case)),
        strategy_modules=_strategy_modules(file, strategy.option),
        paths={} if target is None else {code: target.paths[code] for code in case.countries.codes},
        compares_sizes=target is not None and not target.checksums,
        rate=case.rate or (None if target is None else target.rate),
        schedule=str(folder / _SCHEDULE) if case.rate else context.schedule,
        is_open_loop=case.rate > 0,
        work=case.work,
        cluster=experiment.schedulers[case.scheduler] if strategy.uses_cluster else None,
    )


def _client_modules(file: Path | None) -> tuple[str, ...]:
    """Return the modules that a client imports; none without a client."""
    return tuple(imported_modules([] if file is None else [file]))


def _strategy_modules(file: Path, option: str) -> tuple[str, ...]:
    """Return the modules that a strategy imports, with the one that its option needs."""
    module = MODULES_OF_OPTIONS.get(option)
    return (*imported_modules([file]), *([] if module is None else [module]))
