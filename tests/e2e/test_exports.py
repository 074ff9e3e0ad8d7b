"""Each export format is read by the tool it is made for, which must find the cases by name."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import jsonschema
import pytest
from junitparser import Failure, JUnitXml
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pyarrow import parquet

from bench.model.cases import Case
from bench.model.results import Run
from bench.report.export.trial_rows import COLUMNS
from bench.storage.run_folder import load_run
from bench.storage.run_json import run_to_json_text
from tests.builders import case, run_of, trials
from tests.comparisons import comparison_run
from tests.foreign_formats import BENCHER, GITHUB_ACTION_BENCHMARK, HYPERFINE, junit_problems
from tests.runs import ROOT, config, run

pytestmark = [pytest.mark.e2e, pytest.mark.long]

NAMES = [
    "sequential/urllib3/1/5ms",
    "threadpool_map/urllib3/2/5ms",
    "threadpool_map/urllib3/3/5ms",
]
SLOW, QUICK = case("sequential", workers=1), case(workers=3)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run three cases, and return the folder of the run."""
    folder = tmp_path_factory.mktemp("measured")
    path = config(folder, ["sequential", "threadpool_map"], workers=[2, 3], blocks=6)
    ended = run(path)
    assert ended.returncode == 0, ended.stderr
    return folder / "run"


def stored(folder: Path, of: Run) -> Path:
    """Store a run that was built, and return its folder."""
    folder.mkdir()
    (folder / "run.json").write_text(run_to_json_text(of), encoding="ascii")
    return folder


