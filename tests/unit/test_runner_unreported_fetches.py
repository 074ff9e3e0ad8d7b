"""The outcomes of fetches that a function of the user's does not report."""

from collections.abc import Mapping

import pytest

from bench.model.function_call import FunctionCall
from bench.model.served_trials import ObservedRound
from bench.runner.expected_round import Expectation
from bench.runner.unreported_fetches import complete_report, explain_failure
from bench.worker.protocol import Report, TimedRound
from tests.builders import server_round


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


def explained(call: FunctionCall, *, requests: int, verified: int = 0) -> str | None:
    """Explain the failure of a function that was to download three flags."""
    report = Report("error", "", 0.0, 0.1, (TimedRound(0.2, {"ok": verified}, verified, ()),))
    seen = {0: ObservedRound(server_round(requests), 0.0, 0.0, requests, 0.0, 0.0, 0.0)} if requests else {}
    return explain_failure(call, report, seen, 3)


@pytest.mark.parametrize(
    ("call", "requests", "words"),
    [
        (FunctionCall("get_all", arguments={"codes": "codes"}), 0, "let get_all take its address"),
        (
            FunctionCall(arguments={"codes": "codes"}, addresses=("SITE",)),
            0,
            "SITE had its address, so get each flag from f'{SITE}/br/br.gif'",
        ),
        (FunctionCall(arguments={"codes": "codes", "server": "address"}), 0, "server had its address"),
        (FunctionCall(arguments={"codes": "codes"}), 6, "it sent 6 requests in a round of 3 flags"),
        (FunctionCall(arguments={"codes": "codes"}), 3, "no flag was saved"),
    ],
)
def test_failure_is_explained_by_the_requests(call: FunctionCall, requests: int, words: str) -> None:
    assert words in (explained(call, requests=requests) or "")


def test_other_failures_are_not_explained() -> None:
    assert explained(FunctionCall(arguments={"codes": "codes"}), requests=3, verified=2) is None
    assert explained(FunctionCall(), requests=0) is None


def test_function_that_asks_for_some_of_its_codes_is_told_so() -> None:
    line = explained(FunctionCall(arguments={"codes": "codes"}), requests=2, verified=2)
    assert line == "it sent 2 requests in a round of 3 flags: it must ask for every code that it is given"
