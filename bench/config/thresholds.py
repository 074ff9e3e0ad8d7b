"""How a bound of a figure is written: ``p99 < 80ms``."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Final, TypeAlias, cast

from pydantic import AfterValidator, Field

from bench.config import units
from bench.config.patterns import positive, whole_between
from bench.config.pydantic_types import Editor, FieldError, Shorthand, Text, one_or_more, reject, some
from bench.config.quoting import did_you_mean, quote_text
from bench.config.scalars import DURATIONS, POSITIVE_SHARE, SHARES, SIZES
from bench.model.cases import Case
from bench.model.comparison import Bound, BoundedFigure, Relation
from bench.model.text import join_or

_MOST_ERRORS: Final = 1_000_000
"""As many as a round can have fetches."""
_READERS: Final[Mapping[BoundedFigure, Callable[[str], float]]] = {
    "elapsed": units.parse_positive_duration,
    "p99": units.parse_positive_duration,
    "cpu": units.parse_positive_duration,
    "memory": units.size_bytes,
    "efficiency": units.parse_share,
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
        raise ValueError(f"must be a bound such as p99 < 80ms, not {quote_text(text)}")
    figure, relation, value = found.groups()
    if figure not in _READERS:
        hint = did_you_mean(figure, _READERS) or f"; the figures are {join_or(_READERS)}"
        raise ValueError(f"unknown figure {quote_text(figure)}{hint}")
    if relation not in _RELATIONS:
        raise ValueError(f"unknown relation {quote_text(relation)}; the relations are {join_or(_RELATIONS)}")
    if relation == "==" and figure != _COUNTED:
        raise ValueError(
            f"'==' goes only with {_COUNTED}, which are counted; {figure} is never quite the same"
        )
    kind = cast("BoundedFigure", figure)
    try:
        return Bound("*", kind, cast("Relation", relation), float(_READERS[kind](value)))
    except ValueError as error:
        raise ValueError(f"{figure} {error}") from error


_MOST_PATTERNS: Final = 50
_LONGEST_PATTERN: Final = 200
_MOST_COMPARED: Final = 200
"""Cases among which a near miss is looked for; among more of them that would take too long."""

Threshold: TypeAlias = float | Bound
"""A share is the greatest change that is still *equivalent*."""
Demands: TypeAlias = dict[str, tuple[Threshold, ...]]
"""By pattern of cases."""


def _threshold(text: str) -> Threshold:
    if is_bound(text):
        return bound(text)
    if not text[:1].isdigit():
        raise ValueError(f"must be a share such as 5%, or a bound such as p99 < 80ms, not {quote_text(text)}")
    return units.parse_positive_share(text)


def _one_share(thresholds: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
    shares = [index for index, each in enumerate(thresholds) if isinstance(each, float)]
    reject([FieldError((index,), "is a second share; what may change is one") for index in shares[1:]])
    return thresholds


def _some_patterns(thresholds: Demands) -> Demands:
    if not 0 < len(thresholds) <= _MOST_PATTERNS:
        raise ValueError(f"must have from 1 to {_MOST_PATTERNS} patterns, not {len(thresholds):,}")
    return thresholds


Thresholds: TypeAlias = Annotated[
    dict[
        str,
        Annotated[
            tuple[Annotated[Threshold, Text(_threshold, {"anyOf": [POSITIVE_SHARE, BOUND]})], ...],
            AfterValidator(some),
            AfterValidator(_one_share),
            Shorthand(one_or_more),
        ],
    ],
    AfterValidator(_some_patterns),
    Field(json_schema_extra={"minProperties": 1, "maxProperties": _MOST_PATTERNS}),
]


def idle(patterns: Sequence[str], cases: Sequence[Case]) -> list[FieldError]:
    """Find patterns that fit none of the cases; each names the nearest that would."""
    ids = [case.plain_id for case in cases]
    known = [f"{name}/*" for name in dict.fromkeys(case.strategy for case in cases)]
    if len(ids) <= _MOST_COMPARED:
        known += ids
    return [
        FieldError((pattern,), f"fits no case{did_you_mean(pattern, known)}", of_key=True)
        for pattern in patterns
        if len(pattern) > _LONGEST_PATTERN or not any(fnmatchcase(each, pattern) for each in ids)
    ]


def margins_of(thresholds: Demands) -> tuple[tuple[str, float], ...]:
    """Return the shares, each with its pattern, in the config's order."""
    return tuple((pattern, each) for pattern, each in _all(thresholds) if isinstance(each, float))


def bounds_of(thresholds: Demands) -> tuple[Bound, ...]:
    """Return the bounds, each for its pattern, in the config's order."""
    return tuple(replace(each, pattern=key) for key, each in _all(thresholds) if isinstance(each, Bound))


def _all(thresholds: Demands) -> Iterator[tuple[str, Threshold]]:
    for pattern, demanded in thresholds.items():
        for each in demanded:
            yield pattern, each