def export(form: str, file: Path, *runs: Path) -> Path:
    """Export runs into a file, as a user would, and return it."""
    words = [*map(str, runs), "--to", form, "-o", str(file)]
    called = subprocess.run(
        [sys.executable, "-m", "bench", "export", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (called.returncode, called.stderr) == (0, ""), called.stderr
    return file


def say(*words: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """Call a tool, and return what it says on stdout and stderr."""
    called = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert called.returncode == 0, called.stdout + called.stderr
    return called.stdout + called.stderr


def pair(folder: Path, form: str, ratio: float = 1.5) -> list[Path]:
    """Export a run, and one whose cases take longer by a ratio."""
    values = [0.02 + block / 1e4 for block in range(8)]
    files = []
    for name, factor in (("a", 1.0), ("b", ratio)):
        of = run_of({each: trials(each, [value * factor for value in values]) for each in (SLOW, QUICK)})
        files.append(export(form, folder / f"{name}.json", stored(folder / name, of)))
    return files


def test_pytest_benchmark_compares_two_exports(measured: Path, tmp_path: Path) -> None:
    """It ignores a file that it cannot use, so the names are checked."""
    files = pair(tmp_path, "pytest-benchmark")
    compare = (sys.executable, "-m", "pytest_benchmark", "compare", "--group-by=param:workers")
    said = say(*compare, *files, cwd=tmp_path)
    for workers, name in ((1, SLOW.id), (3, QUICK.id)):
        assert f"benchmark 'workers={workers}': 2 tests" in said
        assert said.count(f"\n{name}") == 2
    assert len(re.findall(r"\(1\.50?0?\)", said)) > 4
    real = export("pytest-benchmark", tmp_path / "real.json", measured)
    said = say(*compare, real, cwd=tmp_path)
    assert [name for name in NAMES if f"\n{name}" in said] == NAMES


def test_pyperf_reads_checks_and_compares(measured: Path, tmp_path: Path) -> None:
    before, after = pair(tmp_path, "pyperf")
    tool = (sys.executable, "-m", "pyperf")
    said = say(*tool, "compare_to", "--group-by-speed", before, after)
    assert "Slower (2)" in said
    for name in (SLOW.id, QUICK.id):
        assert re.search(rf"- {re.escape(name)}: 20\.[0-9] ms .* -> 30\.[0-9] ms .*: 1\.50x slower", said), (
            said
        )
    assert "not significant" in say(*tool, "compare_to", before, before)
    real = export("pyperf", tmp_path / "real.json", measured)
    said = say(*tool, "stats", real)
    assert [name for name in NAMES if name in said] == NAMES
    assert said.count("Total number of values: 6\n") == len(NAMES)
    assert said.count("Number of warmup per run: 1\n") == len(NAMES)
    assert say(*tool, "check", real)  # it names those that it finds unstable, or says that all are stable


def test_hyperfine_statistics_follow_from_its_times(measured: Path, tmp_path: Path) -> None:
    document = json.loads(export("hyperfine", tmp_path / "file.json", measured).read_bytes())
    jsonschema.validate(document, HYPERFINE)
    assert [each["command"] for each in document["results"]] == NAMES
    for each in document["results"]:
        times = each["times"]
        assert len(times) == len(each["exit_codes"]) == 6
        assert (each["min"], each["max"]) == (min(times), max(times))
        assert each["mean"] == pytest.approx(fmean(times))
        assert each["median"] == pytest.approx(median(times))
        assert each["stddev"] == pytest.approx(stdev(times))


@pytest.mark.skipif(shutil.which("hyperfine") is None, reason="hyperfine is not installed")
def test_hyperfine_itself_writes_the_same_keys_and_types(measured: Path, tmp_path: Path) -> None:
    its = tmp_path / "its.json"
    say(
        "hyperfine", "--runs", "3", "--export-json", str(its), "-L", "seconds", "0.01,0.02", "sleep {seconds}"
    )
    theirs = json.loads(its.read_bytes())["results"]
    ours = json.loads(export("hyperfine", tmp_path / "ours.json", measured).read_bytes())["results"]
    for each in theirs:
        known = {key: each[key] for key in ours[0].keys() & each.keys()}
        jsonschema.validate({"results": [known]}, HYPERFINE)
    assert {key: type(value) for key, value in ours[0].items()}.items() <= {
        key: type(value) for key, value in theirs[0].items()
    }.items()


def test_github_action_benchmark_entries_are_complete(measured: Path, tmp_path: Path) -> None:
    """The action itself accepts any list."""
    file = export("github-action-benchmark", tmp_path / "file.json", measured)
    document = json.loads(file.read_bytes())
    jsonschema.validate(document, GITHUB_ACTION_BENCHMARK)
    assert [each["name"] for each in document] == NAMES
    assert [each["extra"] for each in document] == ["6 blocks"] * 3


def test_bencher_document_has_every_case_with_bounds(measured: Path, tmp_path: Path) -> None:
    document = json.loads(export("bencher", tmp_path / "file.json", measured).read_bytes())
    jsonschema.validate(document, BENCHER)
    assert list(document) == NAMES
    for measures in document.values():
        for metric in measures.values():
            assert metric["lower_value"] <= metric["value"] <= metric["upper_value"]
        assert 5e6 < measures["latency"]["value"] < 60e9
        assert measures["latency"]["value"] * measures["throughput"]["value"] == pytest.approx(3e9)


def test_junitparser_reads_passing_and_failing_runs(measured: Path, tmp_path: Path) -> None:
    file = export("junit", tmp_path / "run.xml", measured)
    (suite,) = JUnitXml.fromfile(str(file))
    assert ([test.name for test in suite], suite.failures, suite.errors) == (NAMES, 0, 0)

    def elapsed_s(of: Case, block: int) -> float:
        return (0.03 if (of.variant, of.strategy) == ("worktree", "sequential") else 0.02) + block / 1e5

    comparison = stored(tmp_path / "contest", comparison_run(SLOW, QUICK, elapsed_s=elapsed_s))
    file = export("junit", tmp_path / "contest.xml", comparison)
    assert list(junit_problems(ET.fromstring(file.read_bytes()))) == []  # noqa: S314  written above
    (suite,) = JUnitXml.fromfile(str(file))
    failing = [
        (test.classname, test.name)
        for test in suite
        if any(isinstance(problem, Failure) for problem in test.result)
    ]
    assert failing == [(SLOW.id, "elapsed")]
    assert (suite.tests, suite.failures, suite.skipped) == (4, 1, 0)


def test_prometheus_parser_reads_openmetrics(measured: Path, tmp_path: Path) -> None:
    text = export("openmetrics", tmp_path / "file.txt", measured).read_text(encoding="utf-8")
    parse: Callable[[str], Any] = text_string_to_metric_families
    families = {family.name: family for family in parse(text)}
    elapsed = families["flagbench_elapsed_seconds"]
    assert (elapsed.type, elapsed.unit) == ("gauge", "seconds")
    assert [sample.labels["case"] for sample in elapsed.samples] == NAMES
    assert [sample.labels["workers"] for sample in elapsed.samples] == ["1", "2", "3"]
    assert [sample.value for sample in families["flagbench_blocks"].samples] == [6, 6, 6]
    assert [sample.value for sample in families["flagbench_failed_trials"].samples] == [0, 0, 0]
    for low, sample in zip(families["flagbench_elapsed_low_seconds"].samples, elapsed.samples, strict=True):
        assert 0.005 < low.value <= sample.value


def by_case(run_folder: Path) -> Mapping[str, list[float]]:
    """Return what each timed round took, from the run itself."""
    found: dict[str, list[float]] = {}
    for trial in load_run(run_folder).trials:
        found.setdefault(trial.case, []).extend(round_.elapsed_s for round_ in trial.rounds)
    return found


def answer(query: str) -> list[Any]:
    """Ask DuckDB."""
    relation = duckdb.sql(query)
    assert relation is not None
    return list(relation.fetchall())


def asked(source: str) -> dict[str, list[float]]:
    """Ask DuckDB for what each timed round took."""
    found: dict[str, list[float]] = {}
    for name, elapsed_s in answer(f'select "case", elapsed_s from {source} where round > 0'):  # noqa: S608
        found.setdefault(name, []).append(elapsed_s)
    return found


def test_arrow_and_duckdb_read_parquet(measured: Path, tmp_path: Path) -> None:
    file = export("parquet", tmp_path / "file.parquet", measured)
    table = parquet.read_table(file)
    assert table.column_names == list(COLUMNS)
    assert set(table.column("case").to_pylist()) == set(NAMES)
    assert str(table.schema.field("workers").type) == "int64"
    assert str(table.schema.field("keep_alive").type) == "bool"
    assert asked(f"'{file}'") == by_case(measured)


def test_duckdb_reads_csv_without_losing_digits(measured: Path, tmp_path: Path) -> None:
    file = export("trials-csv", tmp_path / "trials.csv", measured)
    assert asked(f"'{file}'") == by_case(measured)
    file = export("csv", tmp_path / "cases.csv", measured)
    rows = answer(f"select \"case\", blocks, median_elapsed_s from '{file}'")  # noqa: S608  a path of ours
    assert [name for name, *_ in rows] == NAMES
    assert all(blocks == 6 and median_s > 0.005 for _, blocks, median_s in rows)


def days(folder: Path, medians_s: Sequence[float]) -> Iterator[Path]:
    """Store a run a day."""
    for day, median_s in enumerate(medians_s, 1):
        of = run_of({each: trials(each, [median_s]) for each in (SLOW, QUICK)})
        environment = {"git": {"commit": f"c{day:02}", "dirty": False}}
        dated = replace(of, started=f"2026-01-{day:02}T03:04:05+00:00", environment=environment)
        yield stored(folder / f"day {day}", dated)


@pytest.fixture(scope="module")
def otava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install Otava into an environment of its own, as it and its needs are hundreds of megabytes."""
    environment = tmp_path_factory.mktemp("otava")
    say(sys.executable, "-m", "venv", environment)
    called = subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "apache-otava"],
        capture_output=True,
        text=True,
        check=False,
    )
    if called.returncode != 0:
        pytest.skip(f"Otava cannot be installed: {called.stderr.strip().splitlines()[-1]}")
    return environment / "bin" / "otava"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_otava_finds_the_slower_commit(otava: Path, tmp_path: Path) -> None:
    """A step after the twelfth day in both cases, none before."""
    medians_s = [(0.03 if day >= 12 else 0.02) + (day * 7 % 5) / 1e5 for day in range(24)]
    runs = list(days(tmp_path, medians_s))
    export("otava", tmp_path / "otava.csv", *runs)
    settings = export("otava-config", tmp_path / "otava.yaml", *runs)
    said = say(otava, "list-metrics", "flagbench", cwd=tmp_path, OTAVA_CONFIG=str(settings))
    assert {SLOW.id, QUICK.id} <= set(said.split())
    words = ("analyze", "flagbench", "--since", "2025-12-31", "--until", "2026-02-01")
    said = say(otava, *words, cwd=tmp_path, OTAVA_CONFIG=str(settings))
    lines = said.splitlines()
    (change,) = [number for number, line in enumerate(lines) if "+" in line and "%" in line]
    assert lines[change].count("+49") + lines[change].count("+50") == 2, said
    following = next(line for line in lines[change:] if re.search(r" c\d\d ", line))
    assert " c13 " in following, said
