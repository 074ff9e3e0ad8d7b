"""The docs agree with the program, and their links lead somewhere."""

from pathlib import Path
from typing import Final

import pytest

from bench.app.select import load_experiment
from bench.config.catalog import find_clients
from bench.config.json_schema import schema
from bench.report.fault_table import fault_table
from bench.report.markdown import tables_to_markdown
from docs.pages.config_reference import BEGIN, END, config_reference
from tests.readme import fences, heading_anchors, inline_code, link_targets

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
README: Final = (ROOT / "README.md").read_text("utf-8")
PAGES: Final = [*ROOT.glob("*.md"), *DOCS.glob("*.md"), ROOT / "results" / "README.md"]


def test_the_table_of_faults_is_the_one_that_is_printed() -> None:
    """`flagbench list faults --format markdown` writes what stands between the marks."""
    text = (DOCS / "faults.md").read_text("utf-8")
    _, _, rest = text.partition("<!-- list faults -->\n")
    table, mark, _ = rest.partition("<!-- end -->\n")
    assert mark
    assert table == tables_to_markdown([fault_table(find_clients().values())])


def test_the_keys_of_a_config_are_those_of_the_schema() -> None:
    """`python -m docs.pages write` writes what stands between the marks."""
    _, _, rest = (DOCS / "config.md").read_text("utf-8").partition(BEGIN)
    tables, mark, _ = rest.partition(END)
    assert mark
    assert tables == config_reference(schema())


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_the_readme_begins_with_the_question_and_a_picture_of_the_answer() -> None:
    assert README.splitlines()[2].endswith("?*")
    assert link_targets(README)[0] == "docs/pictures/run.svg"


def test_every_command_of_the_readme_is_in_a_block_that_is_run() -> None:
    """tests/e2e/test_readme.py types the lines of its blocks."""
    commands = [code for code in inline_code(README) if code.startswith(("python ", "flagbench ", "make "))]
    assert set(commands) <= {"make run"}
    assert not fences(README, "")


def test_the_strategy_of_the_readme_is_a_shipped_one() -> None:
    (strategy,) = fences(README, "python")
    shipped = (ROOT / "strategies" / "threadpool_map.py").read_text("utf-8")
    assert strategy.partition("def ")[2] in shipped


def test_the_config_of_the_readme_is_valid(tmp_path: Path) -> None:
    (text,) = fences(README, "yaml")
    config = tmp_path / "mine.yaml"
    config.write_text(text, "utf-8")
    assert len(load_experiment(str(config)).cases) == 11


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in link_targets(page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in heading_anchors(target.read_text("utf-8")), link


def test_every_page_of_the_docs_is_linked_from_the_readme() -> None:
    linked = {(ROOT / link).resolve() for link in link_targets(README) if "://" not in link}
    assert set(DOCS.glob("*.md")) <= linked
