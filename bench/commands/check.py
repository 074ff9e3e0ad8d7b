"""``check``: validate a config and show what it would run."""

import rich_click as click

from bench.app.output import stderr_console, stdout_console
from bench.app.preflight import find_shortages, read_run_limits, resource_warnings
from bench.app.select import load_experiment
from bench.report.time_estimate import print_forecast
from bench.runner.resource_check import require_resources
from bench.runner.time_estimate import forecast_run


@click.command()
@click.argument("config")
def check(*, config: str) -> None:
    """Validate CONFIG; print its cases, their ideals and the expected duration."""
    experiment = load_experiment(config)
    limits = read_run_limits(None)
    require_resources(find_shortages(experiment, limits))
    outlooks = forecast_run(experiment)
    print_forecast(outlooks, experiment, stdout_console())
    for note in experiment.notes:
        stderr_console().print(f"note: {note}", soft_wrap=True)
    for warning in resource_warnings(experiment, outlooks, limits):
        stderr_console().print(f"warning: {warning}", soft_wrap=True)
