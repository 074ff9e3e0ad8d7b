"""``check``: validate a config and show what it would run."""

import rich_click as click


@click.command()
@click.argument("config")
def check(*, config: str) -> None:
    """Validate CONFIG and print its cases, the ideal of each, and how long it will take."""
    from bench.commands.choosing import load_experiment
    from bench.commands.consoles import remarks, results
    from bench.report.outlook import print_outlook
    from bench.runner.outlook import foresee

    experiment = load_experiment(config)
    print_outlook(foresee(experiment), experiment, results())
    for note in experiment.notes:
        remarks().print(f"note: {note}", soft_wrap=True)
