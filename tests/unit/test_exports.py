"""Tests of the export formats: names, figures, and failed trials."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from pytest_benchmark.stats import Stats

from bench.errors import SetupError, UnreadableResultError, UsageError
from bench.model.cases import Case
from bench.model.results import Run
from bench.report.export import parquet
from bench.report.export.cases import entries_of
from bench.report.export.registry import FORMATS, export_runs, export_warnings
from bench.report.export.run_metadata import with_commit
from bench.system.optional_dependencies import Extra, install_command
from tests.builders import case, failed, round_of, run_of, trials
from tests.comparisons import comparison_run, new_comparison
from tests.foreign_formats import BENCHER, GITHUB_ACTION_BENCHMARK, HYPERFINE, junit_problems
from tests.open_loops import rated_run

SLOW, QUICK, GONE = case("sequential", workers=1), case(workers=3), case("asyncio_gather", "aiohttp", 5)
VALUES = (0.031, 0.024, 0.025, 0.023, 0.027, 0.022, 0.026)


def some_run() -> Run:
    """Build a run of three cases, in which no trial, one trial, and all trials failed."""
    run = run_of(
        {
            SLOW: trials(SLOW, [3 * value for value in VALUES]),
            QUICK: [*trials(QUICK, VALUES), failed(QUICK, 7, "crash", "it fell")],
            GONE: [failed(GONE, block, "error", "it raised") for block in range(3)],
        }
    )
    return replace(run, environment={**run.environment, "git": {"commit": "c0ffee", "dirty": True}})


def all_failed() -> Run:
    """Build a run in which nothing succeeded."""
    return run_of({GONE: [failed(GONE, block, "error", "it raised") for block in range(3)]})


def export(form: str, *runs: Run) -> str:
    """Write runs as text."""
    return str(export_runs(runs, form))


def read(form: str, run: Run | None = None) -> Any:
    """Write a run as JSON of some format, and read it."""
    return json.loads(export(form, run or some_run()))


@pytest.mark.parametrize("form", FORMATS)
def test_formats_of_elapsed_times_warn_of_an_open_loop(form: str) -> None:
    """Its schedule decides them."""
    run = rated_run({("asyncio_gather", 20): 900.0}, (50.0, 100.0))
    told = [each for each in export_warnings([run], form) if "open loop" in each]
    has_more = form in {
        "junit",
        "openmetrics",
        "csv",
        "trials-csv",
        "chrome-trace",
        "parquet",
        "json",
        "markdown",
        "otava-config",
    }
    assert bool(told) is not has_more


def test_groups_of_other_formats_are_the_conditions_within_which_cases_are_compared() -> None:
    run = rated_run({("asyncio_gather", 20): 900.0}, (50.0, 100.0))
    found = json.loads(export_runs([run], "pytest-benchmark"))["benchmarks"]
    assert {each["group"] for each in found} == {"20ms, 50/s", "20ms, 100/s"}
    junit = str(export_runs([run], "junit"))
    assert {*re.findall(r'classname="(.*?)"', junit)} == {"20ms, 50/s", "20ms, 100/s"}


def test_entry_has_the_block_values_of_tables() -> None:
    """The mean of the faster half of the rounds; the blocks in their order."""
    (trial,) = trials(QUICK, [1.0])
    late = replace(trial, block=1, rounds=tuple(map(round_of, (0.9, 0.1, 0.3))))
    early = replace(trial, block=0, rounds=(round_of(0.5),))
    (entry,) = entries_of(run_of({QUICK: [late, early]}))
    assert list(entry.values_s) == pytest.approx([0.5, 0.2])
    assert entry.trials == (early, late)


def test_cases_that_print_alike_get_different_names() -> None:
    alike = [case("a\x01"), case("a\x02"), case("a\x03")]
    names = [entry.name for entry in entries_of(run_of({each: trials(each, VALUES) for each in alike}))]
    assert names == [f"a\N{REPLACEMENT CHARACTER}/requests/3/20ms{end}" for end in ("", " (2)", " (3)")]


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_times_are_refused(value: float) -> None:
    """Other tools would divide by zero."""
    bad = run_of({QUICK: trials(QUICK, [0.02, value])})
    with pytest.raises(UnreadableResultError, match="took"):
        entries_of(bad)


@pytest.mark.parametrize("form", FORMATS)
def test_run_without_success_is_an_error_or_shows_its_failures(form: str) -> None:
    if not FORMATS[form].needs_figures:
        assert "it raised" in export(form, all_failed())
    else:
        with pytest.raises(UsageError, match="no successful trial"):
            export_runs([all_failed()], form)


def test_warnings_name_partial_runs_and_omitted_failures() -> None:
    partial = replace(some_run(), status="partial")
    for form in FORMATS:
        told = list(export_warnings([partial], form))
        assert told.pop(0).startswith("example-20260102-030405 is partial")
        expected = [
            "threadpool_map/requests/3/20ms: 1 failed trial left out",
            "asyncio_gather/aiohttp/5/20ms: 3 failed trials left out, and the case with them",
        ]
        assert told == ([] if FORMATS[form].shows_failures else expected)


def test_warnings_name_cases_that_were_never_run() -> None:
    run = run_of({SLOW: [], QUICK: trials(QUICK, VALUES)})
    assert list(export_warnings([run], "pyperf")) == [
        "sequential/requests/1/20ms: left out, as it was not measured"
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 30])
def test_pytest_benchmark_statistics_match_its_own_class(count: int) -> None:
    values = [0.02 + (7 * i * i % 11) / 1000 for i in range(count - 1)] + [0.5]
    (found,) = read("pytest-benchmark", run_of({QUICK: trials(QUICK, values)}))["benchmarks"]
    theirs: Any = Stats  # which has no types
    theirs = theirs()
    for value in found["stats"]["data"]:
        theirs.update(value)
    for name, value in theirs.as_dict().items():
        assert found["stats"][name] == (value if isinstance(value, str) else pytest.approx(value)), name
    assert found["stats"]["data"] == pytest.approx(values)


def test_pytest_benchmark_has_parameters_and_commit() -> None:
    document = read("pytest-benchmark")
    assert [each["params"]["workers"] for each in document["benchmarks"]] == [1, 3]
    assert document["commit_info"] == {"id": "c0ffee", "dirty": True}
    unknown = read("pytest-benchmark", replace(some_run(), environment={}))
    assert unknown["commit_info"] == {"id": None, "dirty": None}


def test_pyperf_has_one_run_with_one_value_for_each_block() -> None:
    """Unequal counts are significant to it."""
    slow, quick = read("pyperf")["benchmarks"]
    assert [run["values"] for run in quick["runs"]] == [[value] for value in VALUES]
    assert [len(run["values"]) for run in slow["runs"]] == [1] * 7
    assert quick["metadata"]["failed_trials"] == "1"
    assert "variant" not in quick["metadata"]


def test_hyperfine_has_block_medians_and_processor_time() -> None:
    document = read("hyperfine")
    jsonschema.validate(document, HYPERFINE)
    quick = document["results"][1]
    assert quick["median"] == median(VALUES)
    assert quick["user"] == pytest.approx(0.3 * sum(VALUES) / 7)
    assert quick["parameters"]["workers"] == "3"
    (single,) = read("hyperfine", run_of({QUICK: trials(QUICK, [0.02])}))["results"]
    assert single["stddev"] is None


def test_hyperfine_without_processor_time_is_refused() -> None:
    (trial,) = trials(QUICK, [0.02])
    blind = replace(trial, rounds=(replace(trial.rounds[0], probes={}),))
    with pytest.raises(UsageError, match="no processor time"):
        export("hyperfine", run_of({QUICK: [blind]}))


def test_github_action_benchmark_has_names_values_and_units() -> None:
    """The action itself would accept anything."""
    document = read("github-action-benchmark")
    jsonschema.validate(document, GITHUB_ACTION_BENCHMARK)
    assert document[1] == {
        "name": QUICK.id,
        "unit": "s",
        "value": median(VALUES),
        "range": "± 0.006000000",
        "extra": "7 blocks\n1 failed trial, left out",
    }
    few = read("github-action-benchmark", run_of({QUICK: trials(QUICK, VALUES[:2])}))
    assert "range" not in few[0]


def test_bencher_has_nanoseconds_and_no_null() -> None:
    """Missing bounds are left out; those of the throughput are swapped."""
    document = read("bencher")
    jsonschema.validate(document, BENCHER)
    assert document[QUICK.id] == {
        "latency": {
            "value": pytest.approx(25e6),
            "lower_value": pytest.approx(22e6),
            "upper_value": pytest.approx(31e6),
        },
        "throughput": {
            "value": pytest.approx(3 / 0.025),
            "lower_value": pytest.approx(3 / 0.031),
            "upper_value": pytest.approx(3 / 0.022),
        },
    }
    few = read("bencher", run_of({QUICK: trials(QUICK, VALUES[:2])}))
    assert few[QUICK.id]["latency"].keys() == {"value"}


def test_name_that_bencher_would_refuse_is_refused() -> None:
    long = case("x" * 1_010)
    with pytest.raises(UsageError, match="1,024 bytes"):
        export("bencher", run_of({long: trials(long, VALUES)}))


def series(*changes: Mapping[Case, Sequence[float]]) -> list[Run]:
    """Build runs one day after the other, in the opposite order."""
    runs = []
    for day, values in enumerate(changes, 1):
        run = run_of({each: trials(each, seconds) for each, seconds in values.items()})
        git = {"git": {"commit": f"c{day}", "dirty": False}}
        runs.append(replace(run, started=f"2026-01-{day:02}T03:04:05+00:00", environment=git))
    return runs[::-1]


def test_otava_has_a_line_for_each_run() -> None:
    """Oldest first, with the cases of all runs, and a configuration that names the same."""
    runs = series({QUICK: [0.02], SLOW: [0.06]}, {QUICK: [0.03]}, {GONE: [0.01], QUICK: [0.04]})
    rows = list(csv.reader(io.StringIO(export("otava", *runs))))
    assert rows == [
        ["time", "commit", QUICK.id],
        ["2026-01-01T03:04:05+00:00", "c1", "0.02"],
        ["2026-01-02T03:04:05+00:00", "c2", "0.03"],
        ["2026-01-03T03:04:05+00:00", "c3", "0.04"],
    ]
    config = yaml.safe_load(export("otava-config", *runs))
    assert config["tests"]["flagbench"]["metrics"] == {QUICK.id: {"column": QUICK.id, "direction": -1}}
    left_out = [f"{each.id}: left out, as not all runs have the same" for each in (GONE, SLOW)]
    assert list(export_warnings(runs, "otava")) == left_out


def test_otava_leaves_out_cases_that_differ_between_runs() -> None:
    """Rounds of more fetches take longer, without any change of the program."""
    longer = replace(QUICK, countries=replace(QUICK.countries, repeat=2))
    runs = series({QUICK: [0.02], SLOW: [0.06]}, {longer: [0.04], SLOW: [0.06]})
    assert longer.id == QUICK.id
    assert export("otava", *runs).splitlines()[0] == f"time,commit,{SLOW.id}"
    assert list(export_warnings(runs, "otava")) == [f"{QUICK.id}: left out, as not all runs have the same"]


def test_otava_uses_the_commit_given() -> None:
    (run,) = series({QUICK: [0.02]})
    assert ",abc," in export("otava", with_commit(run, "abc"))
    assert ",c1," in export("otava", run)
    assert ",,0.02" in export("otava", replace(run, environment={}))


def test_otava_refuses_runs_without_a_common_case() -> None:
    with pytest.raises(UsageError, match="share no case"):
        export("otava", *series({QUICK: [0.02]}, {SLOW: [0.02]}))


@pytest.mark.parametrize("form", ["otava", "openmetrics"])
def test_run_without_a_start_time_is_refused(form: str) -> None:
    with pytest.raises(UnreadableResultError, match="is no time"):
        export(form, replace(some_run(), started="yesterday"))


def junit(run: Run) -> ET.Element:
    """Write a run as JUnit XML, and check and read it."""
    root = ET.fromstring(export("junit", run).encode())  # noqa: S314  written a line above
    assert list(junit_problems(root)) == []
    return root


def problems(root: ET.Element) -> dict[tuple[str | None, str | None], tuple[str, str]]:
    """Return kind and message of each problem, by group and name."""
    return {
        (test.get("classname"), test.get("name")): (inner.tag, inner.get("message", ""))
        for test in root.iter("testcase")
        for inner in test
        if inner.tag != "system-out"
    }


def test_junit_of_a_run_tests_each_case() -> None:
    """It is an error where trials failed, and skipped where there were none."""
    unrun = case("asyncio_taskgroup")
    run = some_run()
    root = junit(replace(run, cases=(*run.cases, unrun)))
    assert [test.get("name") for test in root.iter("testcase")] == [
        each.id for each in (SLOW, QUICK, GONE, unrun)
    ]
    assert problems(root) == {
        ("20ms", QUICK.id): ("error", "1 trial failed, the first in block 8: crash: it fell"),
        ("20ms", GONE.id): ("error", "3 trials failed, the first in block 1: error: it raised"),
        ("20ms", unrun.id): ("skipped", "it was not measured"),
    }


def test_junit_of_a_comparison_fails_slower_metrics() -> None:
    def elapsed_s(of: Case, block: int) -> float:
        is_slower = of.variant == "worktree" and of.strategy == "sequential"
        return (0.03 if is_slower else 0.02) + block / 1e5

    root = junit(comparison_run(SLOW, QUICK, elapsed_s=elapsed_s))
    names = [(test.get("classname"), test.get("name")) for test in root.iter("testcase")]
    assert names == [(each.id, name) for each in (SLOW, QUICK) for name in ("elapsed", "trials")]
    ((place, (kind, message)),) = problems(root).items()
    assert (place, kind) == ((SLOW.id, "elapsed"), "failure")
    assert message.startswith("elapsed is slower: 20.")
    assert "+50%" in message


def test_junit_of_a_comparison_skips_undecided_metrics() -> None:
    run = comparison_run(SLOW, elapsed_s=lambda of, _: "crash" if of.variant == "worktree" else 0.02)
    assert problems(junit(run)) == {
        (SLOW.id, "elapsed"): ("skipped", "inconclusive: its trials kept failing"),
        (SLOW.id, "trials"): ("error", "3 trials failed, the first in block 1: crash: why (by worktree)"),
    }


def test_junit_of_a_comparison_fails_vanished_cases_but_not_new_ones() -> None:
    comparison = replace(new_comparison(QUICK), alone={"lost": "main", "new": "worktree"})
    run = comparison_run(QUICK, elapsed_s=lambda *_: 0.02, comparison=comparison)
    assert problems(junit(run)) == {("lost", "presence"): ("failure", "worktree lacks this case")}


def test_both_variants_of_a_comparison_are_entries() -> None:
    run = comparison_run(QUICK, elapsed_s=lambda of, _: 0.03 if of.variant == "worktree" else 0.02)
    names = {f"{QUICK.id}@main", f"{QUICK.id}@worktree"}
    assert read("bencher", run).keys() == names
    assert {each["name"] for each in read("pytest-benchmark", run)["benchmarks"]} == names
    assert {each["command"] for each in read("hyperfine", run)["results"]} == names
    variants = {each["metadata"]["variant"] for each in read("pyperf", run)["benchmarks"]}
    assert variants == {"main", "worktree"}


def test_trials_have_a_row_for_each_round() -> None:
    """The warm-up is round 0, and a trial without rounds has a row of its own."""
    rows = list(csv.DictReader(io.StringIO(export("trials-csv", some_run()))))
    assert len(rows) == 2 * 2 * len(VALUES) + 1 + 3
    quick = [row for row in rows if row["case"] == QUICK.id]
    assert [float(row["elapsed_s"]) for row in quick if row["round"] == "1"] == list(VALUES)
    assert quick[-1]["outcome"] == "crash"
    assert quick[-1]["round"] == quick[-1]["elapsed_s"] == quick[-1]["fetches_ok"] == ""
    assert {row["trial_latency_p99_s"] for row in quick[:-1]} == {"0.022015"}
    assert quick[0]["server_requests"] == "3"


def test_parquet_refuses_counts_of_more_than_64_bits() -> None:
    many = replace(QUICK, workers=2**63)
    with pytest.raises(UnreadableResultError, match="64 bits"):
        export("parquet", run_of({many: trials(many, VALUES)}))


def test_parquet_names_its_missing_dependency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "PARQUET", Extra("parquet", ("no_such_module",)))
    with pytest.raises(SetupError, match=f"needs no_such_module.*{re.escape(install_command('parquet'))}"):
        export("parquet", some_run())
