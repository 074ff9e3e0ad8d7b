"""Check the file of the history: points are stored once, and damage is refused."""

import json
import math
import os
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from bench.errors import LockedError, SetupError, UnreadableResultError
from bench.storage.history import add_points, encode_point, read_history
from tests.histories import point
from tests.lock_holder import lock_holder

Change = Callable[[dict[str, Any]], object]


def file_of(folder: Path, *lines: str) -> Path:
    """Write lines as they are."""
    path = folder / "history.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_points_are_read_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "results" / "history.jsonl"
    points = [point(0), replace(point(1, 1.05), low=None, high=None)]
    assert read_history(path) == ()
    assert add_points(points, path) == 2
    assert read_history(path) == tuple(points)
    assert [each.name for each in path.parent.iterdir()] == ["history.jsonl"]


def test_point_is_added_once(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    add_points([point(0), point(1)], path)
    before = path.read_bytes()
    assert add_points([point(0), point(1)], path) == 0
    assert path.read_bytes() == before
    assert add_points([point(1), point(2)], path) == 1
    assert path.read_bytes().startswith(before)


def test_order_and_repetition_of_lines_do_not_matter(tmp_path: Path) -> None:
    """A merge by git may leave them so."""
    points = [point(number, metric=metric) for number in range(5) for metric in ("elapsed", "p99")]
    lines = [encode_point(each) for each in points] * 2
    random.Random(1).shuffle(lines)
    assert read_history(file_of(tmp_path, *lines)) == tuple(points)


def test_line_has_the_documented_keys_and_is_ascii() -> None:
    line = encode_point(point(3, 1.05, case="é"))
    assert line.isascii()
    assert list(json.loads(line)) == [
        "schema", "time", "commit", "reference", "case", "metric", "log_ratio", "low", "high", "blocks",
        "verdict", "fingerprint", "config", "settings", "run",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda line: line.update(schema=2), "of schema 2, and this flagbench reads 1"),
        (lambda line: line.update(schema=True), "of schema True"),
        (lambda line: line.pop("schema"), "of schema None"),
        (lambda line: line.pop("commit"), "missing or unexpected: commit"),
        (lambda line: line.update(more=1), "missing or unexpected: more"),
        (lambda line: line.update(metric="speed"), "point.metric: unexpected 'speed'"),
        (lambda line: line.update(commit="abc"), "not a full commit"),
        (lambda line: line.update(reference="a" * 39 + "\n"), "not a full commit"),
        (lambda line: line.update(time="yesterday"), "not a time in UTC"),
        (lambda line: line.update(time="2026-01-02T03:04:05+01:00"), "not a time in UTC"),
        (lambda line: line.update(time="2026-01-02T03:04:05"), "not a time in UTC"),
        (lambda line: line.update(time="20260102T030405+0000"), "not a time in UTC"),
        (lambda line: line.update(log_ratio=1000), "beyond what can be measured"),
        (lambda line: line.update(blocks=0), "beyond what can be measured"),
        (lambda line: line.update(low=None), "one without the other"),
        (lambda line: line.update(low=2, high=1), "no bounds of a ratio"),
        (lambda line: line.update(low=-1), "no bounds of a ratio"),
    ],
)
def test_malformed_line_is_refused_with_its_number(tmp_path: Path, change: Change, complaint: str) -> None:
    document = json.loads(encode_point(point(1)))
    change(document)
    path = file_of(tmp_path, encode_point(point(0)), json.dumps(document), encode_point(point(2)))
    with pytest.raises(UnreadableResultError) as caught:
        read_history(path)
    assert caught.value.what.startswith(f"{path}:2: ")
    assert complaint in caught.value.what


@pytest.mark.parametrize(
    "line", ["", "<<<<<<< HEAD", "{", "[]", "NaN", '{"schema":1,"time":NaN}', "[" * 100_000]
)
def test_line_that_is_not_an_object_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UnreadableResultError, match=r"history\.jsonl:2: "):
        read_history(file_of(tmp_path, encode_point(point(0)), line))


def test_line_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = file_of(tmp_path, encode_point(point(0)))
    path.write_bytes(path.read_bytes() + b"\xff\xfe\n")
    with pytest.raises(UnreadableResultError, match=r"history\.jsonl:2: "):
        read_history(path)


def test_last_line_without_an_end_is_refused_and_not_appended_to(tmp_path: Path) -> None:
    path = file_of(tmp_path, encode_point(point(0)))
    path.write_text(path.read_text("utf-8") + encode_point(point(1)), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(UnreadableResultError, match=r"history\.jsonl:2: it has no line end"):
        add_points([point(2)], path)
    assert path.read_bytes() == before


def test_contradicting_lines_are_refused(tmp_path: Path) -> None:
    other = replace(point(0), log_ratio=math.log(2))
    with pytest.raises(UnreadableResultError, match=r"history\.jsonl:3: it contradicts another line"):
        read_history(file_of(tmp_path, encode_point(point(0)), encode_point(point(1)), encode_point(other)))


def test_failed_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file_of(tmp_path, encode_point(point(0)))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SetupError, match=r"cannot write .* bytes"):
        add_points([point(1)], path)
    assert read_history(path) == (point(0),)


def test_folder_that_cannot_be_created_is_a_setup_error(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(SetupError, match=r"cannot add to .*; run the command in a writable folder"):
        add_points([point(0)], tmp_path / "results" / "history.jsonl")


def test_writer_waits_for_the_lock_and_then_names_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with lock_holder(tmp_path / ".history.lock") as first:
        words = f"in use by process {first.pid}; wait for it, and try again"
        with pytest.raises(LockedError, match=words):
            add_points([point(0)], path, wait_s=0.05)
        assert not path.exists()
        Timer(0.2, first.kill).start()
        assert add_points([point(0)], path, wait_s=10) == 1


def calls_to_read(path: Path) -> int:
    """Count the calls of Python functions while a file is read."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read_history(path)
    finally:
        sys.setprofile(before)
    return calls


def test_time_to_read_grows_linearly(tmp_path: Path) -> None:
    """The calls are counted; at this number, 10,000 lines take less than a second."""
    few = file_of(tmp_path, *(encode_point(point(number)) for number in range(200)))
    calls = calls_to_read(few)
    many = file_of(tmp_path, *(encode_point(point(number)) for number in range(400)))
    assert calls < 200 * 150
    assert calls_to_read(many) < 2.2 * calls
