"""Read ``thresholds``: by pattern of cases, the margin of a change and bounds such as ``p99 < 80ms``."""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final, TypeAlias, cast

from pydantic import AfterValidator, Field

from bench.config.forms import Editor, FieldError, OneOrMore, Text, reject
from bench.config.problems import did_you_mean, quote_text, unknown_word
from bench.config.scalars import (
    POSITIVE_SHARE_EDITOR,
    parse_positive_duration,
    parse_positive_share,
    parse_share,
    parse_size,
    parse_whole,
)
from bench.model.cases import Case
from bench.model.comparison import Bound, BoundedFigure, Relation
from bench.model.text import join_or

_MOST_ERRORS: Final = 1_000_000
"""The most fetches that a round can have."""
_PARSERS: Final[Mapping[BoundedFigure, Callable[[str], float]]] = {
    "elapsed": parse_positive_duration,
    "p99": parse_positive_duration,
    "cpu": parse_positive_duration,
    "memory": parse_size,
    "efficiency": parse_share,
    "errors": parse_whole(0, _MOST_ERRORS),
}
_RELATIONS: Final[tuple[Relation, ...]] = ("<", "<=", "==", ">=", ">")
_COUNTED: Final = "errors"
_BOUND: Final = re.compile("([^<=>!~ ]+) *([<=>!~]+) *(.*)")
BOUND_EDITOR: Final[Editor] = {
    "type": "string",
    "pattern": f"^({'|'.join(_PARSERS)}) *(<|<=|==|>=|>) *[0-9][^ ]*$",
    "examples": ["p99 < 80ms", "memory < 80MiB", "efficiency > 70%", "errors == 0"],
}
_MOST_PATTERNS: Final = 50
_LONGEST_PATTERN: Final = 200
_MOST_COMPARED: Final = 200
"""The most cases that are searched for a near miss; more would take too long."""

Threshold: TypeAlias = float | Bound
"""A share is the margin: the greatest change that is still *equivalent*."""
ThresholdsByPattern: TypeAlias = dict[str, tuple[Threshold, ...]]


def parse_threshold(text: str) -> Threshold:
    """Read a share such as ``5%``, or a bound such as ``p99 < 80ms``.

    A bound holds for all cases.

    Raises:
        ValueError: the text is neither; the error ends a message.
    """
    if found := _BOUND.fullmatch(text):
        return _parse_bound(*found.groups())
    if not text[:1].isdigit():
        raise ValueError(f"must be a share such as 5%, or a bound such as p99 < 80ms, not {quote_text(text)}")
    return parse_positive_share(text)


def _parse_bound(figure: str, relation: str, value: str) -> Bound:
    if figure not in _PARSERS:
        raise ValueError(unknown_word("figure", figure, _PARSERS, f"; choose from {join_or(_PARSERS)}"))
    if relation not in _RELATIONS:
        raise ValueError(f"unknown relation {quote_text(relation)}; choose from {join_or(_RELATIONS)}")
    if relation == "==" and figure != _COUNTED:
        raise ValueError(f"'==' is for {_COUNTED} only, which are counted; use '<' or '>' for {figure}")
    kind = cast("BoundedFigure", figure)
    try:
        return Bound("*", kind, relation, float(_PARSERS[kind](value)))
    except ValueError as error:
        raise ValueError(f"{figure} {error}") from error


def _check_one_share(thresholds: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
    shares = [index for index, threshold in enumerate(thresholds) if isinstance(threshold, float)]
    reject([FieldError((index,), "is a second share; a pattern can have only one") for index in shares[1:]])
    return thresholds


def _check_number(thresholds: ThresholdsByPattern) -> ThresholdsByPattern:
    if not 0 < len(thresholds) <= _MOST_PATTERNS:
        raise ValueError(f"must have from 1 to {_MOST_PATTERNS} patterns, not {len(thresholds):,}")
    return thresholds


_Thresholds: TypeAlias = Annotated[
    OneOrMore[Annotated[Threshold, Text(parse_threshold, {"anyOf": [POSITIVE_SHARE_EDITOR, BOUND_EDITOR]})]],
    AfterValidator(_check_one_share),
]
ThresholdsField: TypeAlias = Annotated[
    dict[str, _Thresholds],
    AfterValidator(_check_number),
    Field(json_schema_extra={"minProperties": 1, "maxProperties": _MOST_PATTERNS}),
]


def unmatched_patterns(patterns: Sequence[str], cases: Sequence[Case]) -> list[FieldError]:
    """Find patterns that match none of the cases; each error names the nearest pattern that would."""
    ids = [case.plain_id for case in cases]
    known = [f"{name}/*" for name in dict.fromkeys(case.strategy for case in cases)]
    if len(ids) <= _MOST_COMPARED:
        known += ids
    return [
        FieldError((pattern,), f"matches no case{did_you_mean(pattern, known)}", at_key=True)
        for pattern in patterns
        if len(pattern) > _LONGEST_PATTERN or not any(fnmatchcase(each, pattern) for each in ids)
    ]
