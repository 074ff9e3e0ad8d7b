"""A run against a target has no columns that rest on planned delays or a log, and says why."""

from dataclasses import replace

import pytest

from bench.model.cases import Case, Profile, Unknown
from bench.model.results import Run
from bench.report.export.csv import to_csv
from bench.report.html.page import render_page
from bench.report.markdown import tables_to_markdown
from bench.report.results_table import run_tables
from bench.report.scaling_table import scaling_tables
from bench.report.summary_table import summary_tables
from bench.report.target import target_lines
from bench.stats.comparability import incomparable_reasons
from bench.stats.ranking import rankings
from tests.builders import case, run_of, trials
from tests.open_loops import rated_run
from tests.rendering import printed

URL = "http://127.0.0.1:9000/files"
TARGET = {"url": URL, "rate": None, "compared_by": "content"}


def target_case(workers: int, client: str = "requests") -> Case:
    return replace(case(client=client, workers=workers), profile=Profile("target", Unknown(), server=URL))


def run_against_target(**target: object) -> Run:
    """Build a run of three numbers of workers, as the runner stores it without a log."""
    cases = [target_case(workers) for workers in (1, 2, 4)]
    measured = {}
    for each in cases:
        made = trials(each, [0.1 / each.workers * (1 + block / 100) for block in range(10)])
        bare = [
            replace(
                trial,
                rounds=tuple(
                    replace(round_, ideal_s=None, server=None, server_busy=None, phases=None, gap=None)
                    for round_ in trial.rounds
                ),
            )
            for trial in made
        ]
        measured[each] = bare
    run = run_of(measured)
    return replace(run, config={**run.config, "target": {**TARGET, **target}})


ABSENT = (
    *("of ideal", "in flight", "limit ", "conns", "server log"),
    *("late p50", "first byte", "held back", "busy"),
)


def test_tables_have_no_column_that_needs_a_log() -> None:
    run = run_against_target()
    full, markdown = printed(run_tables(run), 200), tables_to_markdown(run_tables(run))
    summary = printed(summary_tables(run, 100, ""), 100)
    for text in (full, markdown, summary):
        tables, found, reason = text.partition("Measured against")
        assert found
        assert "no planned delays and no log of flagbench's" in " ".join(reason.split())
        assert not [heading for heading in ABSENT if heading in tables]
        assert "ideal" not in tables
    assert "3 files" in summary
    assert f"server {URL}" in summary
    assert "of the ideal" not in summary


def test_scaling_has_no_ideal() -> None:
    text = printed(scaling_tables(run_against_target()), 120)
    assert "ideal" not in text
    assert "times faster" in text


def test_exports_leave_unknown_figures_empty() -> None:
    run = run_against_target()
    head, *rows = to_csv(run).splitlines()
    for row in rows:
        figures = dict(zip(head.split(","), row.split(","), strict=True))
        assert figures["efficiency"] == figures["max_in_flight"] == figures["limit"] == ""
        assert figures["server_requests"] == figures["gap_client_s"] == ""
        assert figures["median_elapsed_s"]


@pytest.mark.long
def test_page_has_no_ideal_and_no_breakdown() -> None:
    text = render_page([run_against_target()])
    assert "no planned delays and no log of flagbench" in text
    assert "Where the time goes" not in text
    assert "the ideal by the times that the server really took" not in text
    assert "dashed planned ideal" not in text


@pytest.mark.parametrize(
    ("target", "sentence"),
    [({"compared_by": "size"}, "not verified by content"), ({"rate": 50.0}, "No more than 50 requests")],
)
def test_output_says_what_limits_it(target: dict[str, object], sentence: str) -> None:
    assert any(sentence in line for line in target_lines(run_against_target(**target)))
    assert not any(sentence in line for line in target_lines(run_against_target()))
    assert list(target_lines(run_of({}))) == []


def test_limit_is_unknown_without_a_log() -> None:
    """Half of a core may be the client's, and the server the limit all the same."""
    (ranking,) = rankings(run_against_target())
    assert {row.costs.limit for row in ranking.rows if row.costs} == {None}


def test_target_and_flag_server_cannot_be_compared() -> None:
    mine, own = run_against_target(), run_of({case(): trials(case(), [0.1])})
    other = run_against_target(url="http://127.0.0.1:9001")
    reason = "they were measured against different servers, one of them not flagbench's own"
    assert reason in list(incomparable_reasons(mine, own))
    assert reason in list(incomparable_reasons(mine, other))
    assert reason not in list(incomparable_reasons(mine, mine))


def test_open_loops_of_other_rates_are_not_compared() -> None:
    slow, quick = (rated_run({("asyncio_gather", 20): 900.0}, (rate,)) for rate in (50.0, 100.0))
    reason = "they have open loops of different rates"
    assert reason in list(incomparable_reasons(slow, quick))
    assert reason not in list(incomparable_reasons(slow, slow))
