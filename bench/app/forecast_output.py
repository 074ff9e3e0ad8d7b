"""Print what an experiment would run, and how long that would take. Used by `check` for a valid config."""

from bench.app.output import print_note, stdout_console
from bench.app.preflight import (
    blind_spots_note,
    check_import_path,
    check_resources,
    plan_pinning,
    resource_warnings,
)
from bench.model.cases import Experiment
from bench.model.flags import served_flags
from bench.report.terminal import print_tables
from bench.report.time_estimate import (
    expected_duration_line,
    forecast_table,
    target_table,
    target_work_line,
    time_limit_warnings,
)
from bench.runner.time_estimate import forecast_run
from bench.storage.run_folder import RUNS
from bench.system.machine import read_machine
from bench.system.noise_advice import quota_warning


def _print_target(experiment: Experiment) -> None:
    """Print the cases of a target; nothing is sent to it."""
    console = stdout_console()
    print_tables([target_table(experiment)], console)
    console.print(target_work_line(experiment), soft_wrap=True)
    for note in (*experiment.notes, *filter(None, [blind_spots_note()])):
        print_note(f"note: {note}")


def print_forecast(experiment: Experiment) -> None:
    """Print the cases of an experiment, their ideals, the expected duration, notes and warnings.

    Raises:
        SetupError: the machine lacks a resource that the experiment needs.
    """
    check_import_path()
    if experiment.target is not None:
        _print_target(experiment)
        return
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
