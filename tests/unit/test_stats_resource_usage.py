"""Check the limit of a case for typical shares of processor time."""

import pytest

from bench.stats.resource_usage import Limit, find_limit


@pytest.mark.parametrize(
    ("cpu_share", "server_busy", "cores", "limit"),
    [
        (0.32, 0.02, 1, None),
        (0.50, 0.02, 1, None),
        (0.93, 0.06, 1, "client"),
        (0.99, 0.06, 4, "client"),
        (3.70, 0.20, 4, "cores"),
        (0.93, 0.62, 1, "server"),
        (None, 0.02, 1, None),
        (None, 0.62, 1, "server"),
        (0.93, None, 1, "client"),
        (None, None, 1, None),
    ],
)
def test_limit_is_the_part_that_is_busy(
    cpu_share: float | None, server_busy: float | None, cores: int, limit: Limit | None
) -> None:
    assert find_limit(cpu_share, server_busy, cores) == limit
