"""``show``: print a stored run."""

from pathlib import Path

import rich_click as click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
def show(*, run: Path, form: str) -> None:
    """Print a stored RUN: its folder, its name below results/runs, or `last`."""
    from bench.store.folder import load

    stored = load(run)
    if form == "table":
        from bench.commands.consoles import results
        from bench.report.table import print_run

        print_run(stored, results())
    else:
        from bench.commands.consoles import emit
        from bench.report.export.formats import FORMATS

        emit(FORMATS[form](stored))
