"""By which metrics a config has two variants compared."""

from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator

from bench.config.fields import Short, Text, one_or_more, some
from bench.config.wording import listing, near, shown
from bench.model.comparison import METRICS, Metric

_METRIC: Final = {"enum": list(METRICS)}


def _metric(text: str) -> Metric:
    if text not in METRICS:
        hint = near(text, METRICS) or f"; the metrics are {listing(METRICS)}"
        raise ValueError(f"unknown metric {shown(text)}{hint}")
    return text


def _in_order(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Put them into one order, so that the same choice is the same setting."""
    return tuple(metric for metric in METRICS if metric in metrics)


Metrics: TypeAlias = Annotated[
    tuple[Annotated[Metric, Text(_metric, _METRIC)], ...],
    AfterValidator(some),
    AfterValidator(_in_order),
    Short(one_or_more),
]
