"""``run``: measure the cases of a config, store the run and print its summary."""

from functools import partial
from pathlib import Path

import click

from bench.app.execute import CommandLine, execute_run, exit_code_of
from bench.app.output import OutputForm, optional_stdout, saved, stdout_console, write_stdout
from bench.app.run_output import print_run
from bench.app.select import load_experiment, option_words
from bench.commands import options
from bench.errors import ExitCode
from bench.model.results import Run
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown
from bench.storage.run_folder import Destination, save_run


@click.command()
@click.argument("config")
@options.out
@options.resume
@options.only
@options.blocks
@options.seed
@options.full
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
    full: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Measure every case of CONFIG, a file or a shipped name, and print the summary."""
    experiment = load_experiment(config, only=only, blocks=blocks, seed=seed)
    command = CommandLine("run", config, option_words(only=only, blocks=blocks, seed=seed))
    is_last = out is None and resume is None
    form = options.output_form(full=full, as_json=as_json)
    present = partial(_store_and_print, is_last=is_last, form=form)
    return execute_run(experiment, present, command, Destination(out, resume), quiet=quiet)


def _store_and_print(document: Run, folder: Path, *, is_last: bool, form: OutputForm) -> ExitCode:
    code = exit_code_of(document)
    with saved(partial(save_run, folder, document, to_markdown(document)), code), optional_stdout():
        if form == "json":
            write_stdout(to_json(document))
        else:
            print_run(document, "last" if is_last else str(folder), stdout_console(), full=form == "full")
    return code
