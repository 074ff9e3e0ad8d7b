"""One word for each status."""

import pytest

from bench.api.outcomes import outcome_of_status


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"),
        (204, "corrupt"),
        (302, "redirect"),
        (403, "error"),
        (404, "not_found"),
        (418, "server_error"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "unavailable"),
        (0, "error"),
    ],
)
def test_a_status_has_a_class(status: int, outcome: str) -> None:
    """Teapots are server errors here, as in the chapter."""
    assert outcome_of_status(status) == outcome
