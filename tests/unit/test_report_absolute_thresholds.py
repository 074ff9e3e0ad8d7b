"""Tests of bounds in the reports of a comparison, and in its exit code."""

import json
from dataclasses import replace

import pytest

from bench.errors import EXIT_CODE_OF_VERDICT, UnreadableResultError, UsageError
from bench.model.comparison import Bound
from bench.model.results import Run
from bench.model.stored_comparison import read_comparison
from bench.report.absolute_thresholds import bound_lines, count_bounds
from bench.report.comparison_table import comparison_conclusion, comparison_table
from bench.report.export.verdicts_json import verdicts_to_json
from bench.report.table import Remark
from bench.stats.absolute_thresholds import BoundVerdict
from bench.stats.intervals import Interval
from bench.stats.verdicts import overall_verdict, run_verdicts
from bench.storage.run_json import run_from_json, run_to_json
from tests.builders import case, run_of
from tests.comparisons import comparison_run, new_comparison

POOL = case()


def _run(*bounds: Bound) -> Run:
    """Compare equal variants, each of which takes from 99 to 101 ms."""
    comparison = replace(new_comparison(POOL), bounds=bounds, repeats={POOL.id: 1})
    return comparison_run(
        POOL, elapsed_s=lambda _, block: 0.1 + (block % 3 - 1) / 1000, comparison=comparison
    )


def _elapsed(value: float) -> Bound:
    return Bound("*", "elapsed", "<", value)


@pytest.mark.parametrize(
    ("value", "ruling", "code"), [(0.2, "passed", 0), (0.05, "regression", 1), (0.1, "inconclusive", 8)]
)
def test_bound_decides_if_all_metrics_are_equivalent(value: float, ruling: str, code: int) -> None:
    """A broken bound is a regression, and with an open one the run does not pass."""
    run = _run(_elapsed(value))
    verdicts = run_verdicts(run)
    assert {each.verdict for each in verdicts.metrics} == {"equivalent"}
    found = overall_verdict(verdicts)
    assert (found, EXIT_CODE_OF_VERDICT[found]) == (ruling, code)
    assert overall_verdict(replace(verdicts, bounds=())) == "passed"


def test_bounds_are_stored_with_the_run() -> None:
    run = _run(_elapsed(0.05), Bound("*", "errors", "==", 0))
    stored = run_from_json(json.loads(json.dumps(run_to_json(run))))
    assert [each.verdict for each in run_verdicts(stored).bounds] == ["broken", "kept"]
    assert run_verdicts(stored) == run_verdicts(run)


def test_plain_run_has_the_bounds_of_the_given_comparison() -> None:
    with pytest.raises(UsageError, match="compares no two variants"):
        run_verdicts(run_of({POOL: []}))
    comparison = replace(new_comparison(POOL), bounds=(_elapsed(0.05),))
    assert [each.verdict for each in run_verdicts(run_of({POOL: []}), comparison).bounds] == ["open"]


def test_stored_bound_of_an_unknown_figure_is_refused() -> None:
    run = _run(_elapsed(0.05))
    (kept,) = json.loads(json.dumps(run_to_json(run)))["config"]["contest"]["bounds"]
    odd = {**run.config["contest"], "bounds": [{**kept, "figure": "\x1b[2J"}]}  # type: ignore[dict-item]
    with pytest.raises(UnreadableResultError, match="figure"):
        read_comparison(replace(run, config={**run.config, "contest": odd}))


def test_broken_and_open_bounds_are_named_with_their_figures() -> None:
    """Broken ones first, and all kept ones in one line."""
    bounds = (
        BoundVerdict("a", Bound("*", "efficiency", ">", 0.7), "kept", Interval(0.81, 0.8, 0.82), 14),
        BoundVerdict("a", Bound("*", "p99", "<", 0.08), "open", Interval(0.079, 0.075, 0.085), 14),
        BoundVerdict("a\x1b[2J", Bound("*", "memory", "<=", 80 * 2**20), "broken", _mib(91, 88, 95), 14),
        BoundVerdict("b", Bound("*", "elapsed", "<", 1.5), "open", Interval(1.0, None, None), 5),
        BoundVerdict("b", Bound("*", "cpu", "<", 0.2), "open", None, 0, 6),
        BoundVerdict("b", Bound("*", "cpu", "<", 0.3), "broken", Interval(0.4, 0.35, 0.45), 8, 6),
        BoundVerdict("b", Bound("*", "p99", "<", 0.3), "broken", Interval(0.4, 0.35, 0.45), 8, 6),
        BoundVerdict("b", Bound("*", "errors", "==", 0), "broken", Interval(2, 0, 2), 1),
    )
    assert [*bound_lines(bounds)] == [
        "! a\ufffd[2J: memory <= 80.0 MiB is broken: 91.0 MiB, 88.0 MiB to 95.0 MiB, in 14 blocks",
        (
            "! b: cpu < 300 ms is broken: 400 ms, 350 ms to 450 ms, in 8 blocks; "
            "each round was as long as 6 of the config's"
        ),
        "! b: p99 < 300 ms is broken: 400 ms, 350 ms to 450 ms, in 8 blocks",
        "! b: errors == 0 is broken: up to 2 in a round, in 1 block",
        "? a: p99 < 80 ms is open: 79 ms, 75 ms to 85 ms, in 14 blocks",
        "? b: elapsed < 1.5 s is open: 1 s; 5 blocks are too few for an interval",
        "? b: cpu < 200 ms is open: it was not measured",
        "kept: efficiency > 70% by a",
    ]
    assert count_bounds(bounds) == "Of 8 bounds 4 broken, 3 open and 1 kept."


def test_table_names_bounds_before_the_conclusion() -> None:
    run = _run(_elapsed(0.05))
    verdicts = run_verdicts(run)
    remarks = [each.text for each in comparison_table("x", verdicts, ("note",)).remarks]
    assert remarks[0] == "note"
    assert remarks[-2].startswith(f"! {POOL.id}: elapsed < 50 ms is broken: 100 ms")
    assert remarks[-1] == comparison_conclusion(verdicts)
    assert remarks[-1].endswith("within the margin. Of 1 bound 1 broken.")
    without = replace(verdicts, bounds=())
    assert comparison_table("x", without).remarks == (Remark(comparison_conclusion(without)),)
    assert "bound" not in comparison_conclusion(without)


def test_bounds_are_in_the_json_of_verdicts() -> None:
    run = _run(_elapsed(0.05))
    verdicts = run_verdicts(run)
    document = json.loads(verdicts_to_json(run.name, verdicts, "regression"))
    assert document["ruling"] == "regression"
    (bound,) = document["bounds"]
    assert bound["case"] == POOL.id
    assert bound["bound"] == {"pattern": "*", "figure": "elapsed", "relation": "<", "value": 0.05}
    assert bound["verdict"] == "broken"
    assert bound["found"]["low"] <= bound["found"]["estimate"] <= bound["found"]["high"]
    assert json.loads(verdicts_to_json(run.name, replace(verdicts, bounds=()), "passed"))["bounds"] == []


def _mib(*of: int) -> Interval:
    estimate, low, high = (each * 2**20 for each in of)
    return Interval(estimate, low, high)
