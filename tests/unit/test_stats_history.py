"""Check the series of a history, and the steps found in them."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.stats.change_points import WINDOW
from bench.stats.history import Point, history_tracks
from tests.histories import commit_number, noisy, point


def test_tracks_are_ordered_by_case_and_metric() -> None:
    points = [
        point(number, case=case, metric=metric)
        for number in range(3)
        for case in ("b", "a")
        for metric in ("memory", "elapsed", "cpu")
    ]
    random.Random(1).shuffle(points)
    tracks = history_tracks(points)
    assert [(each.case, each.metric) for each in tracks] == [
        (case, metric) for case in "ab" for metric in ("elapsed", "cpu", "memory")
    ]
    for track in tracks:
        (series,) = track.series
        assert [each.time for each in series.points] == sorted(each.time for each in series.points)


def test_each_machine_has_its_own_track() -> None:
    points = [point(number, fingerprint="1" * 64) for number in range(12)]
    points += [point(number, 1.5, fingerprint="2" * 64) for number in range(12, 24)]
    tracks = history_tracks(points)
    assert [each.fingerprint[0] for each in tracks] == ["1", "2"]
    assert all(series.steps == () for track in tracks for series in track.series)


def test_other_settings_have_their_own_track() -> None:
    """A config may have changed and kept its name and the ids of its cases."""
    points = [point(number) for number in range(12)]
    points += [point(number, 1.5, settings="6" * 16) for number in range(12, 24)]
    tracks = history_tracks(points)
    assert [each.settings[0] for each in tracks] == ["5", "6"]
    assert all(series.steps == () for track in tracks for series in track.series)


def test_another_reference_starts_another_series() -> None:
    """The series with the newest point is last, though their times overlap."""
    points = [point(number, reference="a" * 40) for number in range(0, 24, 2)]
    points += [point(number, 1.5, reference="b" * 40) for number in range(1, 24, 2)]
    (track,) = history_tracks(points)
    assert [each.reference[0] for each in track.series] == ["a", "b"]
    assert all(series.steps == () for series in track.series)


def test_step_has_its_first_point_and_its_size() -> None:
    levels = [1.0] * 20 + [1.10] * 15 + [1.05] * 20
    (track,) = history_tracks(point(number, ratio) for number, ratio in enumerate(noisy(levels, sigma=0.005)))
    first, second = track.series[0].steps
    assert [first.point.run, second.point.run] == [point(20).run, point(35).run]
    assert first.ratio == pytest.approx(1.10, abs=0.01)
    assert second.ratio == pytest.approx(1.05 / 1.10, abs=0.01)
    assert first.p <= 0.01


@pytest.mark.long
def test_size_of_a_step_ignores_points_before_the_scanned_window() -> None:
    levels = [2.0] * WINDOW + [1.0] * (WINDOW - 30) + [1.05] * 30
    (track,) = history_tracks(point(number, ratio) for number, ratio in enumerate(noisy(levels)))
    (step,) = track.series[0].steps
    assert step.ratio == pytest.approx(1.05, abs=0.01)


def test_wandering_series_is_told_from_a_series_with_steps() -> None:
    source = random.Random(2)
    value, wandering = 0.0, []
    for _ in range(120):
        value = 0.6 * value + source.gauss(0, 0.01)
        wandering.append(math.exp(value))
    stepped = noisy([1.0] * 60 + [1.05] * 60)
    for ratios, wanders in ((wandering, True), (stepped, False), (noisy([1.0] * 60), False)):
        (track,) = history_tracks(point(number, ratio) for number, ratio in enumerate(ratios))
        assert track.series[0].wanders is wanders
    assert track.series[0].steps == ()


def test_points_stand_in_the_order_of_their_commits() -> None:
    """Those of one commit stand by time, and those of an unknown commit behind the one measured before."""
    points = [point(number) for number in range(6)]
    again = replace(points[5], commit=points[1].commit)
    ranks = {points[4].commit: 0, points[1].commit: 1, points[0].commit: 2}
    (track,) = history_tracks([*points[:5], again], ranks)
    in_order = (points[4], points[1], again, points[2], points[3], points[0])
    assert track.series[0].points == in_order
    assert track.series[0].newest == again


def versions(levels: Sequence[float], days: Sequence[int]) -> tuple[list[Point], dict[str, int]]:
    """Build a point of each version, measured on these days, and the order of their commits."""
    drawn = enumerate(zip(days, noisy(levels, sigma=0.002), strict=True))
    points = [replace(point(day, ratio), commit=commit_number(number)) for number, (day, ratio) in drawn]
    return points, {each.commit: rank for rank, each in enumerate(points)}


def test_backfill_in_reverse_order_has_the_steps_of_its_commits() -> None:
    levels = [1.0] * 7 + [1.14] * 7
    points, ranks = versions(levels, range(13, -1, -1))
    (track,) = history_tracks(points, ranks)
    (step,) = track.series[0].steps
    assert step.ratio == pytest.approx(1.14, abs=0.01)
    assert step.point == points[7]
    assert track.series[0].unconfirmed == ()


def test_versions_measured_late_do_not_turn_the_last_step_around() -> None:
    """Versions 15 to 28 were measured as they came, and 1 to 14 later, in reverse order."""
    levels = [1.0] * 7 + [1.07] * 7 + [1.22] * 14
    points, ranks = versions(levels, [*range(27, 13, -1), *range(14)])
    (by_time,) = history_tracks(points)
    assert by_time.series[0].steps[-1].ratio == pytest.approx(1 / 1.07, abs=0.01)
    (track,) = history_tracks(points, ranks)
    steps = track.series[0].steps
    assert [each.point for each in steps] == [points[7], points[14]]
    assert steps[-1].ratio == pytest.approx(1.14, abs=0.01)


def test_step_of_levels_that_were_measured_in_turns_is_not_claimed() -> None:
    """It is a step in one order and none in the other."""
    levels = [1.0] * 10 + [1.10] * 10
    points, ranks = versions(levels, [*range(0, 20, 2), *range(1, 20, 2)])
    (track,) = history_tracks(points, ranks)
    assert track.series[0].steps == ()
    (doubtful,) = track.series[0].unconfirmed
    assert (doubtful.point, doubtful.order) == (points[10], "commits")


def test_step_that_only_the_order_of_measuring_has_is_named_and_not_claimed() -> None:
    """The machine changed halfway through measuring the versions, even ones first."""
    days = [*range(0, 20, 2), *range(1, 20, 2)]
    slow_from = 10
    measured_at = {number: day for day, number in enumerate(days)}
    levels = [1.1 if measured_at[number] >= slow_from else 1.0 for number in range(20)]
    points, ranks = versions(levels, [measured_at[number] for number in range(20)])
    (track,) = history_tracks(points, ranks)
    assert track.series[0].steps == ()
    (doubtful,) = track.series[0].unconfirmed
    assert (doubtful.point, doubtful.order) == (points[days[slow_from]], "measuring")
    assert doubtful.ratio == pytest.approx(1.1, abs=0.01)


def test_a_long_backfill_leaves_a_step_claimed() -> None:
    """Both orders are scanned over the newest 200 commits, whenever these were measured."""
    levels = [1.0] * 200 + [1.10] * 100
    points, ranks = versions(levels, [*range(300, 400), *range(200)])
    (track,) = history_tracks(points, ranks)
    assert [each.point for each in track.series[0].steps] == [points[200]]
    assert track.series[0].unconfirmed == ()


def test_a_claimed_step_is_not_in_doubt_as_well() -> None:
    """A slow-down that was undone, whose slow versions were measured last."""
    levels = [1.0] * 25 + [1.10] * 15 + [1.0] * 25
    points, ranks = versions(levels, [*range(25), *range(50, 65), *range(25, 50)])
    (track,) = history_tracks(points, ranks)
    assert [each.point for each in track.series[0].steps] == [points[25], points[40]]
    assert track.series[0].unconfirmed == ()


def test_both_steps_are_claimed_if_the_middle_level_was_measured_last() -> None:
    """No level stands beside the same one in both orders, but both orders keep them apart."""
    levels = [1.0] * 10 + [1.10] * 10 + [1.20] * 10
    points, ranks = versions(levels, [*range(10), *range(20, 30), *range(10, 20)])
    (track,) = history_tracks(points, ranks)
    assert [each.point for each in track.series[0].steps] == [points[10], points[20]]
    assert track.series[0].unconfirmed == ()


def test_one_old_version_measured_again_leaves_a_step_claimed() -> None:
    levels = [1.0] * 10 + [1.10] * 10
    points, ranks = versions(levels, [0, 1, 30, *range(3, 20)])
    (track,) = history_tracks(points, ranks)
    assert [each.point for each in track.series[0].steps] == [points[10]]
