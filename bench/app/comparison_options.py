"""From the words of the command line to two variants and their terms."""

from collections.abc import Callable
from typing import Final, TypeVar

import rich_click as click

from bench.app.base_revision import is_revision
from bench.app.comparison_plan import ComparisonRequest
from bench.config.lookup import shipped_configs
from bench.config.scalars import parse_positive_duration, parse_positive_share
from bench.config.variants import parse_variant
from bench.errors import UsageError
from bench.model.cases import Experiment
from bench.model.comparison import METRICS, Metric, Variant

T = TypeVar("T")

DEFAULT_CONFIG: Final = "gate"


def split_variants(
    base: str | None, candidate: str | None, config: str | None
) -> tuple[tuple[str, ...], str]:
    """Tell the config from the variants: it comes last, and is a YAML file or has a shipped config's name."""
    words = [word for word in (base, candidate, config) if word is not None]
    if words and config is None and _is_config(words[-1]):
        _refuse_ambiguous(words[-1])
        return tuple(words[:-1]), words[-1]
    return tuple(words[:2]), config or DEFAULT_CONFIG


def comparison_request(
    asked: Experiment,
    sides: tuple[str, ...],
    *,
    metrics: str | None,
    threshold: str | None,
    budget: str | None,
) -> ComparisonRequest:
    """Read two variants, the work tree for one that is not given, or take those of the config.

    Raises:
        click.BadParameter: one of them, or one of the terms, cannot be read.
    """
    if not sides and asked.terms.variants is not None:
        base, candidate = asked.terms.variants
    elif not sides:
        raise click.UsageError("there is no BASE, and the config has no `variants`")
    else:
        base = _read(parse_variant, sides[0], "BASE")
        candidate = _read(parse_variant, sides[1], "CANDIDATE") if len(sides) > 1 else Variant()
    return comparison_request_between(base, candidate, metrics=metrics, threshold=threshold, budget=budget)


def comparison_request_between(
    base: Variant, candidate: Variant, *, metrics: str | None, threshold: str | None, budget: str | None
) -> ComparisonRequest:
    """Read the terms of a contest between two variants.

    Raises:
        click.BadParameter: one of them cannot be read.
    """
    return ComparisonRequest(
        base=base,
        candidate=candidate,
        metrics=None if metrics is None else _metrics(metrics),
        threshold=parse_margin(threshold),
        budget_s=None if budget is None else _read(parse_positive_duration, budget, "--budget"),
    )


def parse_margin(threshold: str | None) -> float | None:
    """Read a threshold, if there is one.

    Raises:
        click.BadParameter: it cannot be read.
    """
    return None if threshold is None else _read(parse_positive_share, threshold, "--threshold")


def parse_words(**said: str | None) -> tuple[str, ...]:
    """Return the words of the command line that say these options."""
    return tuple(word for name, value in said.items() if value is not None for word in (f"--{name}", value))


def _is_config(word: str) -> bool:

    return word.endswith((".yaml", ".yml")) or word in shipped_configs()


def _refuse_ambiguous(word: str) -> None:
    """Refuse a word that names a shipped config and a revision.

    Raises:
        UsageError: it does.
    """
    if is_revision(word):
        raise UsageError(
            f"{word} is a config and a revision",
            hint=f"say rev={word} for the revision, or add the config: `ab BASE CANDIDATE {word}`",
        )


def _read(read: Callable[[str], T], text: str, name: str) -> T:
    """Read a word of the command line as a config's scalar of the same kind is read."""
    try:
        return read(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=name) from error


def _metrics(text: str) -> tuple[Metric, ...]:

    named = [name.strip() for name in text.split(",")]
    if unknown := [name for name in named if name not in METRICS]:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(METRICS)}", param_hint="--metrics")
    return tuple(metric for metric in METRICS if metric in named)
