"""What the docs say is what the program says."""

from pathlib import Path

from bench.config.catalog import find_clients
from bench.report.fault_table import fault_table
from bench.report.markdown import tables_to_markdown

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_of_faults_is_the_one_that_is_printed() -> None:
    """`flagbench list faults --format markdown` writes what stands between the marks."""
    text = (DOCS / "faults.md").read_text("utf-8")
    _, _, rest = text.partition("<!-- list faults -->\n")
    table, mark, _ = rest.partition("<!-- end -->\n")
    assert mark
    assert table == tables_to_markdown([fault_table(find_clients().values())])
