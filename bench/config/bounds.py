"""How a bound of a figure is written: ``p99 < 80ms``."""

import re
from collections.abc import Callable, Mapping
from typing import Final, cast

from bench.config import units
from bench.config.fields import Editor
from bench.config.patterns import positive, whole_between
from bench.config.scalars import DURATIONS, SHARES, SIZES
from bench.config.wording import listing, near, shown
from bench.model.comparison import Bound, Bounded, Relation

_MOST_ERRORS: Final = 1_000_000
"""As many as a round can have fetches."""
_READERS: Final[Mapping[Bounded, Callable[[str], float]]] = {
    "elapsed": units.positive_duration_s,
    "p99": units.positive_duration_s,
    "cpu": units.positive_duration_s,
    "memory": units.size_bytes,
    "efficiency": units.share,
    "errors": units.whole(0, _MOST_ERRORS),
}
_RELATIONS: Final[tuple[Relation, ...]] = ("<", "<=", "==", ">=", ">")
_COUNTED: Final = "errors"
_BOUND: Final = re.compile("([^<=>!~ ]+) *([<=>!~]+) *(.*)")

_UNEQUAL: Final = "(<|<=|>=|>)"
_FORMS: Final = (
    f"(elapsed|p99|cpu) *{_UNEQUAL} *{positive(f'({DURATIONS})')}",
    f"memory *{_UNEQUAL} *{positive(SIZES)}",
    f"efficiency *{_UNEQUAL} *({SHARES})",
    f"{_COUNTED} *(<|<=|==|>=|>) *{whole_between(0, _MOST_ERRORS)}",
)
BOUND: Final[Editor] = {
    "type": "string",
    "pattern": f"^({'|'.join(_FORMS)})$",
    "examples": ["p99 < 80ms", "memory < 80MiB", "efficiency > 70%", "errors == 0"],
}


def is_bound(text: str) -> bool:
    """Say whether a text is a bound, or meant to be one."""
    return _BOUND.fullmatch(text) is not None


def bound(text: str) -> Bound:
    """Read a bound of all cases.

    Raises:
        ValueError: it is none, in words that end a message.
    """
    found = _BOUND.fullmatch(text)
    if found is None:
        raise ValueError(f"must be a bound such as p99 < 80ms, not {shown(text)}")
    figure, relation, value = found.groups()
    if figure not in _READERS:
        hint = near(figure, _READERS) or f"; the figures are {listing(_READERS)}"
        raise ValueError(f"unknown figure {shown(figure)}{hint}")
    if relation not in _RELATIONS:
        raise ValueError(f"unknown relation {shown(relation)}; the relations are {listing(_RELATIONS)}")
    if relation == "==" and figure != _COUNTED:
        raise ValueError(
            f"'==' goes only with {_COUNTED}, which are counted; {figure} is never quite the same"
        )
    kind = cast("Bounded", figure)
    try:
        return Bound("*", kind, cast("Relation", relation), float(_READERS[kind](value)))
    except ValueError as error:
        raise ValueError(f"{figure} {error}") from error
