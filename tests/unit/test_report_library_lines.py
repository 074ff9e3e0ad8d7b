"""Lines on the libraries of two variants: versions that differ, and dependency files that were not read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bench.app.comparison_plan import refuse_unread_locks
from bench.errors import IncomparableError
from bench.model.comparison import BuiltVariant
from bench.report.comparison_table import variant_lines
from bench.report.library_lines import environment_lines, library_lines
from tests.builders import case
from tests.comparisons import BASE, CANDIDATE, comparison_run


def about(
    libraries: Mapping[str, str], unread: Mapping[str, str] | None = None, locks: Sequence[str] = ()
) -> dict[str, Any]:
    """Build the facts about a variant."""
    return {
        "libraries": dict(libraries),
        "dependencies": {"read": [], "unread_locks": list(locks), "unread": dict(unread or {})},
    }


POOL = case()
OLD, NEW = {"httpx": "0.27.2", "h11": "0.14"}, {"httpx": "0.28.1", "h11": "0.14"}


def test_versions_that_differ_have_a_line_each() -> None:
    lines = library_lines({BASE: about({**OLD, "h2": "4.1"}), CANDIDATE: about(NEW)})
    assert list(lines) == [
        "h2: 4.1 in main, not loaded in worktree",
        "httpx: 0.27.2 in main, 0.28.1 in worktree",
    ]


def test_versions_in_the_environment_of_a_client_have_lines_of_their_own() -> None:
    first, second = about(OLD), about(OLD)
    first["environments"] = {"niquests": {"libraries": {"niquests": "3.20"}}, "odd": "text"}
    second["environments"] = {"niquests": {"libraries": {"niquests": "3.21"}}, "odd": "text"}
    assert list(library_lines({BASE: first, CANDIDATE: second})) == [
        "niquests for niquests: 3.20 in main, 3.21 in worktree"
    ]


def test_run_names_the_libraries_of_each_client_with_an_environment() -> None:
    run = replace(
        comparison_run(POOL, elapsed_s=lambda *_: 1.0),
        config={"environments": {"httpx==0.27.2": {"libraries": OLD}, "odd": "text"}},
    )
    assert list(environment_lines(run)) == [
        "httpx==0.27.2 had an environment of its own: httpx 0.27.2 and h11 0.14.",
    ]


def test_unread_files_that_differ_are_named_with_the_versions_of_both() -> None:
    first = about(OLD, {"a/requirements.txt": "1", "b/uv.lock": "1", "c/uv.lock": "1"})
    second = about(NEW, {"a/requirements.txt": "2", "b/uv.lock": "1"})
    lines = list(library_lines({BASE: first, CANDIDATE: second}))
    assert lines[1:] == ["not read: a/requirements.txt and c/uv.lock; both used h11 0.14"]


def test_unread_lock_is_named_even_if_it_is_equal() -> None:
    both = about(OLD, {"poetry.lock": "1"}, ["poetry.lock"])
    lines = list(library_lines({BASE: both, CANDIDATE: both}))
    assert lines == ["not read: poetry.lock; both used h11 0.14, httpx 0.27.2"]


def test_equal_variants_and_those_of_older_runs_have_no_lines() -> None:
    assert not list(library_lines({BASE: about(OLD), CANDIDATE: about(OLD)}))
    assert not list(library_lines({BASE: {}, CANDIDATE: {}}))
    assert not list(library_lines({BASE: about(OLD)}))


def test_table_of_a_comparison_has_the_lines() -> None:
    run = comparison_run(POOL, elapsed_s=lambda *_: 1.0)
    run = replace(run, config={**run.config, "variants": {BASE: about(OLD), CANDIDATE: about(NEW)}})
    assert list(variant_lines(run)) == ["httpx: 0.27.2 in main, 0.28.1 in worktree"]


@pytest.mark.parametrize("hashes", [("1", "2"), ("1", None), (None, "1")])
def test_lock_that_is_not_read_and_differs_is_refused(hashes: tuple[str | None, str | None]) -> None:
    unread = [{} if each is None else {"poetry.lock": each} for each in hashes]
    variants = {
        label: BuiltVariant("python", (), {}, about=about(OLD, files, list(files)))
        for label, files in zip((BASE, CANDIDATE), unread, strict=True)
    }
    with pytest.raises(IncomparableError, match=r"main and worktree differ in poetry\.lock") as refused:
        refuse_unread_locks(variants)
    assert "requirements.txt" in refused.value.hint
    refuse_unread_locks({BASE: variants[BASE], CANDIDATE: variants[BASE]})
