"""Why a trial does not count although its strategy did nothing wrong."""

from dataclasses import replace

import pytest

from bench.model.results import ServerRound
from bench.runner.expected_round import Expectation
from bench.runner.validate import server_overload
from tests.builders import round_of, witness

FIFTY = Expectation(0.05, 0.15, 3, {"ok": 3}, {})
NOTHING = Expectation(0.0, 0.0, 3, {"ok": 3}, {})


@pytest.mark.parametrize(
    ("seen", "expected", "said"),
    [
        (witness(), FIFTY, ""),
        (witness(), NOTHING, ""),
        (
            replace(witness(), late_p99_s=0.0021),
            FIFTY,
            "the server was late: by 2.1 ms at the 99th percentile",
        ),
        (
            replace(witness(), late_mean_s=0.0018, late_p99_s=0.002),
            replace(FIFTY, service_s=0.1),
            "the server was late: by 1.8 ms on average where 33.3 ms were planned",
        ),
        (replace(witness(), late_mean_s=0.00045), NOTHING, ""),
        (
            replace(witness(), late_mean_s=0.0006),
            NOTHING,
            "the server was late: by 0.6 ms on average where 0 ms were planned",
        ),
    ],
)
def test_a_server_that_broke_its_word_is_named(seen: ServerRound, expected: Expectation, said: str) -> None:
    """Late at the 99th percentile, or on average."""
    sound = round_of(0.06)
    assert server_overload([sound, replace(sound, server=seen)], expected) == said


def test_a_server_at_its_limit_is_named() -> None:
    """Nine tenths of its core are as much as it can be trusted with."""
    rounds = [round_of(0.06), replace(round_of(0.06), server_busy=0.95)]
    assert server_overload(rounds, FIFTY) == "the server was at its limit: 95% of its core"


def test_nothing_is_said_of_a_server_that_was_not_heard() -> None:
    """Its silence is for others to judge."""
    assert server_overload([replace(round_of(0.06), server=None, server_busy=None)], FIFTY) == ""
