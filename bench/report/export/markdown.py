"""Export the tables of a run as GitHub-flavoured Markdown."""

from bench.model.results import Run
from bench.model.stored_comparison import read_comparison
from bench.report.comparison_table import comparison_table, variant_lines
from bench.report.markdown import tables_to_markdown
from bench.report.results_table import run_tables
from bench.stats.verdicts import run_verdicts


def to_markdown(run: Run) -> str:
    """Write the tables of a run; if it is a comparison, the table of its verdicts."""
    if read_comparison(run) is None:
        return tables_to_markdown(run_tables(run))
    return tables_to_markdown([comparison_table(run.name, run_verdicts(run), variant_lines(run))])
