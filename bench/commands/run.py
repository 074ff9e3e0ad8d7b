"""``run``: carry out a config and print its table."""

from pathlib import Path

import rich_click as click

from bench.app.execute import RunOptions, execute_run, exit_code_of
from bench.app.output import stdout_console, write_stdout
from bench.app.select import apply_overrides, load_experiment, override_args
from bench.model.results import Run
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown
from bench.report.results_table import run_tables
from bench.report.terminal import print_tables
from bench.storage.run_folder import save_run


@click.command()
@click.argument("config")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this run [results/runs/NAME-TIME].")
@click.option(
    "--resume", metavar="RUN", type=click.Path(path_type=Path),
    help="Go on with a run that was left: its folder, its name below results/runs, or `last`.",
)  # fmt: skip
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
    resume: Path | None,
    only: str | None,
    blocks: int | None,
    seed: int | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Measure every case of CONFIG, a file or a shipped name, and print the table."""
    if out is not None and resume is not None:
        raise click.UsageError("--resume goes on in the run's own folder, so it does not go with --out")

    def present(document: Run, folder: Path) -> int:
        _show(document, folder, as_json=as_json)
        return exit_code_of(document)

    experiment = apply_overrides(load_experiment(config), only=only, blocks=blocks, seed=seed)
    order = RunOptions("run", config, override_args(only=only, blocks=blocks, seed=seed), out, resume, quiet)
    return execute_run(experiment, present, order)


def _show(document: Run, folder: Path, *, as_json: bool) -> None:
    """Store what is derived from the journal, and print it."""
    save_run(folder, document, to_markdown(document))
    if as_json:
        write_stdout(to_json(document))
    else:
        print_tables(run_tables(document), stdout_console())
