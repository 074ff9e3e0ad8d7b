"""Tests of the table of a comparison: a section for each case, a row for each metric, and the conclusion."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from bench.model.cases import Case
from bench.model.comparison import Bound
from bench.model.json_codec import parse
from bench.model.results import Run
from bench.model.trial_outcome import Outcome
from bench.report.comparison_table import comparison_conclusion, comparison_table
from bench.report.export.verdicts_json import verdicts_to_json
from bench.report.markdown import tables_to_markdown
from bench.report.table import Remark, Row
from bench.report.terminal import print_tables
from bench.stats.absolute_thresholds import BoundStatus, BoundVerdict
from bench.stats.verdicts import Overall, overall_verdict, run_verdicts
from tests.builders import case
from tests.comparisons import CANDIDATE, comparison_run, new_comparison

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
FACTORS = {POOL.strategy: 1.08, LOOP.strategy: 0.9}


def elapsed_s(of: Case, block: int) -> float | Outcome:
    """Let the pool become slower and the loop faster, with some drift."""
    return (0.2 + 0.0001 * block) * (FACTORS[of.strategy] if of.variant == CANDIDATE else 1)


def test_table_has_a_row_for_each_metric() -> None:
    table = comparison_table("x", run_verdicts(comparison_run(POOL, LOOP, elapsed_s=elapsed_s)))
    headings = [column.heading for column in table.columns]
    assert headings == ["", "main", "worktree", "change", "bounds", "blocks", "verdict"]
    assert [section.heading for section in table.sections] == [POOL.id, LOOP.id]
    assert table.sections[0].rows == (
        Row(("elapsed", "201 ms", "217 ms", "+8.0%", "+8.0% to +8.0%", "14", "slower")),
    )
    assert table.sections[1].rows[0].cells[3:] == ("−10%", "−10% to −10%", "14", "faster")
    assert "| +8.0% |" in tables_to_markdown([table])


def test_conclusion_names_the_metrics_that_moved_and_counts_the_others() -> None:
    verdicts = run_verdicts(comparison_run(POOL, LOOP, elapsed_s=elapsed_s))
    assert comparison_conclusion(verdicts) == (
        "worktree is slower than main in 1 of 2 metrics: elapsed of threadpool_map/requests/3/20ms +8.0%. "
        "worktree is faster than main in 1 of 2 metrics: elapsed of asyncio_gather/aiohttp/3/20ms −10%."
    )
    equal = run_verdicts(comparison_run(POOL, elapsed_s=lambda _, block: 0.2 + 0.0001 * block))
    assert comparison_conclusion(equal) == "1 of 1 metric within the margin."
    spent = run_verdicts(
        comparison_run(POOL, LOOP, elapsed_s=elapsed_s, comparison=new_comparison(POOL, LOOP, budget_s=3))
    )
    assert comparison_conclusion(spent) == "2 of 2 metrics inconclusive."
    undecided = Remark(f"? {POOL.id}: elapsed inconclusive: the budget was spent")
    assert undecided in comparison_table("x", spent).remarks


def bound(verdict: BoundStatus) -> BoundVerdict:
    """Build the verdict on a bound."""
    return BoundVerdict(LOOP.id, Bound("*", "p99", "<", 0.08), verdict, None, 8)


def crashing(of: Case, block: int) -> float | Outcome:
    """Let the candidate crash."""
    return "crash" if of.variant == CANDIDATE else elapsed_s(of, block)


def disturbing(of: Case, block: int) -> float | Outcome:
    """Disturb two blocks."""
    return "invalid" if block in {2, 5} else elapsed_s(of, block)


@pytest.mark.parametrize(
    ("run", "ruling"),
    [
        (comparison_run(POOL, LOOP, elapsed_s=elapsed_s), "regression"),
        (comparison_run(LOOP, elapsed_s=elapsed_s), "passed"),
        (comparison_run(LOOP, elapsed_s=disturbing), "passed"),
        (comparison_run(LOOP, elapsed_s=crashing), "failed"),
        (comparison_run(LOOP, elapsed_s=lambda *_: "invalid"), "inconclusive"),
        (
            comparison_run(LOOP, elapsed_s=elapsed_s, comparison=new_comparison(LOOP, budget_s=3)),
            "inconclusive",
        ),
    ],
)
def test_overall_verdict_puts_certain_findings_before_unknown_ones(run: Run, ruling: Overall) -> None:
    verdicts = run_verdicts(run)
    assert overall_verdict(verdicts) == ruling
    assert parse(verdicts_to_json(run.name, verdicts, ruling))["ruling"] == ruling
    assert overall_verdict(verdicts, misses=True) == "regression"
    assert overall_verdict(replace(verdicts, bounds=(bound("broken"),))) == "regression"


def test_open_bounds_or_an_early_end_make_a_comparison_inconclusive() -> None:
    verdicts = run_verdicts(comparison_run(LOOP, elapsed_s=elapsed_s))
    assert overall_verdict(replace(verdicts, bounds=(bound("kept"),))) == "passed"
    assert overall_verdict(replace(verdicts, bounds=(bound("kept"), bound("open")))) == "inconclusive"
    assert overall_verdict(replace(verdicts, is_complete=False)) == "inconclusive"


def test_disturbed_blocks_are_counted() -> None:
    """They are left out of the verdicts, and repeated."""
    verdicts = run_verdicts(comparison_run(LOOP, elapsed_s=disturbing))
    assert verdicts.spoilt == 2
    assert verdicts.metrics[0].blocks == 14
    remark = Remark("2 blocks left out, as their trials were disturbed.")
    assert remark in comparison_table("x", verdicts).remarks


def test_long_variant_names_go_into_the_legend() -> None:
    """Every row fits into 80 columns."""
    run = comparison_run(POOL, elapsed_s=elapsed_s)
    long = replace(run_verdicts(run), base="feature/slash+py3.13+httpx==0.27.2", candidate="worktree")
    table = comparison_table("x", long)
    assert [column.heading for column in table.columns[1:3]] == ["base", "candidate"]
    assert table.legend.startswith("base: feature/slash+py3.13+httpx==0.27.2; candidate: worktree; ")
    console = Console(width=80, record=True, file=StringIO())
    print_tables([table], console)
    assert "…" not in console.export_text()
