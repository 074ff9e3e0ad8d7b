"""View of a comparison: its verdicts."""

from rich.console import Console

from bench.app.output import how_to_show
from bench.app.verdict_output import print_comparison
from bench.app.views import ViewOptions
from bench.model.results import Run
from bench.report.comparison_table import variant_lines
from bench.stats.verdicts import run_verdicts


def print_view(stored: Run, options: ViewOptions, console: Console) -> None:
    """Print the verdicts of a comparison."""
    details = None if options.full else how_to_show(options.name)
    print_comparison(
        stored.name, run_verdicts(stored), tuple(variant_lines(stored)), console, details=details
    )
