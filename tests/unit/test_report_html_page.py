"""Tests of the page of a report as text; tests/e2e/test_report_page.py opens it in a browser."""

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from bench.model.results import Conditions, Run
from bench.report.comparison_table import comparison_conclusion
from bench.report.conclusion import conclusion, conclusion_sentences
from bench.report.html.page import render_page
from bench.report.html.registry import CHARTS
from bench.report.results_table import run_tables
from bench.stats.ranking import rankings
from bench.stats.verdicts import run_verdicts
from tests.axis_runs import counted_run, worked_run
from tests.builders import case, run_of, trials
from tests.report_runs import compared_run, full_run, run_named, small_run

RUNS: dict[str, list[Run]] = {
    "run": [full_run()],
    "comparison": [compared_run()],
    "two runs": [small_run(), small_run(1.2)],
    "downloads": [counted_run(fixed_s=0.5)],
    "work": [worked_run()],
}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: render_page(runs) for name, runs in RUNS.items()}


class Reader(HTMLParser):
    """Collects tags, ids, scripts and the cells of tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]


def rows_of(page: str) -> list[dict[str, Any]]:
    """Read the rows of all charts of a page."""
    packed = re.findall(r'<script type="application/zlib">(.*?)</script>', page)
    specs = [json.loads(zlib.decompress(base64.b64decode(each))) for each in packed]
    return [row for spec in specs for rows in spec["datasets"].values() for row in rows]


@pytest.mark.parametrize("name", RUNS)
def test_ids_are_unique_and_links_lead_somewhere(pages: dict[str, str], name: str) -> None:
    read = Reader(pages[name])
    assert [each for each, count in Counter(read.ids).items() if count > 1 or not each] == []
    targets = {value.removeprefix("#") for key, value in read.attributes if key == "href"}
    assert targets <= set(read.ids)
    described = {
        each
        for key, value in read.attributes
        if key in {"aria-labelledby", "aria-describedby"}
        for each in value.split()
    }
    assert described <= set(read.ids)


@pytest.mark.parametrize("name", RUNS)
def test_page_loads_nothing(pages: dict[str, str], name: str) -> None:
    read = Reader(pages[name])
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(read.tags)
    assert not {"src", "srcset", "action", "style", "onclick"} & {key for key, _ in read.attributes}


@pytest.mark.parametrize("name", RUNS)
def test_policy_allows_exactly_the_scripts_of_the_page(pages: dict[str, str], name: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', pages[name])
    assert policy is not None
    scripts = re.findall(r"<script>(.*?)</script>", pages[name], re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts]
    words = unescape(policy[1])
    assert "default-src 'none'; " in words
    allowed = " ".join(f"'sha256-{each}'" for each in digests)
    assert f"script-src {allowed}; " in words


def test_answer_is_the_conclusion_of_the_terminal(pages: dict[str, str]) -> None:
    (ranking,) = rankings(RUNS["run"][0])
    lead, *rest = conclusion_sentences(ranking)
    assert " ".join((lead, *rest)) == conclusion(ranking)
    assert f'<p class="lead">{lead}</p>' in unescape(pages["run"])
    verdicts = run_verdicts(RUNS["comparison"][0])
    answer = re.search(
        r'<p class="lead">(.*?)</p>\s*<p class="rest">(.*?)</p>', unescape(pages["comparison"])
    )
    assert answer is not None
    assert f"{answer[1]} {answer[2]}" == comparison_conclusion(verdicts)
    assert '<p class="verdict regression">regression</p>' in pages["comparison"]


def test_answer_of_several_numbers_of_downloads_is_where_one_overtakes_another(pages: dict[str, str]) -> None:
    page = unescape(pages["downloads"])
    (lead,) = re.findall(r'<p class="lead">(.*?)</p>', page)
    assert lead.startswith(
        "dask with http_client and 8 workers overtakes sequential with http_client between"
    )
    points = re.findall(r"<li>(.*?)</li>", page[page.index('<ul class="rest">') : page.index("<figure")])
    assert points[-3:] == [
        "With 20 downloads, threadpool_map with http_client and 20 workers was fastest at 30.2 ms.",
        "With 200 downloads, threadpool_map with http_client and 40 workers was fastest at 209 ms.",
        "With 2,000 downloads, threadpool_map with http_client and 40 workers was fastest at 2.01 s.",
    ]
    assert page.index('<figure id="downloads"') < page.index('<figure id="elapsed"')


def test_answer_of_several_amounts_of_work_is_where_one_overtakes_another(pages: dict[str, str]) -> None:
    page = unescape(pages["work"])
    (lead,) = re.findall(r'<p class="lead">(.*?)</p>', page)
    assert lead.startswith("processpool_map with http_client and 2 workers overtakes threadpool_map with")
    assert " between 5 and 20 × json, at about 12 (" in lead
    assert page.index('<figure id="work"') < page.index('<figure id="elapsed"')


def test_page_has_every_cell_of_every_table(pages: dict[str, str]) -> None:
    cells = Counter(unescape(each) for each in re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", pages["run"]))
    for table in run_tables(RUNS["run"][0]):
        for row in table.rows:
            for cell in row.cells:
                assert cells[cell.strip()] > 0


def test_charts_stand_in_the_order_of_the_registry(pages: dict[str, str]) -> None:
    for page in pages.values():
        shown = [each for each in Reader(page).ids if each in CHARTS]
        assert shown == [name for name in CHARTS if name in shown]
        assert len(shown) >= 6


def test_names_cannot_end_the_data_of_a_chart() -> None:
    page = render_page([run_named(["</script><script>alert(1)</script>", "<!--<script>", "&lt;b&gt;"])])
    assert Reader(page).tags.count("script") == Reader(render_page([run_named(["a", "b", "c"])])).tags.count(
        "script"
    )
    assert "<script>alert(1)" not in page
    assert "&amp;lt;b&amp;gt;" in page


def test_header_has_the_facts_of_each_run_and_why_they_must_not_be_compared(pages: dict[str, str]) -> None:
    facts = re.findall(r'<p class="facts">(.*?)</p>', unescape(pages["two runs"]))
    first, second = facts
    name = RUNS["two runs"][0].name
    assert first.startswith(f"run 1: {name} · 3 flags · server answers after 20 ms · 6 blocks")
    assert second.startswith(f"run 2: {name} (2) · 3 flags")
    (caution,) = cautions(pages["two runs"])
    assert caution.startswith(
        f"{name} (2) against {name}: a difference is no verdict; they were measured on "
    )
    assert pages["two runs"].index(caution) < pages["two runs"].index("<nav")
    assert cautions(pages["run"]) == cautions(pages["comparison"]) == []


def cautions(page: str) -> list[str]:
    """Read the sentences at the top of a page and beside its answer."""
    return re.findall(r'<p class="caution[^"]*">(.*?)</p>', unescape(page))


def test_busy_machine_is_named_once_beside_the_answer() -> None:
    busy = Conditions(strangers=1.5, stolen=0.0)
    run = small_run()
    run = replace(run, trials=tuple(replace(each, conditions=busy) for each in run.trials))
    page = render_page([run])
    (caution,) = cautions(page)
    assert caution.startswith("Busy machine: other processes used 1.5 cores")
    summary = page[page.index('id="summary"') : page.index("</section>", page.index('id="summary"'))]
    assert "Busy machine" not in summary


def test_damaged_spans_of_a_trial_leave_a_note_on_the_page() -> None:
    run = small_run()
    first, *rest = run.trials
    page = render_page([replace(run, trials=(replace(first, spans="AAAA"), *rest))])
    assert '<section id="requests"' in page
    assert "The requests of a trial cannot be drawn: " in page
    assert 'href="#requests"' in page


def test_tall_charts_may_break_over_pages() -> None:
    cases = [case(f"strategy_{place}", workers=place % 4 + 1) for place in range(40)]
    page = render_page([run_of({each: trials(each, [0.03, 0.031]) for each in cases})])
    assert '<figure id="elapsed" data-chart aria-busy="true" class="tall">' in page
    assert '<figure id="distribution" data-chart aria-busy="true">' in page


def test_two_runs_have_ratios_without_verdicts_and_the_reasons(pages: dict[str, str]) -> None:
    page = unescape(pages["two runs"])
    assert "+20%" in page
    assert "No verdicts: " in page


def test_thresholds_of_a_comparison_are_shown_with_their_values(pages: dict[str, str]) -> None:
    assert "elapsed < 20 ms is broken: " in unescape(pages["comparison"])
    assert "elapsed < 20 ms" in {row.get("bound") for row in rows_of(pages["comparison"])}


def test_discarded_trial_is_listed_with_its_reason(pages: dict[str, str]) -> None:
    assert "the machine slept for 2 s" in pages["run"]
    assert 'id="discarded-trials"' in pages["run"]


@pytest.mark.parametrize("name", RUNS)
def test_page_is_smaller_than_two_megabytes(pages: dict[str, str], name: str) -> None:
    assert len(pages[name].encode()) < 2_000_000


def test_runs_without_a_case_in_common_are_said_to_have_none() -> None:
    one, other = case(), case("asyncio_gather", "aiohttp")
    runs = [run_of({each: trials(each, [0.03] * 6)}, each.strategy) for each in (one, other)]
    page = render_page(runs)
    assert "No case was timed in both." in page
    assert f"vanished: {one.plain_id}" in page
