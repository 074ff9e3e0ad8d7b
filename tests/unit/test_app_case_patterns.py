"""Cases selected by a pattern of their ids."""

from dataclasses import replace

import pytest

from bench.app.case_patterns import select_case, select_cases
from bench.errors import UsageError
from tests.builders import case

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
CASES = (POOL, LOOP)


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [("asyncio_*", (LOOP,)), ("*/requests/*", (POOL,)), ("threadpool", (POOL,)), ("*", CASES)],
)
def test_pattern_matches_like_a_shell_or_as_the_start_of_an_id(
    pattern: str, kept: tuple[object, ...]
) -> None:
    assert select_cases(CASES, pattern) == kept


def test_pattern_without_a_match_is_refused() -> None:
    with pytest.raises(UsageError, match="no case matches"):
        select_cases(CASES, "gevent*")


@pytest.mark.parametrize("pattern", [POOL.id, "threadpool", "*/requests/*"])
def test_one_case_is_selected_by_its_id_or_a_pattern_of_it_alone(pattern: str) -> None:
    assert select_case(CASES, pattern) == POOL


def test_id_that_begins_another_id_selects_its_own_case() -> None:
    """A connection per request makes an id longer."""
    closing = replace(POOL, keep_alive=False)
    assert select_case((closing, POOL), POOL.id) == POOL


def test_pattern_of_several_cases_is_refused_with_at_most_five_ids() -> None:
    cases = tuple(case(workers=workers) for workers in range(1, 8))
    with pytest.raises(UsageError, match="'thread' matches 7 cases; name one of") as raised:
        select_case(cases, "thread")
    assert raised.value.hint.count("threadpool_map") == 5
    assert raised.value.hint.endswith(", …")
    with pytest.raises(UsageError, match=f"matches 2 cases; name one of {POOL.id}, {LOOP.id}$"):
        select_case(CASES, "*")
    with pytest.raises(UsageError, match="no case matches 'gevent'"):
        select_case(CASES, "gevent")
