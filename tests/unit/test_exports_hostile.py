"""Tests that other tools read hostile texts of a run as text, and as that of the same case."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import jsonschema
import pytest
import yaml
from junitparser import JUnitXml
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as older_families
from pyarrow import BufferReader
from pyarrow import parquet as reader

from bench.model.cases import Case, Fixed, Profile, Selection
from bench.model.results import Run
from bench.model.text import printable
from bench.report.export.cases import entries_of
from bench.report.export.registry import export_runs
from bench.report.export.trial_rows import COLUMNS
from tests.builders import failed, run_of, trials
from tests.comparisons import CANDIDATE, comparison_run
from tests.foreign_formats import BENCHER, GITHUB_ACTION_BENCHMARK, HYPERFINE
from tests.hostile_strings import HOSTILE

GROUP: Final = 34
_TEXTS: Final = tuple(HOSTILE.values())
BEGINNINGS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

each_group = pytest.mark.parametrize(
    "texts",
    [
        pytest.param(_TEXTS[start : start + GROUP], id=f"{start} to {start + GROUP}")
        for start in range(0, len(_TEXTS), GROUP)
    ],
)


def case_of(text: str) -> Case:
    """Build a case with a text in all its fields."""
    return Case(text, text, 3, Profile(text, Fixed(0.02)), Selection(text, ("BR", "CN")), variant=text)


def run_with(texts: Sequence[str]) -> Run:
    """Build a run with a case for each text, one trial of which failed because of it."""
    cases = dict.fromkeys(map(case_of, texts))
    measured = {
        each: [*trials(each, [0.02, 0.03]), failed(each, 2, "error", each.strategy)] for each in cases
    }
    return replace(run_of(measured), name=texts[0], environment={"git": {"commit": texts[0], "dirty": False}})


def names_of(run: Run) -> list[str]:
    """Return the names of the entries, which are as different as the cases."""
    names = [entry.name for entry in entries_of(run)]
    assert len(set(names)) == len(run.cases)
    assert all(name.isprintable() and name == name.strip() for name in names)
    return names


def read(form: str, run: Run) -> Any:
    """Write JSON that a terminal can show, and read it."""
    written = export(form, run)
    assert written.isascii()
    assert written.replace("\n", "").isprintable()
    return json.loads(written)


def export(form: str, run: Run) -> str:
    """Write a run as text."""
    return str(export_runs([run], form))


@each_group
def test_json_formats_keep_hostile_names(texts: Sequence[str]) -> None:
    run = run_with(texts)
    names = names_of(run)
    assert [each["fullname"] for each in read("pytest-benchmark", run)["benchmarks"]] == names
    assert [each["command"] for each in read("hyperfine", run)["results"]] == names
    assert [each["name"] for each in read("github-action-benchmark", run)] == names
    jsonschema.validate(read("hyperfine", run), HYPERFINE)
    jsonschema.validate(read("github-action-benchmark", run), GITHUB_ACTION_BENCHMARK)


@each_group
def test_bencher_keeps_hostile_names(texts: Sequence[str]) -> None:
    run = run_with([text for text in texts if len(text.encode("utf-8", "replace")) < 100])
    document = read("bencher", run)
    jsonschema.validate(document, BENCHER)
    assert list(document) == names_of(run)


@each_group
def test_pyperf_loads_hostile_names(texts: Sequence[str]) -> None:
    import pyperf

    run = run_with(texts)
    suite = pyperf.BenchmarkSuite.loads(export("pyperf", run))
    assert suite.get_benchmark_names() == names_of(run)
    assert all(each.get_values() == (0.02, 0.03) for each in suite)


@each_group
def test_junit_has_hostile_names_reasons_and_groups_as_text(texts: Sequence[str]) -> None:
    run = run_with(texts)
    (suite,) = JUnitXml.fromstring(export("junit", run).encode())
    tests = list(suite)
    assert [test.name for test in tests] == names_of(run)
    for test, case in zip(tests, run.cases, strict=True):
        (problem,) = [each for each in test.result if type(each).__name__ == "Error"]
        assert problem.message == f"1 trial failed, the first in block 3: error: {printable(case.strategy)}"
        assert test.classname == printable(case.strategy)


@each_group
def test_junit_of_comparisons_has_hostile_groups_as_text(texts: Sequence[str]) -> None:
    """Without halves of surrogate pairs: an order cannot be drawn for those."""
    whole = [text for text in dict.fromkeys(texts) if text == text.encode(errors="replace").decode()]
    cases = [replace(case_of(text), variant="") for text in whole]
    run = comparison_run(*cases, elapsed_s=lambda of, _: "crash" if of.variant == CANDIDATE else 0.02)
    (suite,) = JUnitXml.fromstring(export("junit", run).encode())
    groups = [printable(case.plain_id) for case in cases]
    assert [test.classname for test in suite] == [group for group in groups for _ in range(2)]
    assert (suite.errors, suite.skipped) == (len(groups), len(groups))


@each_group
def test_openmetrics_parsers_find_hostile_labels(texts: Sequence[str]) -> None:
    run = run_with(texts)
    written = export("openmetrics", run)
    parsers: tuple[Callable[[str], Any], ...] = (text_string_to_metric_families, older_families)
    for parse in parsers:
        samples = {family.name: family.samples for family in parse(written)}
        elapsed = samples["flagbench_elapsed_seconds"]
        assert [sample.labels["case"] for sample in elapsed] == names_of(run)
        expected = [printable(case.strategy) for case in run.cases]
        assert [sample.labels["strategy"] for sample in elapsed] == expected
        assert {sample.value for sample in samples["flagbench_failed_trials"]} == {1.0}


@each_group
def test_csv_of_trials_has_printable_cells_and_no_formula(texts: Sequence[str]) -> None:
    run = run_with(texts)
    header, *rows = csv.reader(io.StringIO(export("trials-csv", run)))
    assert header == list(COLUMNS)
    assert len(rows) == 5 * len(run.cases)
    for row in rows:
        assert len(row) == len(header)
        for cell in row:
            assert cell.isprintable()
            assert not cell.startswith(BEGINNINGS) or cell.removeprefix("-").replace(".", "").isdigit()


@each_group
def test_otava_configuration_names_hostile_columns(texts: Sequence[str]) -> None:
    run = run_with(texts)
    header, row = csv.reader(io.StringIO(export("otava", run)))
    config = yaml.safe_load(export("otava-config", run))["tests"]["flagbench"]
    assert [metric["column"] for metric in config["metrics"].values()] == header[2:]
    assert len(header[2:]) == len(names_of(run))
    assert not any(cell.startswith(BEGINNINGS) for cell in (*header, *row))
    assert all(cell.isprintable() for cell in (*header, *row))


@each_group
def test_parquet_has_hostile_texts_as_printable_text(texts: Sequence[str]) -> None:
    run = run_with(texts)
    table = reader.read_table(BufferReader(export_runs([run], "parquet")))
    assert table.column_names == list(COLUMNS)
    assert table.num_rows == 5 * len(run.cases)
    shown = dict.fromkeys(table.column("strategy").to_pylist())
    assert list(shown) == list(dict.fromkeys(printable(case.strategy) for case in run.cases))
