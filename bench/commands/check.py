"""``check``: validate a config, and print what it would run."""

from typing import Any

import click

from bench.app.output import print_note, stdout_console
from bench.app.preflight import (
    blind_spots_note,
    check_import_path,
    check_resources,
    plan_pinning,
    resource_warnings,
)
from bench.app.select import load_target
from bench.commands import options
from bench.config.script_config import ScriptOptions
from bench.model.flags import served_flags
from bench.report.terminal import print_tables
from bench.report.time_estimate import expected_duration_line, forecast_table, time_limit_warnings
from bench.runner.time_estimate import forecast_run
from bench.storage.run_folder import RUNS
from bench.system.machine import read_machine
from bench.system.noise_advice import quota_warning


@click.command()
@click.argument("config")
@options.shape_script
def check(*, config: str, **shape: Any) -> None:
    """Validate CONFIG; print its cases, their ideals and the expected duration.

    CONFIG may be a script of yours, as for `run`. Strategies of your own are read, and not run.
    """
    experiment = load_target(config, ScriptOptions(**shape))
    check_import_path()
    flags = served_flags(experiment.flags_dir)
    limits = check_resources(experiment, flags, RUNS)
    forecasts = forecast_run(experiment, flags, plan_pinning(experiment), print_note, shipped_only=True)
    console = stdout_console()
    print_tables([forecast_table(forecasts, experiment)], console)
    console.print(expected_duration_line(forecasts, experiment), soft_wrap=True)
    for note in (*experiment.notes, *filter(None, [blind_spots_note()])):
        print_note(f"note: {note}")
    quota = quota_warning(read_machine())
    for warning in (
        *(() if quota is None else (quota,)),
        *resource_warnings(forecasts, limits),
        *time_limit_warnings(forecasts, experiment),
    ):
        print_note(f"warning: {warning}")
