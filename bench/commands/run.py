"""``run``: carry out a config and print its table."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from bench.model import Experiment, Run
    from bench.store.journal import Journal

_FAILED_TRIALS = 3


@click.command()
@click.argument("config")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this run [results/runs/NAME-TIME].")
@click.option("--only", metavar="PATTERN", help="Only cases whose id matches, such as 'asyncio_*'.")
@click.option("--blocks", type=click.IntRange(1, 10_000), help="Blocks instead of the config's.")
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
    from bench.commands.consoles import remarks, results
    from bench.errors import BenchError
    from bench.report.export import to_json, to_markdown
    from bench.report.table import print_run
    from bench.runner.interrupt import Interrupted
    from bench.runner.record import record
    from bench.store.folder import JOURNAL, new_folder, save
    from bench.store.journal import open_journal, read_journal

    experiment = amended(load_experiment(config), only=only, blocks=blocks, seed=seed)
    started = datetime.now(UTC)
    folder = new_folder(experiment.name, started, out)
    ended_by: Interrupted | BenchError | None = None
    with open_journal(folder / JOURNAL) as journal:
        try:
            _run_blocks(experiment, journal, quiet=quiet)
        except (Interrupted, BenchError) as reason:
            ended_by = reason
    trials = read_journal(folder / JOURNAL)
    document = record(experiment, trials, folder.name, started, is_complete=ended_by is None)
    save(folder, document, to_markdown(document))
    if as_json:
        click.echo(to_json(document), nl=False)
    else:
        print_run(document, results())
    remarks().print(_kept(document, experiment, folder), soft_wrap=True)
    if isinstance(ended_by, BenchError):
        raise ended_by
    if ended_by is not None:
        return 128 + ended_by.number
    return _FAILED_TRIALS if any(trial.outcome != "ok" for trial in document.trials) else 0


def _run_blocks(experiment: "Experiment", journal: "Journal", *, quiet: bool) -> None:
    """Run with the kind of progress that fits where stderr goes."""
    from time import monotonic

    from bench.commands.consoles import remarks
    from bench.report.progress import LiveProgress, PlainProgress, Silence, live_line
    from bench.report.race import Race
    from bench.runner.interrupt import interruptible
    from bench.runner.session import run_blocks

    console = remarks()
    for note in experiment.notes:
        console.print(f"note: {note}", soft_wrap=True)
    with interruptible():
        if quiet:
            run_blocks(experiment, journal, Silence())
        elif console.is_terminal:
            with live_line(console) as line:
                run_blocks(experiment, journal, LiveProgress(line, Race(monotonic)))
        else:
            run_blocks(experiment, journal, PlainProgress(console, Race(monotonic)))


def _kept(document: "Run", experiment: "Experiment", folder: Path) -> str:
    planned = experiment.blocks * len(experiment.cases)
    if document.status == "partial":
        return f"interrupted: {len(document.trials)} of {planned} trials kept in {folder}"
    return f"kept in {folder}"
