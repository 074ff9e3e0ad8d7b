"""Whatever stands in the texts of a run, other tools read it as text, and as that of the same entry."""

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
from bench.report.export.registry import FORMATS
from bench.report.export.trial_rows import COLUMNS
from tests.builders import failed, run_of, trials
from tests.contests import CANDIDATE, contested
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
    """Build a case that says a text wherever it can."""
    return Case(text, text, 3, Profile(text, Fixed(0.02)), Selection(text, ("BR", "CN")), variant=text)


def run_with(texts: Sequence[str]) -> Run:
    """Build a run with a case for each text, one trial of which failed because of it."""
    cases = dict.fromkeys(map(case_of, texts))
    measured = {
        each: [*trials(each, [0.02, 0.03]), failed(each, 2, "error", each.strategy)] for each in cases
    }
    return replace(run_of(measured), name=texts[0], environment={"git": {"commit": texts[0], "dirty": False}})


def names_of(run: Run) -> list[str]:
    """Return what the entries are to be called, which is as different as the cases are."""
    names = [entry.name for entry in entries_of(run)]
    assert len(set(names)) == len(run.cases)
    assert all(name.isprintable() and name == name.strip() for name in names)
    return names


def read(form: str, run: Run) -> Any:
    """Write JSON, which a terminal shows, and read it."""
    written = export(form, run)
    assert written.isascii()
    assert written.replace("\n", "").isprintable()
    return json.loads(written)


def export(form: str, run: Run) -> str:
    """Write a run as text."""
    return str(FORMATS[form].write([run]))


@each_group
def test_json_formats(texts: Sequence[str]) -> None:
    """Every entry is there, under its name."""
    run = run_with(texts)
    names = names_of(run)
    assert [each["fullname"] for each in read("pytest-benchmark", run)["benchmarks"]] == names
    assert [each["command"] for each in read("hyperfine", run)["results"]] == names
    assert [each["name"] for each in read("github-action-benchmark", run)] == names
    jsonschema.validate(read("hyperfine", run), HYPERFINE)
    jsonschema.validate(read("github-action-benchmark", run), GITHUB_ACTION_BENCHMARK)


@each_group
def test_bencher(texts: Sequence[str]) -> None:
    """Names that Bencher takes are keys."""
    run = run_with([text for text in texts if len(text.encode("utf-8", "replace")) < 100])
    document = read("bencher", run)
    jsonschema.validate(document, BENCHER)
    assert list(document) == names_of(run)


@each_group
def test_pyperf(texts: Sequence[str]) -> None:
    """It loads them all, and takes no text for another's."""
    import pyperf

    run = run_with(texts)
    suite = pyperf.BenchmarkSuite.loads(export("pyperf", run))
    assert suite.get_benchmark_names() == names_of(run)
    assert all(each.get_values() == (0.02, 0.03) for each in suite)


@each_group
def test_junit(texts: Sequence[str]) -> None:
    """Names, reasons and groups are attributes, and nothing is markup."""
    run = run_with(texts)
    (suite,) = JUnitXml.fromstring(export("junit", run).encode())
    tests = list(suite)
    assert [test.name for test in tests] == names_of(run)
    for test, case in zip(tests, run.cases, strict=True):
        (problem,) = [each for each in test.result if type(each).__name__ == "Error"]
        assert problem.message == f"1 trial failed, the first in block 3: error: {printable(case.strategy)}"
        assert test.classname == printable(case.strategy)


@each_group
def test_junit_of_contests(texts: Sequence[str]) -> None:
    """Cases have the same texts there, but for halves of signs: an order cannot be drawn for those."""
    whole = [text for text in dict.fromkeys(texts) if text == text.encode(errors="replace").decode()]
    cases = [replace(case_of(text), variant="") for text in whole]
    run = contested(*cases, elapsed_s=lambda of, _: "crash" if of.variant == CANDIDATE else 0.02)
    (suite,) = JUnitXml.fromstring(export("junit", run).encode())
    groups = [printable(case.plain_id) for case in cases]
    assert [test.classname for test in suite] == [group for group in groups for _ in range(2)]
    assert (suite.errors, suite.skipped) == (len(groups), len(groups))


@each_group
def test_openmetrics(texts: Sequence[str]) -> None:
    """Its own parser and that of the older format find the same labels."""
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
def test_csv_of_trials(texts: Sequence[str]) -> None:
    """Cells are printable and begin like no formula."""
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
def test_otava(texts: Sequence[str]) -> None:
    """Its configuration names the columns of the table."""
    run = run_with(texts)
    header, row = csv.reader(io.StringIO(export("otava", run)))
    config = yaml.safe_load(export("otava-config", run))["tests"]["flagbench"]
    assert [metric["column"] for metric in config["metrics"].values()] == header[2:]
    assert len(header[2:]) == len(names_of(run))
    assert not any(cell.startswith(BEGINNINGS) for cell in (*header, *row))
    assert all(cell.isprintable() for cell in (*header, *row))


@each_group
def test_parquet(texts: Sequence[str]) -> None:
    """Texts are printable UTF-8."""
    run = run_with(texts)
    table = reader.read_table(BufferReader(FORMATS["parquet"].write([run])))
    assert table.column_names == list(COLUMNS)
    assert table.num_rows == 5 * len(run.cases)
    shown = dict.fromkeys(table.column("strategy").to_pylist())
    assert list(shown) == list(dict.fromkeys(printable(case.strategy) for case in run.cases))
