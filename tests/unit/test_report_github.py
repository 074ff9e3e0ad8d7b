"""Tests of the summary and the annotations of a comparison for GitHub."""

import json
import re
from dataclasses import replace
from typing import Final

from bench.model.cases import Case
from bench.model.comparison import Bound
from bench.model.text import printable
from bench.report.github import github_annotations, github_summary
from bench.report.gitlab import code_quality_report
from bench.stats.absolute_thresholds import BoundStatus, BoundVerdict
from bench.stats.intervals import Interval
from bench.stats.verdicts import MetricVerdict, Verdicts, overall_verdict, run_verdicts
from tests.builders import case, failed
from tests.comparisons import BASE, CANDIDATE, comparison_run
from tests.hostile_strings import HOSTILE
from tests.rendering import markdown_skeleton

COMMAND: Final = re.compile(r"::(error|warning) title=([^:,\r\n]*)::([^\r\n]*)")
"""A command as the runner reads it: properties end at a colon or a comma, the whole at the line's end."""
ESCAPED: Final = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
BENIGN: Final = "benign"


def unescaped(text: str) -> str:
    """Decode the escapes of a command."""
    return re.sub("|".join(ESCAPED), lambda found: ESCAPED[found[0]], text)


def found() -> Verdicts:
    """Compare variants of which one case is slower and the trials of another one fail."""
    slow, broken = case("sequential", workers=1), case()

    def elapsed_s(of: Case, block: int) -> float | str:
        if of.variant == "main":
            return 0.02 + block / 1e5
        return 0.03 + block / 1e5 if of.strategy == "sequential" else "crash"

    run = comparison_run(slow, broken, elapsed_s=elapsed_s)  # type: ignore[arg-type]  # "crash" is an outcome
    return run_verdicts(run)


def test_annotations_name_slower_metrics_and_failed_trials() -> None:
    read = [COMMAND.fullmatch(line) for line in github_annotations(found())]
    told = [(each[1], unescaped(each[2]), unescaped(each[3])) for each in read if each is not None]
    assert told == [
        ("error", "sequential/requests/1/20ms: elapsed is slower", told[0][2]),
        (
            "error",
            "threadpool_map/requests/3/20ms: trials failed",
            "worktree against main: 3 trials failed, the first in block 1: crash: why",
        ),
        (
            "warning",
            "threadpool_map/requests/3/20ms: elapsed is inconclusive",
            "worktree against main: its trials kept failing",
        ),
    ]
    assert told[0][2].startswith("worktree against main: +50% (+")


def found_if_it_fails(side: str) -> Verdicts:
    """Compare variants of which one crashes."""
    run = comparison_run(case(), elapsed_s=lambda of, _: "crash" if of.variant == side else 0.02)
    return run_verdicts(run)


def test_failed_base_is_a_warning() -> None:
    verdicts = found_if_it_fails(BASE)
    assert overall_verdict(verdicts) == "inconclusive"
    told = [unescaped(line) for line in github_annotations(verdicts)]
    assert [line.partition(" title=")[0] for line in told] == ["::warning", "::warning"]
    assert (
        f"title={case().id}: trials of the base failed::worktree against main: 3 trials failed, " in told[1]
    )
    assert overall_verdict(found_if_it_fails(CANDIDATE)) == "failed"


def test_bounds_and_vanished_cases_are_annotated() -> None:
    """A broken bound and a vanished case are errors, an open bound is a warning."""
    verdicts = replace(found(), metrics=(), failed={}, vanished=("gone/x/1/y",))
    keepings: tuple[BoundStatus, ...] = ("open", "broken", "kept")
    bounds = [
        BoundVerdict("a/b/1/c", Bound("*", "p99", "<", 0.08), keeping, Interval(0.1, 0.09, 0.11), 8)
        for keeping in keepings
    ]
    lines = [unescaped(line) for line in github_annotations(replace(verdicts, bounds=tuple(bounds)))]
    assert lines == [
        "::error title=gone/x/1/y: vanished::worktree lacks this case",
        "::error title=a/b/1/c: p99 < 80 ms is broken::100 ms, 90 ms to 110 ms, in 8 blocks",
        "::warning title=a/b/1/c: p99 < 80 ms is open::100 ms, 90 ms to 110 ms, in 8 blocks",
    ]


def test_summary_has_the_overall_verdict_the_table_and_a_command() -> None:
    verdicts = found()
    written = github_summary("a-run", verdicts, overall_verdict(verdicts), ["new: other"])
    assert written.startswith("## flagbench: a regression\n")
    first, folded = written.split("<details><summary>All 2 metrics</summary>")
    assert "| sequential/requests/1 | elapsed | 20.1 ms | 30.1 ms | +50% | slower by at least" in first
    assert "\n- new: other\n" in first
    assert "| sequential/requests/1/20ms | elapsed | 20.1 ms | 30.1 ms | +50% |" in folded
    assert folded.count("</details>") == 1
    assert "`flagbench compare RUN`" in written
    assert "with a-run as RUN." in written


