"""View of a run: its summary, or every table."""

from rich.console import Console

from bench.app.run_output import print_run
from bench.app.views import ViewOptions
from bench.model.results import Run


def print_view(stored: Run, options: ViewOptions, console: Console) -> None:
    """Print a run."""
    print_run(stored, options.name, console, full=options.full)
