"""``run``: measure the cases of a config, store the run and print its table."""

from functools import partial
from pathlib import Path

import click

from bench.app.execute import CommandLine, execute_run, exit_code_of, saved
from bench.app.output import optional_stdout, stdout_console, write_stdout
from bench.app.select import load_experiment, option_words
from bench.commands import options
from bench.errors import ExitCode
from bench.model.results import Run
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown
from bench.report.results_table import run_tables
from bench.report.terminal import print_tables
from bench.storage.run_folder import Destination, save_run


@click.command()
@click.argument("config")
@options.out
@options.resume
@options.only
@options.blocks
@options.seed
@options.as_json
@options.quiet
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
    experiment = load_experiment(config, only=only, blocks=blocks, seed=seed)
    command = CommandLine("run", config, option_words(only=only, blocks=blocks, seed=seed))
    present = partial(_store_and_print, as_json=as_json)
    return execute_run(experiment, present, command, Destination(out, resume), quiet=quiet)


def _store_and_print(document: Run, folder: Path, *, as_json: bool) -> ExitCode:
    code = exit_code_of(document)
    with saved(partial(save_run, folder, document, to_markdown(document)), code), optional_stdout():
        if as_json:
            write_stdout(to_json(document))
        else:
            print_tables(run_tables(document), stdout_console())
    return code
