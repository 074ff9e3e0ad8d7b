"""What the command line changes about an experiment."""

from dataclasses import replace

import pytest

from bench.app.select import apply_overrides, select_case, select_cases
from bench.errors import UsageError
from bench.model.cases import Experiment, Stopping
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
    assert select_cases(CASES, pattern) == kept


def test_a_pattern_without_a_match_is_refused() -> None:
    """An empty run helps nobody."""
    with pytest.raises(UsageError, match="no case matches"):
        select_cases(CASES, "gevent*")


def test_only_what_was_said_is_changed() -> None:
    """Blocks and seed, each on its own; a seed of zero is a seed."""
    experiment = Experiment("x", CASES, {}, 8, None, 60, 10, 7)
    assert apply_overrides(experiment, only=None, blocks=None, seed=None) == experiment
    changed = apply_overrides(experiment, only="asyncio_*", blocks=3, seed=0)
    assert (changed.cases, changed.blocks, changed.seed) == ((LOOP,), 3, 0)


@pytest.mark.parametrize("pattern", [POOL.id, "threadpool", "*/requests/*"])
def test_one_case_is_named_by_its_id_or_what_only_it_matches(pattern: str) -> None:
    """As ``--only`` does, but for one."""
    assert select_case(CASES, pattern) == POOL


def test_an_id_that_begins_another_one_is_itself() -> None:
    """A connection per request makes an id longer."""
    closing = replace(POOL, keep_alive=False)
    assert select_case((closing, POOL), POOL.id) == POOL


def test_a_pattern_of_several_cases_names_them() -> None:
    """Five at the most, so that the message stays one."""
    cases = tuple(case(workers=workers) for workers in range(1, 8))
    with pytest.raises(UsageError, match="'thread' matches 7 cases; say which of") as raised:
        select_case(cases, "thread")
    assert raised.value.hint.count("threadpool_map") == 5
    assert raised.value.hint.endswith(", …")
    with pytest.raises(UsageError, match=f"matches 2 cases; say which of {POOL.id}, {LOOP.id}$"):
        select_case(CASES, "*")
    with pytest.raises(UsageError, match="no case matches 'gevent'"):
        select_case(CASES, "gevent")


def test_blocks_that_were_said_are_exactly_so_many() -> None:
    """Precision and budget of the config are set aside; a seed leaves them alone."""
    experiment = Experiment("x", CASES, {}, 64, None, 60, 10, 7, stopping=Stopping(8, 0.03, 60.0))
    assert apply_overrides(experiment, only=None, blocks=5, seed=None).stopping is None
    assert apply_overrides(experiment, only=None, blocks=None, seed=3).stopping == Stopping(8, 0.03, 60.0)
