"""From an experiment to a stored run: what every command that measures does alike."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.machine.limits import Limits
    from bench.measurement import Run
    from bench.model import Experiment
    from bench.store.journal import Journal

_FAILED_TRIALS = 3


def carry_out(
    experiment: "Experiment", present: Callable[["Run", Path], None], *, out: Path | None, quiet: bool
) -> int:
    """Run an experiment and return the exit code.

    What was measured is handed to ``present``, with the folder in which to keep what is derived of it,
    whatever ends the run.
    """
    from bench.commands.preflight import read_limits_for, shortages_of
    from bench.machine.environment import describe
    from bench.machine.pinning import pinning_of
    from bench.runner.interrupt import Interrupted, interruptible
    from bench.runner.record import Start, record
    from bench.runner.shortages import require
    from bench.stats.attempts import final_attempts
    from bench.store.folder import JOURNAL, new_folder
    from bench.store.journal import open_journal, read_journal

    limits = read_limits_for(out)
    require(shortages_of(experiment, limits))
    environment = describe({case.client for case in experiment.cases}, pinning_of(experiment))
    fault: Exception | None = None
    with interruptible() as signals:
        start = Start(datetime.now(UTC), environment)
        folder = new_folder(experiment.name, start.at, out)
        signals.parting = f"left at once; the trials that were finished are in {folder / JOURNAL}"
        try:
            with suppress(Interrupted), open_journal(folder / JOURNAL) as journal:
                _run_blocks(experiment, journal, limits, quiet=quiet)
                signals.hold()
        except Exception as error:  # noqa: BLE001  raised again once what was measured is safe
            fault = error
        signals.hold()
        is_complete = fault is None and signals.exit_code is None
        trials = read_journal(folder / JOURNAL)
        document = record(experiment, start, trials, name=folder.name, is_complete=is_complete)
        present(document, folder)
        _tell_where(document, folder, planned=_planned(experiment))
    if fault is not None:
        raise fault
    if signals.exit_code is not None:
        return signals.exit_code
    return _FAILED_TRIALS if any(trial.outcome != "ok" for trial in final_attempts(document.trials)) else 0


def _planned(experiment: "Experiment") -> str:
    """Write how many trials there could have been."""
    trials = experiment.blocks * len(experiment.cases)
    return f"{trials}" if experiment.stopping is None else f"up to {trials}"


def _run_blocks(experiment: "Experiment", journal: "Journal", limits: "Limits", *, quiet: bool) -> None:
    """Run with the kind of progress that fits where stderr goes; hold the time against the prediction."""
    from time import monotonic

    from bench.commands.consoles import remarks
    from bench.commands.preflight import remarks_on
    from bench.events import Observer
    from bench.machine.advice import warnings
    from bench.machine.reading import read_machine
    from bench.report.outlook import print_total, print_truth
    from bench.report.progress import LiveProgress, PlainProgress, live_line
    from bench.report.race import Race
    from bench.runner.outlook import foresee
    from bench.runner.session import run_blocks

    if quiet:
        run_blocks(experiment, journal, Observer())
        return
    console = remarks()
    for note in experiment.notes:
        console.print(f"note: {note}", soft_wrap=True)
    for warning in warnings(read_machine()):
        console.print(f"warning: {warning}", soft_wrap=True)
    outlooks = foresee(experiment)
    for warning in remarks_on(experiment, outlooks, limits):
        console.print(f"warning: {warning}", soft_wrap=True)
    print_total(outlooks, experiment, console)
    started_s = monotonic()
    if console.is_terminal:
        with live_line(console) as line:
            measured = run_blocks(experiment, journal, LiveProgress(line, Race(monotonic)))
    else:
        measured = run_blocks(experiment, journal, PlainProgress(console, Race(monotonic)))
    print_truth(outlooks, measured, monotonic() - started_s, console)


def _tell_where(document: "Run", folder: Path, *, planned: str) -> None:
    from bench.commands.consoles import remarks
    from bench.stats.attempts import final_attempts

    kept = f"kept in {folder}"
    if document.status == "partial":
        kept = f"stopped early: {len(final_attempts(document.trials))} of {planned} trials {kept}"
    remarks().print(kept, soft_wrap=True)
