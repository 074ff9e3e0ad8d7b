"""``run``: measure the cases of a config, store the run and print its summary."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from bench.app.cluster_blocks import plan_cluster_run
from bench.app.execute import CommandLine, execute_run, exit_code_of
from bench.app.output import OutputForm, optional_stdout, saved, stdout_console, write_stdout
from bench.app.report_output import check_report_file, write_report
from bench.app.run_output import print_run
from bench.app.select import (
    find_script,
    load_experiment,
    load_target,
    option_words,
    script_config,
    script_config_name,
)
from bench.commands import options
from bench.config.script_config import ScriptOptions
from bench.errors import ExitCode, UsageError
from bench.model.results import Run
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown
from bench.storage.run_folder import Destination, save_run


@click.command()
@click.argument("config")
@options.out
@options.resume
@options.on
@options.only
@options.blocks
@options.seed
@options.shape_script
@options.allow_remote
@click.option("--print-config", is_flag=True, help="Print the config of a script as YAML; measure nothing.")
@options.report
@options.full
@options.as_json
@options.quiet
def run(  # noqa: PLR0913  one argument an option
    *,
    config: str,
    out: Path | None,
    resume: Path | None,
    on: str | None,
    only: str | None,
    blocks: int | None,
    seed: int | None,
    allow_remote: bool,
    print_config: bool,
    report: Path | None,
    full: bool,
    as_json: bool,
    quiet: bool,
    **shape: Any,
) -> int:
    """Measure every case of CONFIG, a file or a shipped name, and print the summary.

    CONFIG may also be a script of yours: my_download.py, my_download.py:function or
    my_package.module:function. Its function is measured beside sequential and threadpool_map with requests,
    and asyncio_gather with aiohttp. `new` writes a script to start from.
    """
    given = ScriptOptions(blocks=blocks, seed=seed, **shape)
    if print_config:
        return _print_config(config, given, only=only)
    experiment = load_target(config, given, only=only, allow_remote=allow_remote)
    command = CommandLine(
        "run",
        config,
        option_words(only=only, blocks=blocks, seed=seed, allow_remote=allow_remote, **shape),
        on=on or "",
    )
    cluster = None if on is None else plan_cluster_run(on, config, experiment, given, only)
    is_last = out is None and resume is None
    form = options.output_form(full=full, as_json=as_json)
    destination = Destination(out, resume)
    if report is not None:
        check_report_file(report, "--report", destination)
    present = partial(_store_and_print, is_last=is_last, form=form, report=report)
    return execute_run(experiment, present, command, destination, quiet=quiet, cluster=cluster)


def _print_config(config: str, given: ScriptOptions, *, only: str | None) -> int:
    """Print the config of a script, once it is known to be valid."""
    code = find_script(config)
    if code is None:
        raise UsageError("--print-config is for a script", hint="a config is in its own file")
    content = script_config(code, given, only=only)
    load_experiment(script_config_name(config), content)
    write_stdout(content)
    return ExitCode.OK


def _store_and_print(
    document: Run, folder: Path, *, is_last: bool, form: OutputForm, report: Path | None
) -> ExitCode:
    code = exit_code_of(document)
    with saved(partial(save_run, folder, document, to_markdown(document)), code) as is_saved:
        with optional_stdout():
            if form == "json":
                write_stdout(to_json(document))
            else:
                name = ("last" if is_last else str(folder)) if is_saved else None
                print_run(document, name, stdout_console(), full=form == "full")
        if report is not None:
            write_report([document], report)
    return code
