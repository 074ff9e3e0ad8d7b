"""Why a trial does not count although its strategy did nothing wrong."""

from dataclasses import replace

import pytest

from bench.measurement import Witness
from bench.runner.expectation import Expectation
from bench.runner.refusal import refusal
from tests.builders import witness

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
        (replace(witness(), busy=0.95), FIFTY, "the server was at its limit: 95% of its core"),
    ],
)
def test_a_server_that_broke_its_word_is_named(seen: Witness, expected: Expectation, said: str) -> None:
    """Late at the 99th percentile, late on average, or at its limit."""
    assert refusal([witness(), seen], expected) == said
