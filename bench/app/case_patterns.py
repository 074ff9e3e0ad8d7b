"""Select cases by a pattern of their ids. Used by ``--only``, ``--case`` and ``--against``."""

from fnmatch import fnmatchcase
from typing import Final

from bench.errors import UsageError
from bench.model.cases import Case

_MAX_LISTED: Final = 5


def matches_pattern(case_id: str, pattern: str) -> bool:
    """Return whether an id matches a shell pattern, or starts with it."""
    return fnmatchcase(case_id, pattern) or case_id.startswith(pattern)


def select_cases(cases: tuple[Case, ...], pattern: str) -> tuple[Case, ...]:
    """Return the cases that match a pattern.

    Raises:
        UsageError: no case does.
    """
    matching = tuple(case for case in cases if matches_pattern(case.id, pattern))
    if not matching:
        raise UsageError(f"no case matches {pattern!r}", hint=f"the first is {cases[0].id!r}")
    return matching


def select_case(cases: tuple[Case, ...], pattern: str) -> Case:
    """Return the case with this id, or else the only one that matches the pattern.

    Raises:
        UsageError: no case matches, or several do.
    """
    for case in cases:
        if case.id == pattern:
            return case
    matching = select_cases(cases, pattern)
    if len(matching) > 1:
        ids = [case.id for case in matching[:_MAX_LISTED]] + ["…"] * (len(matching) > _MAX_LISTED)
        raise UsageError(f"{pattern!r} matches {len(matching)} cases", hint=f"name one of {', '.join(ids)}")
    return matching[0]
