"""How long it takes to read a long history, and to find the steps in it.

On a quiet machine: ``make benchmarks``.
"""

import time
from pathlib import Path

import pytest

from bench.model.comparison import METRICS
from bench.stats.history import history_tracks
from bench.storage.history import add_points, read_history
from tests.histories import noisy, point


def test_ten_thousand_points_are_read_in_a_second(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case and a metric every day for eight months, forty of them, each with a step of its own."""
    path = tmp_path / "history.jsonl"
    for number in range(20):
        ratios = noisy([1.0] * (100 + number) + [1.05] * (150 - number), number)
        for metric in METRICS[:2]:
            add_points(
                (point(day, ratio, case=f"case {number}", metric=metric) for day, ratio in enumerate(ratios)),
                path,
            )
    start_s = time.perf_counter()
    points = read_history(path)
    read_s = time.perf_counter() - start_s
    tracks = history_tracks(points)
    scanned_s = time.perf_counter() - start_s - read_s
    assert sum(len(series.steps) for track in tracks for series in track.series) >= len(tracks)
    with capsys.disabled():
        print(f"\n{len(points):,} points: read in {read_s:.2f} s, scanned in {scanned_s:.2f} s")
    assert read_s < 1
