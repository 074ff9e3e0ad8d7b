"""``check``: validate a config and show what it would run."""

import rich_click as click

from bench.app.output import stderr_console, stdout_console
from bench.app.preflight import check_resources, resource_warnings
from bench.app.select import load_experiment
from bench.report.time_estimate import print_forecast
from bench.runner.time_estimate import forecast_run


@click.command()
@click.argument("config")
def check(*, config: str) -> None:
    """Validate CONFIG; print its cases, their ideals and the expected duration."""
    experiment = load_experiment(config)
    limits = check_resources(experiment, out=None)
    outlooks = forecast_run(experiment)
    print_forecast(outlooks, experiment, stdout_console())
    for note in experiment.notes:
        stderr_console().print(f"note: {note}", soft_wrap=True)
    for warning in resource_warnings(experiment, outlooks, limits):
        stderr_console().print(f"warning: {warning}", soft_wrap=True)
