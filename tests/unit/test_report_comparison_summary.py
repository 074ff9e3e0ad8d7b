"""Tests of the summary of a comparison: the verdict first, and in words what was ruled out."""

from dataclasses import replace
from itertools import groupby

import pytest

from bench.model.cases import Case
from bench.model.trial_outcome import Outcome
from bench.report.comparison_summary import comparison_summary, describe_verdict
from bench.stats.intervals import Interval
from bench.stats.verdicts import Verdicts, run_verdicts
from tests.builders import case
from tests.comparisons import CANDIDATE, comparison_run
from tests.rendering import printed

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
SAME = case("sequential", workers=1)
FACTORS_BY_CASE = (POOL, LOOP, SAME)
FACTORS = {POOL.strategy: 1.08, LOOP.strategy: 0.9, SAME.strategy: 1.0}


def elapsed_s(of: Case, block: int) -> float | Outcome:
    """Let the pool become slower and the loop faster, with some drift."""
    return (0.2 + 0.0001 * block) * (FACTORS[of.strategy] if of.variant == CANDIDATE else 1)


@pytest.fixture(scope="module")
def verdicts() -> Verdicts:
    """Build a comparison of three cases: one slower, one faster, one the same."""
    return run_verdicts(comparison_run(SAME, LOOP, POOL, elapsed_s=elapsed_s))


def short(of: Case) -> str:
    """Return the id without the profile, which all cases share."""
    return of.id.rpartition("/")[0]


def summary(verdicts: Verdicts, width: int = 80) -> list[str]:
    """Print the summary, and return its lines without spaces at their ends."""
    text = printed(comparison_summary("ci", verdicts, "flagbench show ci --full"), width)
    return [line.rstrip() for line in text.splitlines()]


def test_verdict_comes_before_the_table(verdicts: Verdicts) -> None:
    lines = summary(verdicts, 120)
    assert lines[0] == "ci: worktree against main, profile 20ms"
    assert lines[2].startswith("worktree is slower than main in 1 of 3 metrics")
    assert "Every figure: flagbench show ci --full" in lines


def test_worst_metric_stands_first_and_what_was_ruled_out_in_words(verdicts: Verdicts) -> None:
    rows = [line for line in summary(verdicts, 120) if any(short(each) in line for each in FACTORS_BY_CASE)][
        -3:
    ]
    assert [(row.split()[0], row.rsplit("  ", 1)[-1]) for row in rows] == [
        (short(POOL), "slower by at least 8.0%"),
        (short(LOOP), "faster by at least 10%"),
        (short(SAME), "equivalent within 0.00%"),
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_summary_fits_the_terminal(verdicts: Verdicts, width: int) -> None:
    lines = summary(verdicts, width)
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24


def test_base_and_candidate_leave_a_narrow_table_together_and_after_the_change(verdicts: Verdicts) -> None:
    kept = []
    for width in range(120, 40, -1):
        heading = next(line for line in summary(verdicts, width) if line.startswith("case"))
        kept.append([word for word in ("base", "candidate", "change") if word in heading.split()])
    assert [each for each, _ in groupby(kept)] == [["base", "candidate", "change"], ["base", "candidate"], []]


def test_undecided_metric_shows_what_is_still_possible(verdicts: Verdicts) -> None:
    open_ = replace(verdicts.metrics[0], verdict="inconclusive", ratio=Interval(1.02, 0.98, 1.07))
    assert describe_verdict(open_) == "inconclusive: −2.0% to +7.0%"
    assert describe_verdict(replace(open_, ratio=None)) == "inconclusive"


def test_many_metrics_are_cut_to_the_worst_and_counted(verdicts: Verdicts) -> None:
    many = replace(verdicts, metrics=verdicts.metrics * 10)
    lines = summary(many, 120)
    assert any(line.strip() == "… 16 more metrics" for line in lines)
    assert sum("slower by at least" in line for line in lines) == 10


def test_what_was_not_compared_is_said(verdicts: Verdicts) -> None:
    lines = summary(replace(verdicts, vanished=("gone/urllib3/1/20ms",), spoilt=2), 120)
    assert any("vanished: gone/urllib3/1/20ms" in line for line in lines)
    assert any("2 blocks left out" in line for line in lines)


def test_equivalent_metric_names_the_greatest_change_that_is_left(verdicts: Verdicts) -> None:
    equal = replace(verdicts.metrics[0], verdict="equivalent", ratio=Interval(1.0, 0.96, 1.02))
    assert describe_verdict(equal) == "equivalent within 4.0%"
    assert describe_verdict(replace(equal, ratio=Interval(0.97, 0.96, 0.99))) == "equivalent within 4.0%"


def test_undecided_metrics_take_one_line_for_each_reason(verdicts: Verdicts) -> None:
    spent = replace(verdicts.metrics[0], verdict="inconclusive", why="the budget was spent")
    lines = summary(replace(verdicts, metrics=(spent,) * 30), 120)
    assert [line for line in lines if line.startswith("?")] == [
        "? 30 metrics inconclusive: the budget was spent"
    ]
    assert len(lines) <= 24


def test_failures_are_marked_as_such(verdicts: Verdicts) -> None:
    _, table = comparison_summary("ci", replace(verdicts, unknown_base="there is no config"), "x")
    assert [each.kind for each in table.remarks if "are not known" in each.text] == ["failure"]


def test_profile_stays_in_the_names_if_there_are_several(verdicts: Verdicts) -> None:
    first, *others = verdicts.metrics
    far = replace(first, case=first.case.replace("20ms", "300ms"))
    lines = summary(replace(verdicts, metrics=(far, *others)), 120)
    assert lines[0] == "ci: worktree against main"
    assert any("/300ms" in line for line in lines)
    assert any("/20ms" in line for line in lines)


def test_longest_names_and_bounds_fit_into_one_table_of_80_columns(verdicts: Verdicts) -> None:
    long = replace(
        verdicts.metrics[0],
        case="threadpool_as_completed/urllib3/100/20ms",
        verdict="inconclusive",
        ratio=Interval(1.01, 0.961, 1.093),
    )
    lines = summary(replace(verdicts, metrics=(long,)))
    assert sum(line.startswith("case") for line in lines) == 1
    assert any("inconclusive: −3.9% to +9.3%" in line for line in lines)
