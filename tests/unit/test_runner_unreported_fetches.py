"""The outcomes of fetches that a function of the user's does not report."""

from collections.abc import Mapping

import pytest

from bench.runner.expected_round import Expectation
from bench.runner.unreported_fetches import complete_report
from bench.worker.protocol import Report, TimedRound


@pytest.mark.parametrize(
    ("planned", "told", "unreported", "fetches"),
    [
        ({"ok": 3}, {"ok": 3}, 0, {"ok": 3}),
        ({"ok": 2, "not_found": 1}, {"ok": 2}, 1, {"ok": 2, "not_found": 1}),
        ({"ok": 3}, {"ok": 2}, 1, {"ok": 2, "error": 1}),
        ({"ok": 2, "not_found": 1}, {"ok": 1}, 2, {"ok": 1, "not_found": 1, "error": 1}),
        (
            {"ok": 18, "corrupt": 1, "reset": 1},
            {"ok": 18, "corrupt": 1},
            1,
            {"ok": 18, "corrupt": 1, "reset": 1},
        ),
        ({"ok": 18, "corrupt": 2}, {"ok": 17, "corrupt": 3}, 0, {"ok": 17, "corrupt": 3}),
    ],
)
def test_fetches_end_as_planned_only_if_all_planned_flags_were_saved(
    planned: Mapping[str, int], told: Mapping[str, int], unreported: int, fetches: Mapping[str, int]
) -> None:
    expected = Expectation(0.1, 0.1, 1, planned, {})  # type: ignore[arg-type]
    first = TimedRound(0.2, {"ok": 1}, 1, (), None, {}, unreported=1)
    second = TimedRound(0.2, told, 1, (), None, {}, unreported=unreported)
    completed = complete_report(Report("ok", "", 0.0, 0.1, (first, second)), expected)
    assert completed.rounds[1].fetches == fetches
