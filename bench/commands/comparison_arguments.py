"""Parse the variants and options of ``ab``, ``gate`` and ``compare``."""

from typing import Final

import click

from bench.app.comparison_plan import ComparisonRequest
from bench.app.gate_base import is_revision
from bench.commands.options import parse_value
from bench.config.loader import shipped_configs
from bench.config.scalars import parse_positive_duration, parse_positive_share
from bench.config.variants import parse_variant
from bench.errors import UsageError
from bench.model.comparison import METRICS, Metric, Variant

DEFAULT_CONFIG: Final = "gate"


def split_variants(
    base: str | None, candidate: str | None, config: str | None
) -> tuple[tuple[str, ...], str]:
    """Separate the config from the variants: it comes last, and is a YAML file or a shipped name.

    Raises:
        UsageError: the last word names both a shipped config and a revision.
    """
    variants = tuple(word for word in (base, candidate) if word is not None)
    if config is not None or not variants or not _is_config(variants[-1]):
        return variants, config or DEFAULT_CONFIG
    config = variants[-1]
    if is_revision(config):
        raise UsageError(
            f"{config} is a config and a revision",
            hint=f"write rev={config} for the revision, or add the config: `ab BASE CANDIDATE {config}`",
        )
    return variants[:-1], config


def parse_variants(
    words: tuple[str, ...], configured: tuple[Variant, Variant] | None
) -> tuple[Variant, Variant]:
    """Parse base and candidate; take those of the config if no words are given.

    The default candidate is the work tree.

    Raises:
        click.BadParameter: a word is not a variant.
        click.UsageError: there is no base.
    """
    if words:
        base = parse_value(parse_variant, words[0], "BASE")
        return base, parse_value(parse_variant, words[1], "CANDIDATE") if len(words) > 1 else Variant()
    if configured is None:
        raise click.UsageError("there is no BASE, and the config has no `variants`")
    return configured


def comparison_request(
    variants: tuple[Variant, Variant],
    *,
    metrics: str | None,
    threshold: str | None,
    budget: str | None,
    only: str | None = None,
) -> ComparisonRequest:
    """Parse the options that replace settings of the config.

    Raises:
        click.BadParameter: an option is invalid.
    """
    return ComparisonRequest(
        *variants,
        metrics=None if metrics is None else _parse_metrics(metrics),
        threshold=parse_threshold(threshold),
        budget_s=None if budget is None else parse_value(parse_positive_duration, budget, "--budget"),
        only=only,
    )


def parse_threshold(text: str | None) -> float | None:
    """Parse the value of --threshold as a share.

    Raises:
        click.BadParameter: it is invalid.
    """
    return None if text is None else parse_value(parse_positive_share, text, "--threshold")


def _is_config(word: str) -> bool:
    return word.endswith((".yaml", ".yml")) or word in shipped_configs()


def _parse_metrics(text: str) -> tuple[Metric, ...]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in METRICS]:
        raise click.BadParameter(
            f"unknown metric {unknown[0]!r}; there are {', '.join(METRICS)}", param_hint="--metrics"
        )
    return tuple(metric for metric in METRICS if metric in names)
