"""Values survive the way to JSON and back, and documents of another type are refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.api import Fetch
from bench.model.body_sizes import FixedSize, LogNormalSize, SampledSize
from bench.model.cases import Fixed, LogNormal, Profile, Sampled, Uniform
from bench.model.json_codec import MalformedError, decode, encode, from_json_value, to_json_value
from bench.model.results import Run
from bench.model.text import one_line
from bench.worker.events import Fetched, FutureObserved, WarmedUp, event_line, read_event
from bench.worker.protocol import Report, Task, TimedRound

TASK = Task(
    strategy_file=Path("/strategies/mine.py"),
    client="httpx",
    workers=20,
    keep_alive=False,
    countries=("BR", "CN"),
    repeat=2,
    base_url="http://127.0.0.1:4711/-/t17",
    rounds=None,
    folder=Path("/trial"),
    reference=Path("/flags"),
    request_timeout_s=10.0,
    live=True,
)
REPORT = Report(
    outcome="corrupt",
    detail="br.gif differs at byte 512",
    began_s=12.4,
    ready_s=12.5,
    rounds=(TimedRound(0.25, {"ok": 18, "not_found": 2}, 17, ("CN: not_found: HTTP status 404",)),),
)


def test_task_survives_json() -> None:
    """With paths, tuples and optional values."""
    assert Task.from_json(TASK.to_json()) == TASK


def test_report_with_line_breaks_is_written_on_one_line() -> None:
    assert "\n" not in event_line(Report("error", "two\nlines", 12.4, None, ()))


@pytest.mark.parametrize(
    "event", [Fetched("BR", "ok", ""), FutureObserved("BR", "<Future>"), WarmedUp(), REPORT]
)
def test_event_survives_json(event: Any) -> None:
    assert read_event(event_line(event)) == event


@pytest.mark.parametrize(
    ("latency", "written"),
    [
        (Fixed(0.5), {"fixed": {"seconds": 0.5}}),
        (Uniform(0.1, 0.2), {"uniform": {"low_s": 0.1, "high_s": 0.2}}),
        (Sampled((0.1, 0.9)), {"sampled": {"values_s": [0.1, 0.9]}}),
        (LogNormal(0.1, 0.9), {"lognormal": {"median_s": 0.1, "p99_s": 0.9}}),
    ],
)
def test_one_of_several_dataclasses_is_written_with_its_name(latency: Any, written: Any) -> None:
    profile = Profile("mine", latency)
    assert to_json_value(profile)["latency"] == written
    assert decode(Profile, encode(profile)) == profile


@pytest.mark.parametrize(
    ("sizes", "written"),
    [
        (FixedSize(1_000), {"fixedsize": {"size_bytes": 1_000}}),
        (LogNormalSize(1_000, 2_000), {"lognormalsize": {"median_bytes": 1_000, "p99_bytes": 2_000}}),
        (SampledSize((1_000, 9_000)), {"sampledsize": {"values_bytes": [1_000, 9_000]}}),
        (None, None),
    ],
)
def test_one_of_several_dataclasses_may_be_absent(sizes: Any, written: Any) -> None:
    profile = Profile("mine", sizes=sizes)
    assert to_json_value(profile).get("sizes") == written
    assert ("sizes" in to_json_value(profile)) is (sizes is not None)
    assert decode(Profile, encode(profile)) == profile


@pytest.mark.parametrize(
    ("latency", "message"),
    [
        ({"seconds": 0.5}, "Profile.latency: unexpected"),
        ({"normal": {"seconds": 0.5}}, "Profile.latency: unexpected"),
        ({"fixed": {"seconds": 0.5}, "uniform": {}}, "Profile.latency: unexpected"),
        ({}, "Profile.latency: unexpected '{}'"),
        (None, "Profile.latency: unexpected 'None'"),
        ({"fixed": None}, "Profile.latency.fixed: unexpected 'None'"),
        ({"uniform": {"seconds": 0.5}}, "Profile.latency.uniform: missing or unexpected: high_s, low_s, "),
    ],
)
def test_unknown_member_of_a_union_is_refused(latency: Any, message: str) -> None:
    with pytest.raises(MalformedError) as refused:
        from_json_value(Profile, {**to_json_value(Profile("mine")), "latency": latency}, "Profile")
    assert str(refused.value).startswith(message)


def test_mapping_to_objects_survives_json() -> None:
    """Its values are unchecked; the mapping itself must be one."""
    config = {"name": "mine", "blocks": 3, "precision": None, "workers": [1, {"x": 0.5}], "live": True}
    run = Run("mine", "complete", "2026-11-23T15:17:21Z", config, {}, (), ())
    assert decode(Run, encode(run)) == run
    with pytest.raises(MalformedError, match=r"Run\.config: unexpected"):
        from_json_value(Run, {**to_json_value(run), "config": [["name", "mine"]]}, "Run")


def changed(**values: Any) -> str:
    """Return the report as JSON with some values changed; ``...`` leaves one out."""
    document = {**json.loads(encode(REPORT)), **values}
    return json.dumps({name: value for name, value in document.items() if value is not ...})


def changed_round(**values: Any) -> str:
    """Return the report as JSON with some values of its round changed."""
    return changed(rounds=[{**json.loads(encode(REPORT))["rounds"][0], **values}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON document: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "not a JSON document: maximum recursion depth exceeded"),
        ("9" * 5_000, "not a JSON document: Exceeds the limit (4300 digits)"),
        ('{"ready_s": NaN}', "not a JSON document: NaN is not a JSON number"),
        ("[]", "Report: unexpected '[]'"),
        (changed(detail=...), "Report: missing or unexpected: detail"),
        (changed(extra=1), "Report: missing or unexpected: extra"),
        (changed(outcome="fine"), "Report.outcome: unexpected 'fine'"),
        (changed(outcome=["ok"]), "Report.outcome: unexpected \"['ok']\""),
        (changed(detail=None), "Report.detail: unexpected 'None'"),
        (changed(ready_s="1"), "Report.ready_s: unexpected '1'"),
        (changed(ready_s=True), "Report.ready_s: unexpected 'True'"),
        (changed(ready_s=10**400), "Report.ready_s: unexpected '1000"),
        (changed(rounds={}), "Report.rounds: unexpected '{}'"),
        (changed_round(verified=1.0), "Report.rounds[0].verified: unexpected '1.0'"),
        (changed_round(verified=True), "Report.rounds[0].verified: unexpected 'True'"),
        (changed_round(fetches=[]), "Report.rounds[0].fetches: unexpected '[]'"),
        (changed_round(fetches={"ok": "1"}), "Report.rounds[0].fetches.ok: unexpected '1'"),
        (changed_round(failures=[1]), "Report.rounds[0].failures[0]: unexpected '1'"),
    ],
)
def test_error_has_the_path_of_the_value(text: str, message: str) -> None:
    with pytest.raises(MalformedError) as refused:
        decode(Report, text)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("outcome", ["crash", "timeout"])
def test_refuses_a_report_of_an_end_that_only_the_runner_can_see(outcome: Any) -> None:
    with pytest.raises(MalformedError, match=f"a worker cannot report a {outcome}"):
        read_event(event_line(replace(REPORT, outcome=outcome)))


@pytest.mark.parametrize("line", ["{}", "[]", '{"other": 1}', '{"fetched": {}, "future": {}}'])
def test_event_without_exactly_one_known_name_is_refused(line: str) -> None:
    with pytest.raises(MalformedError, match="not an event"):
        read_event(line)


def test_longest_event_fits_into_an_atomic_write_to_a_pipe() -> None:
    """Longer lines of several processes could mix (PIPE_BUF)."""
    longest = one_line("\N{FLAG IN HOLE}" * 10_000)
    assert len(event_line(FutureObserved("BR", longest)).encode()) < 4096
    assert Fetch("BR", 0.0, 0.0, 0, 0, "error", longest).detail == longest
