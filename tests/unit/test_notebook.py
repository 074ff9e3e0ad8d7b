"""Tests of ``bench.load_run``: what it finds, offers and shows."""

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any, Final, assert_type

import pandas as pd
import polars as pl
import pytest

import bench
from bench.errors import UnreadableResultError, UsageError
from bench.notebook import RunResults
from bench.report.comparison_summary import comparison_summary
from bench.report.comparison_table import variant_lines
from bench.report.export.data_frame import to_frame
from bench.report.html.fragment import tables_to_html
from bench.report.summary_table import summary_tables
from bench.stats.noise import pair_with_itself
from bench.stats.ranking import rankings
from bench.stats.verdicts import run_verdicts
from bench.storage.run_folder import RUNS, load_run, save_run
from tests.builders import case, failed, run_of, trials

ROOT: Final = Path(__file__).parents[2]
FIXTURES: Final = ROOT / "tests" / "fixtures" / "contract" / "runs"
SMALL, SLOWER = FIXTURES / "small", FIXTURES / "slower"
QUICK, GONE = case(), case("asyncio_gather", "aiohttp", 5)
TIMES_S: Final = (0.031, 0.024, 0.025, 0.023, 0.027, 0.022, 0.026)


def results(factor: float = 1.0, name: str = "example") -> RunResults:
    """Build a run of a case that succeeded and one that did not."""
    gone = [failed(GONE, block, "error", "it raised") for block in range(7)]
    measured = {QUICK: trials(QUICK, [factor * value for value in TIMES_S]), GONE: gone}
    return RunResults(run_of(measured, name), name)


@pytest.mark.parametrize("address", [SMALL, str(SMALL), SMALL / "run.json", "small", "last"])
def test_a_run_is_found_as_by_the_command_line(
    address: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    RUNS.mkdir(parents=True)
    (RUNS / "small").symlink_to(SMALL)
    found = bench.load_run(address)
    assert found.run == load_run(SMALL)
    assert found.source == str(address)
    assert found.name == "small"


def test_a_missing_or_damaged_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="there is no run 'none'; stored runs: none yet"):
        bench.load_run("none")
    save_run(tmp_path, results().run, "")
    text = (tmp_path / "run.json").read_text("utf-8")
    (tmp_path / "run.json").write_text(text.replace("0.031", "0.013"), "utf-8")
    with pytest.raises(UnreadableResultError, match=r"run\.json"):
        bench.load_run(tmp_path)


def test_results_are_those_of_the_stored_run_and_frozen() -> None:
    found = results()
    assert found.cases == found.run.cases == (QUICK, GONE)
    assert found.trials == found.run.trials
    assert found.rankings == rankings(found.run)
    assert [each.case for each in found.summaries] == [QUICK, GONE]
    assert found.summaries[0].figures is not None
    assert found.summaries[0].figures.elapsed.estimate == pytest.approx(0.025)
    assert found.verdicts is None
    with pytest.raises(FrozenInstanceError):
        found.run = found.run  # type: ignore[misc]


def test_frames_are_typed_and_those_of_the_run() -> None:
    """The types, which mypy checks, depend on the backend."""
    found = bench.load_run(SMALL)
    assert_type(found, RunResults)
    frame = assert_type(found.frame(backend="polars"), pl.DataFrame)
    assert frame.equals(to_frame(found.run, "cases", "polars"))
    trials_frame = found.frame("trials", backend="polars")
    assert trials_frame.equals(to_frame(found.run, "trials", "polars"))
    assert isinstance(found.frame("trials"), pd.DataFrame)
    with pytest.raises(UsageError, match="small compares no two variants"):
        found.frame("verdicts")
    assert bench.load_run(SLOWER).frame("verdicts", backend="polars")["verdict"].to_list() == ["slower"]


def test_a_comparison_has_the_verdicts_of_the_command_line() -> None:
    found = bench.load_run(SLOWER)
    assert found.verdicts == run_verdicts(load_run(SLOWER))
    assert found.verdicts is not None
    assert [each.verdict for each in found.verdicts.metrics] == ["slower"]


def test_a_notebook_shows_the_compact_table() -> None:
    found = bench.load_run(SMALL)
    details = f"flagbench show {SMALL} --full"
    assert found._repr_html_() == tables_to_html(summary_tables(found.run, 80, details))
    assert "asyncio_gather" in found._repr_html_()


def test_a_notebook_shows_the_verdicts_of_a_comparison() -> None:
    found = bench.load_run(SLOWER)
    details = f"flagbench show {SLOWER} --full"
    tables = comparison_summary("slower", run_verdicts(found.run), details, tuple(variant_lines(found.run)))
    assert found._repr_html_() == tables_to_html(tables)
    assert "slower by at least" in found._repr_html_()


def test_a_console_shows_the_size_of_a_run() -> None:
    assert repr(results()) == "<RunResults example-20260102-030405: 2 cases, 7 blocks, complete>"
    partial = RunResults(replace(results().run, name="\x1b[2J", status="partial"), "x")
    assert repr(partial) == "<RunResults \N{REPLACEMENT CHARACTER}[2J: 2 cases, 7 blocks, partial>"


def test_two_runs_have_ratios_and_reasons_for_no_verdicts() -> None:
    ratios = results().compare(results(1.5, "later"))
    (only,) = ratios.cases
    assert only.second_s / only.first_s == pytest.approx(1.5)
    assert "they are of different sessions" in ratios.reasons
    shown = ratios._repr_html_()
    assert "+50%" in shown
    assert "No verdicts: " in shown


def test_run_with_variants_is_compared_with_no_other_run() -> None:
    """Neither a comparison nor a run of `noise`, which has two variants of each case and no verdicts."""
    both = pair_with_itself([QUICK])
    noise = RunResults(run_of({each: trials(each, TIMES_S) for each in both}), "noise")
    plain = results()
    for found in (bench.load_run(SLOWER), noise):
        for first, second in ((found, plain), (plain, found)):
            with pytest.raises(UsageError, match="has several variants; name a run without any"):
                first.compare(second)
    assert noise.verdicts is None
    assert "threadpool_map" in noise._repr_html_()


def test_importing_bench_imports_nothing_else() -> None:
    """Every worker and every command pays for it."""
    code = "import sys, typing; before = {*sys.modules}; import bench; print(*{*sys.modules} - before)"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    assert said.split() == ["bench"]


def test_loading_a_run_imports_no_optional_library() -> None:
    """Those are for data frames only; others are installed with flagbench."""
    code = (
        f"import sys, bench; run = bench.load_run({str(SMALL)!r}); run._repr_html_();"
        "import json; print(json.dumps(sorted(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    modules: list[Any] = json.loads(said)
    assert "bench.notebook" in modules
    assert not {"narwhals", "pandas", "polars", "altair", "jinja2", "pydantic"} & {*modules}
