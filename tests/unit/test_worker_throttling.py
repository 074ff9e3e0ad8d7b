"""Counting how often a CPU quota stopped the control groups of a worker."""

from pathlib import Path

from bench.worker.throttling import count_throttled_periods

V1 = "nr_periods 9\nnr_throttled 3\nthrottled_time 882500222\nnr_bursts 0\n"
V2 = "usage_usec 5\nnr_periods 9\nnr_throttled 4\nthrottled_usec 88\n"


def test_periods_of_nested_groups_of_both_versions_are_added_up(tmp_path: Path) -> None:
    files = [tmp_path / "v1", tmp_path / "v2", tmp_path / "unlimited", tmp_path / "gone"]
    for file, text in zip(files, (V1, V2, "usage_usec 5\n"), strict=False):
        file.write_text(text)
    assert count_throttled_periods(files) == 7
    assert count_throttled_periods([]) == 0
