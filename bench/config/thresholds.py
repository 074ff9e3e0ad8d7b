"""What a config demands of some cases or of all: how much may change, and what a figure must keep to."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field

from bench.config import units
from bench.config.bounds import BOUND, bound, is_bound
from bench.config.fields import Fault, Short, Text, one_or_more, refuse, some
from bench.config.scalars import POSITIVE_SHARE
from bench.config.wording import near, shown
from bench.model.cases import Case
from bench.model.comparison import Bound

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
        raise ValueError(f"must be a share such as 5%, or a bound such as p99 < 80ms, not {shown(text)}")
    return units.positive_share(text)


def _one_share(thresholds: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
    shares = [index for index, each in enumerate(thresholds) if isinstance(each, float)]
    refuse([Fault((index,), "is a second share; what may change is one") for index in shares[1:]])
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
            Short(one_or_more),
        ],
    ],
    AfterValidator(_some_patterns),
    Field(json_schema_extra={"minProperties": 1, "maxProperties": _MOST_PATTERNS}),
]


def idle(patterns: Sequence[str], cases: Sequence[Case]) -> list[Fault]:
    """Find patterns that fit none of the cases; each names the nearest that would."""
    ids = [case.plain_id for case in cases]
    known = [f"{name}/*" for name in dict.fromkeys(case.strategy for case in cases)]
    if len(ids) <= _MOST_COMPARED:
        known += ids
    return [
        Fault((pattern,), f"fits no case{near(pattern, known)}", of_key=True)
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
