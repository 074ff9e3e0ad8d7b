"""What the command line changes about an experiment."""

import pytest

from bench.commands.choosing import amended, matching
from bench.errors import UsageError
from bench.model import Experiment
from tests.builders import case

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
CASES = (POOL, LOOP)


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [("asyncio_*", (LOOP,)), ("*/requests/*", (POOL,)), ("threadpool", (POOL,)), ("*", CASES)],
)
def test_patterns_select_cases(pattern: str, kept: tuple[object, ...]) -> None:
    """As a shell would, or by how the id begins."""
    assert matching(CASES, pattern) == kept


def test_a_pattern_without_a_match_is_refused() -> None:
    """An empty run helps nobody."""
    with pytest.raises(UsageError, match="no case matches"):
        matching(CASES, "gevent*")


def test_only_what_was_said_is_changed() -> None:
    """Blocks and seed, each on its own; a seed of zero is a seed."""
    experiment = Experiment("x", CASES, {}, 8, None, 60, 10, 7)
    assert amended(experiment, only=None, blocks=None, seed=None) == experiment
    changed = amended(experiment, only="asyncio_*", blocks=3, seed=0)
    assert (changed.cases, changed.blocks, changed.seed) == ((LOOP,), 3, 0)
