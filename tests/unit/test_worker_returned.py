"""What ``download_many`` may return, and what is said of everything else."""

from typing import Any

import pytest

from bench.api import Fetch
from bench.worker.return_value_check import check_return_value
from bench.worker.verify import Problem

CALLED_S, RETURNED_S = 100.0, 101.0
GOOD = Fetch("BR", 100.1, 100.9, 200, 16, "ok", "", 100.8)


def said(*returned: object, asked: int = 3) -> str:
    """Return what is said of a list of these, in one word and one line."""
    flaw = check_return_value(list(returned), asked, CALLED_S, RETURNED_S)
    return "" if flaw is None else f"{flaw.outcome}: {flaw.detail}"


@pytest.mark.parametrize(
    "fetch",
    [
        GOOD,
        GOOD._replace(start_s=CALLED_S, end_s=RETURNED_S),
        GOOD._replace(answered_s=0.0),
        GOOD._replace(answered_s=0, start_s=0, end_s=0),
        GOOD._replace(start_s=101, end_s=101, answered_s=101),
    ],
)
def test_times_in_order_or_none_at_all_are_fine(fetch: Fetch) -> None:
    """The moment of the answer need not be known."""
    assert said(fetch) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"start_s": float("nan")},
        {"end_s": float("nan")},
        {"answered_s": float("nan")},
        {"end_s": float("inf")},
        {"start_s": float("-inf")},
        {"start_s": -1.0},
        {"start_s": 99.9},
        {"end_s": 101.1},
        {"start_s": 100.95},
        {"answered_s": 100.95},
        {"start_s": 0.0},
        {"end_s": 0.0, "answered_s": 0.0},
        {"start_s": 10**400},
        {"start_s": 1.7e9, "answered_s": 1.7e9, "end_s": 1.7e9},
    ],
)
def test_times_that_cannot_be_of_this_round_are_an_error(changes: dict[str, Any]) -> None:
    """None of them, backward, before the call, after the return, or by another clock."""
    line = said(GOOD, GOOD._replace(**changes))
    expected = (
        "error: download_many returned a Fetch of 'BR' whose times are not in order within 100 to 101: "
    )
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"country": 7}, "a Fetch of 7 whose country is of type int"),
        ({"country": ["BR"]}, "a Fetch of ['BR'] whose country is of type list"),
        ({"start_s": "100.1"}, "a Fetch of 'BR' whose start_s is of type str"),
        ({"end_s": True}, "a Fetch of 'BR' whose end_s is of type bool"),
        ({"status": None}, "a Fetch of 'BR' whose status is of type NoneType"),
        ({"size_bytes": 16.0}, "a Fetch of 'BR' whose size_bytes is of type float"),
        ({"outcome": ["ok"]}, "a Fetch of 'BR' whose outcome is of type list"),
        ({"outcome": "splendid"}, "a Fetch of 'BR' whose outcome is 'splendid'"),
        ({"detail": b"bytes"}, "a Fetch of 'BR' whose detail is of type bytes"),
        ({"answered_s": [[[]]]}, "a Fetch of 'BR' whose answered_s is of type list"),
    ],
)
def test_a_field_of_another_type_is_an_error(changes: dict[str, Any], fault: str) -> None:
    """It is named."""
    assert said(GOOD._replace(**changes)) == f"error: download_many returned {fault}"


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        (None, "NoneType, not a list of Fetch"),
        ((GOOD,), "tuple, not a list of Fetch"),
        ("x" * 10_000_000, "str, not a list of Fetch"),
        ([("BR", "ok")], "a list with ('BR', 'ok') in it, which is no Fetch"),
    ],
)
def test_something_else_than_fetches_is_an_error(returned: object, what: str) -> None:
    """By its type, or by the first that is none."""
    assert check_return_value(returned, 1, CALLED_S, RETURNED_S) == Problem(
        "error", f"download_many returned {what}"
    )


def test_what_is_huge_is_named_in_short() -> None:
    """Neither a long list nor a long text makes a long line, or takes long."""
    assert said(*[GOOD] * 10_004) == "unexpected: 10,004 fetches for 3 countries"
    assert said(*[GOOD] * 10_003) == ""
    assert len(said("x" * 10_000_000)) < 200
    assert len(said(GOOD._replace(country="x" * 10_000_000, end_s=0.0))) < 200