def test_summary_shows_first_what_changed_and_folds_the_rest() -> None:
    slow, same = case("sequential", workers=1), case()
    run = comparison_run(
        slow,
        same,
        elapsed_s=lambda of, block: (
            (0.03 if (of.strategy, of.variant) == ("sequential", CANDIDATE) else 0.02) + block / 1e5
        ),
    )
    verdicts = run_verdicts(run)
    first, folded = github_summary("a-run", verdicts, overall_verdict(verdicts)).split("<details>")
    assert "sequential" in first
    assert "threadpool_map" not in first
    assert "threadpool_map" in folded


def test_summary_says_that_the_gate_ran_if_nothing_changed() -> None:
    verdicts = run_verdicts(comparison_run(case(), elapsed_s=lambda _, block: 0.02 + block / 1e5))
    written = github_summary("a-run", verdicts, overall_verdict(verdicts))
    assert written.startswith(
        "## flagbench: passed\n\nThe gate ran, and no metric changed by its margin: 1 metric of 1 case "
    )
    assert "worktree against main, profile 20ms" in written


def test_summary_does_not_say_that_nothing_changed_where_something_else_fails() -> None:
    """A broken bound, a case that is gone, or no end of the comparison, with metrics that are all equal."""
    same = run_verdicts(comparison_run(case(), elapsed_s=lambda _, block: 0.02 + block / 1e5))
    broken = BoundVerdict(
        case().plain_id, Bound("*", "p99", "<", 0.01), "broken", Interval(0.1, 0.09, 0.11), 8
    )
    for verdicts, overall in (
        (replace(same, bounds=(broken,)), "regression"),
        (replace(same, vanished=("gone/x/1/y",)), "regression"),
        (same, "inconclusive"),
    ):
        written = github_summary("a-run", verdicts, overall)  # type: ignore[arg-type]
        assert "no metric changed" not in written
        assert "The gate ran: 1 metric of 1 case compared" in written


def test_first_table_names_the_profile_of_a_case_where_there_are_several() -> None:
    near = case()
    far = replace(near, profile=replace(near.profile, name="far"))
    run = comparison_run(
        near,
        far,
        elapsed_s=lambda of, block: (
            (0.03 if (of.profile.name, of.variant) == ("far", CANDIDATE) else 0.02) + block / 1e5
        ),
    )
    verdicts = run_verdicts(run)
    first, _ = github_summary("a-run", verdicts, overall_verdict(verdicts)).split("<details>")
    assert "/far" in first
    assert "/20ms" not in first


def test_code_quality_report_has_an_entry_for_each_finding() -> None:
    """As GitLab documents it; the fingerprint of a finding is the same in every run."""
    verdicts = found()
    entries = json.loads(code_quality_report(verdicts, "configs/gate.yaml"))
    assert [(each["severity"], each["description"].partition(": worktree")[0]) for each in entries] == [
        ("major", "sequential/requests/1/20ms: elapsed is slower"),
        ("major", "threadpool_map/requests/3/20ms: trials failed"),
        ("minor", "threadpool_map/requests/3/20ms: elapsed is inconclusive"),
    ]
    assert {each["check_name"] for each in entries} == {"flagbench"}
    assert all(each["location"] == {"path": "configs/gate.yaml", "lines": {"begin": 1}} for each in entries)
    assert len({each["fingerprint"] for each in entries}) == 3
    again = json.loads(code_quality_report(verdicts, "configs/gate.yaml"))
    assert [each["fingerprint"] for each in again] == [each["fingerprint"] for each in entries]


def test_code_quality_report_without_a_finding_is_an_empty_list() -> None:
    verdicts = run_verdicts(comparison_run(case(), elapsed_s=lambda _, block: 0.02 + block / 1e5))
    assert code_quality_report(verdicts, "gate") == "[]\n"


def hostile(text: str) -> Verdicts:
    """Build verdicts with this text in all their fields."""
    ratio = Interval(1.1, 1.05, 1.15)
    of_text = Case(text, text, 1, case().profile, case().countries, variant=text)
    return Verdicts(
        base=text,
        candidate=text,
        metrics=(
            MetricVerdict(text, "elapsed", "slower", ratio, 8, 0.05, 0.02, 0.022),
            MetricVerdict(text, "p99", "inconclusive", None, 0, 0.05, None, None, text),
        ),
        failed={text: (failed(of_text, 0, "error", text),)},
        is_complete=True,
    )


def test_no_hostile_text_ends_a_command_or_begins_another() -> None:
    for text in HOSTILE.values():
        lines = list(github_annotations(hostile(text)))
        assert len(lines) == 4  # both sides have the same name, and so failed both
        for line in lines:
            read = COMMAND.fullmatch(line)
            assert read is not None, line
            assert printable(text) in unescaped(read[2])
            assert unescaped(read[3]).startswith(printable(text))
        assert printable(text) in unescaped(lines[1].rpartition("::")[2])


def test_no_hostile_text_is_markdown() -> None:
    expected = markdown_skeleton(github_summary(BENIGN, hostile(BENIGN), "regression", [BENIGN]))
    for text in HOSTILE.values():
        written = github_summary(text, hostile(text), "regression", [printable(text)])
        if printable(text).strip():
            assert markdown_skeleton(written) == expected, text
