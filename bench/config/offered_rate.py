"""Read ``rate`` and ``rates``, the fetches of an open loop in a second, and refuse what cannot have one."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator

from bench.config.compatibility import StrategyEntry
from bench.config.forms import FieldError, OneOrMore, Text, reject
from bench.config.problems import quote_text
from bench.config.target import TargetEntry
from bench.model.open_loop import rate_text

_RATE: Final = re.compile(r"((?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,3})?)(?:/s)?")
_SHORT_S: Final = 1.0
"""Seconds of a schedule below which the start of a strategy weighs much."""
_FEWEST_OF_P99: Final = 100
"""Fetches of a trial from which on its 99th percentile is not its maximum."""
RateKey: TypeAlias = Literal["rate", "rates"]


def parse_offered_rate(text: str) -> float:
    """Read ``50/s`` or ``50`` as fetches per second; more than zero, and below a million."""
    found = _RATE.fullmatch(text)
    if not found or not (rate := float(found[1])):
        raise ValueError(f"must be fetches per second, such as 50/s or 0.5, not {quote_text(text)}")
    return rate


def _unlike(rates: tuple[float, ...]) -> tuple[float, ...]:
    repeated = [index for index, rate in enumerate(rates) if rate in rates[:index]]
    reject([FieldError((index,), "is a rate that was given before; remove it") for index in repeated])
    return rates


OfferedRate: TypeAlias = Annotated[
    float,
    Text(
        parse_offered_rate,
        {
            "type": ["string", "number"],
            "pattern": "^[0-9.]+(/s)?$",
            "exclusiveMinimum": 0,
            "exclusiveMaximum": 1_000_000,
            "examples": ["50/s", 50],
        },
    ),
]
OfferedRates: TypeAlias = Annotated[OneOrMore[OfferedRate], AfterValidator(_unlike)]


def find_rate_conflicts(
    key: RateKey, strategies: Sequence[StrategyEntry], target: TargetEntry | None
) -> Iterator[FieldError]:
    """Yield an error for each strategy without a schedule, and for a target with a limit."""
    for strategy in (each.strategy for each in strategies):
        if strategy.face is None:
            what = "opens no client of flagbench, which would begin each fetch when it is due"
            yield FieldError((key,), f"{strategy.name} {what}", at_key=True)
        elif strategy.uses_cluster:
            what = "downloads on a cluster, whose machines share no schedule"
            yield FieldError((key,), f"{strategy.name} {what}", at_key=True)
    if target is not None and target.rate is not None:
        what = (
            "cannot be combined with 'target.rate', a limit that no open loop keeps: late fetches begin at "
            "once; remove one of them"
        )
        yield FieldError((key,), what, at_key=True)


def find_long_schedules(
    key: RateKey, rates: Sequence[float], fetches: int, rounds: int, deadline_s: float
) -> Iterator[FieldError]:
    """Yield an error for each rate at which the schedules of a trial take longer than its deadline.

    Args:
        key: the key of the config that has the rates.
        rates: its values.
        fetches: the most of a round.
        rounds: the least timed rounds of a trial.
        deadline_s: that of a trial.
    """
    for index, rate in enumerate(rates):
        least_s = rounds * (fetches - 1) / rate
        if least_s > deadline_s:
            what = (
                f"at {rate_text(rate)}/s {rounds * fetches:,} fetches of a trial take {least_s:,.0f} s at "
                "least, more than 'deadline'"
            )
            yield FieldError((key,) if key == "rate" else (key, index), what)


def describe_weak_schedules(rates: Sequence[float], fetches: int, rounds: int) -> Iterator[str]:
    """Say that rounds are too short to tell whether a case keeps up, or trials for a 99th percentile.

    Args:
        rates: those of the config.
        fetches: the fewest of a round.
        rounds: the least timed rounds of a trial.
    """
    if most := max((rate for rate in rates if (fetches - 1) / rate < _SHORT_S), default=0.0):
        lasts_s = (fetches - 1) / most
        yield (
            f"At {rate_text(most)}/s a round of {fetches:,} fetches has a schedule of {lasts_s:.2g} s, of "
            "which the start of a strategy is a large part; more fetches, by 'repeat' of 'countries', tell "
            "better whether it keeps up."
        )
    if fetches * rounds < _FEWEST_OF_P99:
        yield (
            f"A trial may have {fetches * rounds:,} fetches only: below {_FEWEST_OF_P99}, p99 is the longest "
            "of them, and grows with their number."
        )
