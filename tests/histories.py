"""Build points and ratios of a history for tests."""

import math
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from bench.model.comparison import Metric
from bench.stats.history import Point

REFERENCE = "a" * 40
CASE = "threadpool_map/requests/3/20ms"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def commit_number(number: int) -> str:
    """Return a commit with a number of its own."""
    return f"{number:07x}" + "c" * 33


def point(  # noqa: PLR0913  each may be what a test is about
    number: int,
    ratio: float = 1.0,
    *,
    case: str = CASE,
    metric: Metric = "elapsed",
    reference: str = REFERENCE,
    fingerprint: str = "f" * 64,
    settings: str = "5" * 16,
) -> Point:
    """Build the point of day ``number``."""
    time = START + timedelta(days=number)
    return Point(
        time=time.isoformat(),
        commit=commit_number(number),
        reference=reference,
        case=case,
        metric=metric,
        log_ratio=math.log(ratio),
        low=0.99 * ratio,
        high=1.01 * ratio,
        blocks=14,
        verdict="equivalent",
        fingerprint=fingerprint,
        config="ci",
        settings=settings,
        run=f"ci-{time:%Y%m%d-%H%M%S}",
    )


def noisy(levels: Iterable[float], seed: int = 1, sigma: float = 0.01) -> Sequence[float]:
    """Draw a ratio around each of these levels."""
    source = random.Random(seed)
    return [level * math.exp(source.gauss(0, sigma)) for level in levels]
