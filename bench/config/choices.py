"""By which metrics a config has two variants compared."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator

from bench.config.pydantic_types import Shorthand, Text, one_or_more, some
from bench.config.quoting import did_you_mean, quote_text
from bench.model.cases import PROBES
from bench.model.comparison import METRICS, Metric
from bench.model.text import join_or

_METRIC: Final = {"enum": list(METRICS)}


def _metric(text: str) -> Metric:
    if text not in METRICS:
        hint = did_you_mean(text, METRICS) or f"; the metrics are {join_or(METRICS)}"
        raise ValueError(f"unknown metric {quote_text(text)}{hint}")
    return text


def _metrics_in_order(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Put them into one order, so that the same choice is the same setting."""
    return tuple(metric for metric in METRICS if metric in metrics)


Metrics: TypeAlias = Annotated[
    tuple[Annotated[Metric, Text(_metric, _METRIC)], ...],
    AfterValidator(some),
    AfterValidator(_metrics_in_order),
    Shorthand(one_or_more),
]


_FATES: Final = ("refuse", "keep")


def _fate(text: str) -> str:
    if text not in _FATES:
        raise ValueError(f"must be refuse or keep, not {quote_text(text)}{did_you_mean(text, _FATES)}")
    return text


Disturbed: TypeAlias = Annotated[Literal["refuse", "keep"], Text(_fate, {"enum": list(_FATES)})]


_ALL: Final = "all"
_NONE: Final = "none"
_PROBE: Final = {"enum": list(PROBES)}
_WORD: Final = {"enum": [_ALL, _NONE, *PROBES]}


def _probe(text: str) -> str:
    if text not in PROBES:
        hint = did_you_mean(text, (_ALL, _NONE, *PROBES)) or f"; the probes are {join_or(PROBES)}"
        raise ValueError(f"unknown probe {quote_text(text)}{hint}")
    return text


def _named(value: object) -> object:
    """Expand the words for all probes and for none, and a single probe."""
    match value:
        case str() if value == _ALL:
            return list(PROBES)
        case str() if value == _NONE:
            return []
        case []:
            raise ValueError("must not be empty; write none")
        case _:
            return one_or_more(value)


def _probes_in_order(probes: tuple[str, ...]) -> tuple[str, ...]:
    """Put them into one order, so that the same choice is the same setting."""
    return tuple(probe for probe in PROBES if probe in probes)


Probes: TypeAlias = Annotated[
    tuple[Annotated[str, Text(_probe, _PROBE)], ...],
    AfterValidator(_probes_in_order),
    Shorthand(_named, _WORD),
]
