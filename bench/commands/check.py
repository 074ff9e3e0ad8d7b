"""``check``: validate a config, and print what it would run."""

from typing import Any

import click

from bench.app.select import load_target
from bench.commands import options
from bench.config.script_config import ScriptOptions


@click.command()
@click.argument("config")
@options.shape_script
def check(*, config: str, **shape: Any) -> None:
    """Validate CONFIG; print its cases, their ideals and the expected duration.

    CONFIG may be a script of yours, as for `run`. Strategies of your own are read, and not run.
    """
    experiment = load_target(config, ScriptOptions(**shape), allow_remote=True)  # nothing is sent
    # late: it takes as long to import as all that finds the errors of a config, which an editor waits for
    from bench.app.forecast_output import print_forecast

    print_forecast(experiment)
