"""Tests of the tables and sentences about runs of open loops, at one rate and at several."""

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bench.model.comparison import Bound
from bench.report.conclusion import conclusion
from bench.report.export.case_rows import case_figures, case_rows
from bench.report.rates_conclusion import rates_conclusion
from bench.report.rates_table import write_highest
from bench.report.results_table import run_tables
from bench.report.summary_table import summary_tables
from bench.stats.offered_rates import HighestRate, summarize_rates
from bench.stats.ranking import rankings
from tests.builders import failed
from tests.open_loops import rated, rated_run
from tests.rendering import printed

RATES = (50.0, 100.0, 200.0)
CAPACITIES = {("sequential", 1): 40.0, ("threadpool_map", 5): 120.0, ("asyncio_gather", 20): 900.0}
BOUND = Bound("*", "p99", "<", 0.1)


def sentences(**changes: object) -> str:
    """Return the conclusion of a run at three rates."""
    wanted: dict[str, object] = {"capacities": CAPACITIES, "rates": RATES, **changes}
    run = rated_run(**wanted)  # type: ignore[arg-type]
    (rates,) = summarize_rates(run, rankings(run))
    return " ".join(rates_conclusion(rates))


@pytest.mark.parametrize("width", [80, 160])
def test_summary_of_several_rates_matches_its_snapshot(width: int, snapshot: SnapshotAssertion) -> None:
    run = rated_run(CAPACITIES, RATES, bounds=[BOUND])
    crashed = rated("sequential", 1, 200.0)
    kept = tuple(trial for trial in run.trials if trial.case != crashed.id)
    run = replace(run, trials=(*kept, *(failed(crashed, block, "crash", "killed") for block in range(3))))
    assert printed(summary_tables(run, width, "show x --full"), width) == snapshot


@pytest.mark.parametrize("width", [80, 160])
def test_summary_of_one_rate_matches_its_snapshot(width: int, snapshot: SnapshotAssertion) -> None:
    run = rated_run(CAPACITIES, (100.0,))
    assert printed(summary_tables(run, width, "show x --full"), width) == snapshot


def test_full_table_of_one_rate_matches_its_snapshot(snapshot: SnapshotAssertion) -> None:
    results = next(run_tables(rated_run(CAPACITIES, (100.0,))))
    assert printed([results], 160) == snapshot


def test_table_by_rate_is_the_first_of_all_tables() -> None:
    first, *others = run_tables(rated_run(CAPACITIES, RATES))
    assert first.title == "p99 by rate, from when a fetch was due"
    assert first.columns[-1].heading == "highest\nkept"
    assert [each.title for each in others if "open loop" in each.title] == [
        f"example: 100 flags (pop20 repeat 5), profile 20ms, open loop at {rate}/s" for rate in (50, 100, 200)
    ]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (HighestRate(200, None, is_last=True), "≥ 200/s"),
        (HighestRate(100, None, is_last=False), "100/s"),
        (HighestRate(0.5, 50, is_last=False), "0.5/s ?"),
        (HighestRate(None, 50, is_last=False), "?"),
        (HighestRate(None, None, is_last=False), "none"),
    ],
)
def test_highest_rate_is_written_as_a_limit_or_with_doubt(found: HighestRate, text: str) -> None:
    assert write_highest(found) == text


def test_conclusion_names_the_case_with_the_highest_rate_and_the_bound() -> None:
    assert sentences(bounds=[BOUND]) == (
        "With p99 < 100 ms, asyncio_gather with aiohttp and 20 workers keeps at least 200/s, the highest "
        "rate measured."
    )
    assert sentences(capacities={("threadpool_map", 5): 120.0, ("threadpool_map", 6): 130.0}) == (
        "Without being saturated, threadpool_map with urllib3 and 5 workers keeps 100/s; so does 1 other "
        "case."
    )


def test_conclusion_says_that_no_case_keeps_the_lowest_rate() -> None:
    slow = {("sequential", 1): 40.0}
    assert sentences(capacities=slow) == "Without being saturated, no case keeps even the lowest rate, 50/s."


def test_conclusion_says_what_cannot_be_told() -> None:
    assert sentences(capacities={("threadpool_map", 5): 120.0}, blocks=3) == (
        "Without being saturated, no case is shown to keep even the lowest rate, 50/s. "
        "It cannot be told, with these blocks, for threadpool_map with urllib3 and 5 workers at 50/s."
    )


def test_conclusion_of_one_rate_names_the_lowest_p99_and_no_fastest_case() -> None:
    (ranking,) = rankings(rated_run(CAPACITIES, (100.0,)))
    assert conclusion(ranking) == (
        "At 100/s threadpool_map with urllib3 and 5 workers had the lowest p99: 20 ms from when a fetch was "
        "due; the interval of 1 other case overlaps with its own. 1 case of 3 is saturated."
    )
    (ranking,) = rankings(rated_run(CAPACITIES, (1_000.0,)))
    assert conclusion(ranking) == (
        "At 1000/s every case is saturated: fetches become due faster than any of them begins them."
    )


def test_exports_have_the_figures_of_an_open_loop() -> None:
    first = next(case_rows(rated_run({("sequential", 1): 50.0}, (100.0,))))
    figures = case_figures(first)
    assert (figures["rate"], figures["saturation"], figures["max_backlog"]) == (100.0, "saturated", 50)
    assert figures["rate_reached"] == pytest.approx(50, rel=0.02)
    assert figures["waiting_at_end"] == pytest.approx(0.49, abs=0.02)
    assert figures["due_p99_s"] == pytest.approx(0.98, rel=0.05)
