"""``run``: carry out a config and print its table."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from bench.measurement import Run
    from bench.model import Experiment
    from bench.store.journal import Journal

_FAILED_TRIALS = 3


@click.command()
@click.argument("config")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this run [results/runs/NAME-TIME].")
@click.option("--only", metavar="PATTERN", help="Only cases whose id matches, such as 'asyncio_*'.")
@click.option(
    "--blocks", type=click.IntRange(1, 1000), help="Exactly so many blocks, whatever the config says."
)
@click.option("--seed", type=int, help="Seed instead of the config's.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON on stdout: the content of run.json.")
@click.option("--quiet", is_flag=True, help="No progress.")
def run(  # noqa: PLR0913  one argument an option
    *,
    config: str,
    out: Path | None,
    only: str | None,
    blocks: int | None,
    seed: int | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Time every case of CONFIG, a file or the name of a shipped one, and print the table."""
    from bench.commands.choosing import amended, load_experiment
    from bench.runner.environment import describe
    from bench.runner.interrupt import Interrupted, interruptible
    from bench.runner.record import Start, record
    from bench.stats.attempts import final_attempts
    from bench.store.folder import JOURNAL, new_folder
    from bench.store.journal import open_journal, read_journal

    experiment = amended(load_experiment(config), only=only, blocks=blocks, seed=seed)
    environment = describe({case.client for case in experiment.cases})
    fault: Exception | None = None
    with interruptible() as signals:
        start = Start(datetime.now(UTC), environment)
        folder = new_folder(experiment.name, start.at, out)
        signals.parting = f"left at once; the trials that were finished are in {folder / JOURNAL}"
        try:
            with suppress(Interrupted), open_journal(folder / JOURNAL) as journal:
                _run_blocks(experiment, journal, quiet=quiet)
                signals.hold()
        except Exception as error:  # noqa: BLE001  raised again once what was measured is safe
            fault = error
        signals.hold()
        is_complete = fault is None and signals.exit_code is None
        trials = read_journal(folder / JOURNAL)
        document = record(experiment, start, trials, name=folder.name, is_complete=is_complete)
        _show(document, folder, planned=_planned(experiment), as_json=as_json)
    if fault is not None:
        raise fault
    if signals.exit_code is not None:
        return signals.exit_code
    return _FAILED_TRIALS if any(trial.outcome != "ok" for trial in final_attempts(document.trials)) else 0


def _planned(experiment: "Experiment") -> str:
    """Write how many trials there could have been."""
    trials = experiment.blocks * len(experiment.cases)
    return f"{trials}" if experiment.stopping is None else f"up to {trials}"


def _run_blocks(experiment: "Experiment", journal: "Journal", *, quiet: bool) -> None:
    """Run with the kind of progress that fits where stderr goes; hold the time against the prediction."""
    from time import monotonic

    from bench.commands.consoles import remarks
    from bench.events import Observer
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
    outlooks = foresee(experiment)
    print_total(outlooks, experiment, console)
    started_s = monotonic()
    if console.is_terminal:
        with live_line(console) as line:
            measured = run_blocks(experiment, journal, LiveProgress(line, Race(monotonic)))
    else:
        measured = run_blocks(experiment, journal, PlainProgress(console, Race(monotonic)))
    print_truth(outlooks, measured, monotonic() - started_s, console)


def _show(document: "Run", folder: Path, *, planned: str, as_json: bool) -> None:
    """Store what is derived from the journal, print it, and say where it is."""
    from bench.commands.consoles import emit, remarks, results
    from bench.report.export.document import to_json
    from bench.report.export.markdown import to_markdown
    from bench.report.table import print_run
    from bench.stats.attempts import final_attempts
    from bench.store.folder import save

    save(folder, document, to_markdown(document))
    if as_json:
        emit(to_json(document))
    else:
        print_run(document, results())
    kept = f"kept in {folder}"
    if document.status == "partial":
        kept = f"stopped early: {len(final_attempts(document.trials))} of {planned} trials {kept}"
    remarks().print(kept, soft_wrap=True)
