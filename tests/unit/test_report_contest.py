"""What is printed of a contest: a heading a case, a row a metric, and what it comes to."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from bench.model.cases import Case
from bench.model.comparison import Bound
from bench.model.json_codec import parse
from bench.model.results import Outcome, Run
from bench.report.comparison_table import bounds, change, comparison_conclusion, comparison_table
from bench.report.export.json import verdicts_to_json
from bench.report.table import print_table, table_to_markdown
from bench.stats.absolute_thresholds import BoundStatus, BoundVerdict
from bench.stats.intervals import Interval
from bench.stats.verdicts import Overall, Verdicts, comparison_verdicts, overall_verdict
from bench.storage.comparison import read_comparison
from tests.builders import case
from tests.contests import CANDIDATE, contest, contested

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
FACTORS = {POOL.strategy: 1.08, LOOP.strategy: 0.9}


def elapsed_s(of: Case, block: int) -> float | Outcome:
    """Let the pool become slower and the loop faster, with some noise of the block's own."""
    return (0.2 + 0.0001 * block) * (FACTORS[of.strategy] if of.variant == CANDIDATE else 1)


def found(run: Run) -> Verdicts:
    """Work out the verdicts of a stored contest."""
    kept = read_comparison(run)
    assert kept is not None
    return comparison_verdicts(kept, run.trials)


def test_the_sheet_has_a_row_for_each_metric() -> None:
    """With both medians, the change and its bounds."""
    sheet = comparison_table("x", found(contested(POOL, LOOP, elapsed_s=elapsed_s)))
    assert sheet.columns == ("", "main", "worktree", "change", "bounds", "blocks", "verdict")
    assert [section.heading for section in sheet.sections] == [POOL.id, LOOP.id]
    assert sheet.sections[0].rows == (
        ("  elapsed", "201 ms", "217 ms", "+8.0%", "+8.0% to +8.0%", "14", "slower"),
    )
    assert sheet.sections[1].rows[0][3:] == ("−10%", "−10% to −10%", "14", "faster")
    assert "| +8.0% |" in table_to_markdown(sheet)


def test_the_conclusion_names_what_moved_and_counts_the_rest() -> None:
    """Slower first."""
    verdicts = found(contested(POOL, LOOP, elapsed_s=elapsed_s))
    assert comparison_conclusion(verdicts) == (
        "worktree is slower than main in 1 of 2 metrics: elapsed of threadpool_map/requests/3/20ms +8.0%. "
        "worktree is faster than main in 1 of 2 metrics: elapsed of asyncio_gather/aiohttp/3/20ms −10%."
    )
    equal = found(contested(POOL, elapsed_s=lambda _, block: 0.2 + 0.0001 * block))
    assert comparison_conclusion(equal) == "1 of 1 metric within the margin."
    spent = found(contested(POOL, LOOP, elapsed_s=elapsed_s, terms=contest(POOL, LOOP, budget_s=3)))
    assert comparison_conclusion(spent) == "2 of 2 metrics undecided."
    assert f"? {POOL.id}: elapsed inconclusive: the budget was spent" in comparison_table("x", spent).remarks


def bound(verdict: BoundStatus) -> BoundVerdict:
    """Build what was found of a bound."""
    return BoundVerdict(LOOP.id, Bound("*", "p99", "<", 0.08), verdict, None, 8)


def crashing(of: Case, block: int) -> float | Outcome:
    """Let the candidate crash."""
    return "crash" if of.variant == CANDIDATE else elapsed_s(of, block)


def spoiling(of: Case, block: int) -> float | Outcome:
    """Let the machine spoil a block now and then."""
    return "invalid" if block in {2, 5} else elapsed_s(of, block)


@pytest.mark.parametrize(
    ("run", "ruling"),
    [
        (contested(POOL, LOOP, elapsed_s=elapsed_s), "regression"),
        (contested(LOOP, elapsed_s=elapsed_s), "passed"),
        (contested(LOOP, elapsed_s=spoiling), "passed"),
        (contested(LOOP, elapsed_s=crashing), "failed"),
        (contested(LOOP, elapsed_s=lambda *_: "invalid"), "inconclusive"),
        (contested(LOOP, elapsed_s=elapsed_s, terms=contest(LOOP, budget_s=3)), "inconclusive"),
    ],
)
def test_what_a_contest_comes_to_is_one_word(run: Run, ruling: Overall) -> None:
    """And what is proven comes before what is not known."""
    verdicts = found(run)
    assert overall_verdict(verdicts) == ruling
    assert parse(verdicts_to_json(run.name, verdicts, (), ruling))["ruling"] == ruling
    assert overall_verdict(verdicts, misses=True) == "regression"
    assert overall_verdict(verdicts, [bound("broken")]) == "regression"


def test_open_bounds_and_an_early_end_keep_a_contest_from_passing() -> None:
    """Nobody knows what would have come."""
    verdicts = found(contested(LOOP, elapsed_s=elapsed_s))
    assert overall_verdict(verdicts, [bound("kept")]) == "passed"
    assert overall_verdict(verdicts, [bound("kept"), bound("open")]) == "inconclusive"
    assert overall_verdict(replace(verdicts, is_complete=False)) == "inconclusive"


def test_blocks_that_the_machine_spoilt_are_counted() -> None:
    """They are left out of the verdicts, and made up for."""
    verdicts = found(contested(LOOP, elapsed_s=spoiling))
    assert verdicts.spoilt == 2
    assert verdicts.metrics[0].blocks == 14
    assert "2 blocks left out: the machine had spoilt them." in comparison_table("x", verdicts).remarks


def test_changes_are_written_with_their_signs() -> None:
    """With the sign of a minus; without bounds there is a dash."""
    assert [change(each) for each in (1.05, 0.95, 1.0, 1.004, 2.5)] == [
        "+5.0%",
        "−5.0%",
        "+0.00%",
        "+0.40%",
        "+150%",
    ]
    assert bounds(Interval(1.0, 0.99, 1.02)) == "−1.0% to +2.0%"
    assert bounds(Interval(1.0, None, None)) == bounds(None) == "–"


def test_long_names_leave_room_for_the_figures() -> None:
    """The legend says which is which, and every row fits into 80 columns."""
    run = contested(POOL, elapsed_s=elapsed_s)
    kept = read_comparison(run)
    assert kept is not None
    long = replace(found(run), base="feature/slash+py3.13+httpx==0.27.2", candidate="worktree")
    sheet = comparison_table("x", long)
    assert sheet.columns[1:3] == ("base", "candidate")
    assert sheet.legend.startswith("base: feature/slash+py3.13+httpx==0.27.2; candidate: worktree; ")
    console = Console(width=80, record=True, file=StringIO())
    print_table(sheet, console)
    assert "…" not in console.export_text()
