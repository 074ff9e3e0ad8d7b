"""``check``: validate a config and show what it would run."""

import rich_click as click

from bench.app.output import remarks, results
from bench.app.preflight import read_limits_for, remarks_on, shortages_of
from bench.app.select import load_experiment
from bench.report.time_estimate import print_outlook
from bench.runner.resource_check import require_resources
from bench.runner.time_estimate import forecast_run


@click.command()
@click.argument("config")
def check(*, config: str) -> None:
    """Validate CONFIG; print its cases, their ideals and the expected duration."""
    experiment = load_experiment(config)
    limits = read_limits_for(None)
    require_resources(shortages_of(experiment, limits))
    outlooks = forecast_run(experiment)
    print_outlook(outlooks, experiment, results())
    for note in experiment.notes:
        remarks().print(f"note: {note}", soft_wrap=True)
    for warning in remarks_on(experiment, outlooks, limits):
        remarks().print(f"warning: {warning}", soft_wrap=True)
