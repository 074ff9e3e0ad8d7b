"""Plan a comparison, without measuring: the cases of both variants, and the settings that decide it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

from bench.app.base_config import BaseConfig
from bench.config.catalog import describe_strategy
from bench.errors import IncomparableError, UsageError
from bench.model.cases import PROBES, Case, Experiment, Stopping
from bench.model.comparison import BuiltVariant, Comparison, Metric, Variant
from bench.model.function_call import FunctionCall
from bench.model.json_codec import encode
from bench.model.scheduler import EMBEDDED
from bench.model.text import join_and, one_line
from bench.report.library_lines import differing_locks
from bench.stats.comparison_state import RULE
from bench.stats.metrics import PROBE_OF_METRIC
from bench.stats.sequential_test import early_look
from bench.system.paths import is_shipped

DEFAULT_BUDGET_S: Final = 280.0
"""A comparison, with everything before its first block, then ends within five minutes."""


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """Two variants, and the options of the command line that replace settings of the config.

    Attributes:
        metrics: metrics to compare; None: those of the config.
        threshold: slow-down that matters, as a share; None: the margins of the config.
        budget_s: seconds of trials; None: the budget of the config.
        only: pattern of the ids of the cases to compare; None: all.
        refuses_same: whether two variants that are the same are refused.
    """

    base: Variant
    candidate: Variant
    metrics: tuple[Metric, ...] | None = None
    threshold: float | None = None
    budget_s: float | None = None
    only: str | None = None
    refuses_same: bool = False


def refuse_clusters(experiment: Experiment) -> None:
    """Refuse cases on machines that have only one version of our code and of its libraries.

    Raises:
        UsageError: there is such a case.
    """
    for case in experiment.cases:
        if case.scheduler != EMBEDDED:
            raise UsageError(
                f"variants cannot be compared on the machines of {case.scheduler}, which have clients and "
                "libraries of their own",
                hint="use `scheduler: embedded`, or choose other cases",
            )


def refuse_same_variant(variants: Mapping[str, BuiltVariant], request: ComparisonRequest) -> None:
    """Refuse two variants with the same files, interpreter and libraries.

    Raises:
        IncomparableError: they are the same.
    """
    if request.base.requirements != request.candidate.requirements:
        return
    base, candidate = variants
    about = [
        [variant.about.get(key) for key in ("tree", "python", "libraries", "environments")]
        for variant in variants.values()
    ]
    if about[0] == about[1]:
        raise IncomparableError(
            f"{candidate} is the same as {base}, so there is nothing to compare",
            hint="name a revision with --against, such as HEAD~1 or `pinned`",
        )


def refuse_unread_locks(variants: Mapping[str, BuiltVariant]) -> None:
    """Refuse two variants that differ in a file that decides versions and was not read.

    Raises:
        IncomparableError: there is such a file.
    """
    base, candidate = variants
    if files := differing_locks({label: variant.about for label, variant in variants.items()}):
        raise IncomparableError(
            f"{base} and {candidate} differ in {join_and(list(map(one_line, files)))}, which cannot be read: "
            "both would get the same libraries",
            hint="add what it locks to the tree as requirements.txt, pylock.toml or uv.lock",
        )


def plan_comparison(
    asked: Experiment,
    request: ComparisonRequest,
    variants: Mapping[str, BuiltVariant],
    base_config: BaseConfig,
) -> tuple[Experiment, Comparison]:
    """Give both variants to each case that both have, and collect the settings of the comparison.

    Args:
        asked: the config, whose cases have no variant yet.
        request: the variants and options that were asked for.
        variants: base and candidate, built, by label.
        base_config: the config as the base has it.

    Raises:
        UsageError: neither variant has the strategy of a case, or they share no case.
    """
    base, candidate = variants
    variants = {**variants, base: _with_files_of(base_config, variants[base])}
    variants = {label: replace(each, calls=_read_calls(asked, each)) for label, each in variants.items()}
    shared, alone = _match_cases(asked, variants)
    asked_ids = {case.id for case in asked.cases}
    alone |= {case.id: base for case in base_config.cases if case.id not in asked_ids}
    budget_s = request.budget_s or (asked.stopping and asked.stopping.budget_s) or DEFAULT_BUDGET_S
    settings, margin = asked.comparison_settings, request.threshold
    metrics = request.metrics or settings.metrics
    comparison = Comparison(
        base=base,
        candidate=candidate,
        metrics=metrics,
        margins={case.id: settings.margin(case.id) if margin is None else margin for case in shared},
        budget_s=budget_s,
        alone=alone,
        bounds=settings.bounds,
        coins=_assignment_seed(asked.seed, variants),
        unknown_base=base_config.problem or "",
        early_look=early_look(len(shared) * len(metrics)),
    )
    experiment = replace(
        asked,
        cases=tuple(replace(case, variant=label) for case in shared for label in variants),
        blocks=RULE.looks[-1],
        stopping=Stopping(RULE.looks[0], None, budget_s),
        variants=variants,
        probes=_probes(asked, comparison),
    )
    return experiment, comparison


def _with_files_of(base_config: BaseConfig, base: BuiltVariant) -> BuiltVariant:
    """Return the base with the files that its own config names."""
    return replace(
        base,
        strategies={**base.strategies, **base_config.strategies},
        clients={**base.clients, **base_config.clients},
    )


def _read_calls(asked: Experiment, variant: BuiltVariant) -> dict[str, FunctionCall]:
    """Return how the strategies of the user's are called that a variant has, by the text of its files."""
    calls = {}
    for name, strategy in asked.strategies.items():
        if name in variant.strategies and not is_shipped(strategy.file):
            with suppress(UsageError):  # its trial fails, and says why
                file, call = variant.strategies[name], strategy.call
                calls[name] = describe_strategy(file, call.function, call.module).call
    return calls


def _match_cases(
    asked: Experiment, variants: Mapping[str, BuiltVariant]
) -> tuple[list[Case], dict[str, str]]:
    """Return the cases that both variants have, and by the id of any other the only variant that has it.

    Cases are matched by their ids: the strategy file of the base may have another path.

    Raises:
        UsageError: neither variant has the strategy or client of a case, or they share no case.
    """
    base, candidate = variants
    owners = {
        case: [label for label, variant in variants.items() if _has_files(variant, case, asked)]
        for case in asked.cases
    }
    if lost := [case for case, labels in owners.items() if not labels]:
        is_client = any(lost[0].strategy in variant.strategies for variant in variants.values())
        name = lost[0].client if is_client else lost[0].strategy
        file = asked.own_clients[name].file if is_client else asked.strategies[name].file
        raise UsageError(
            f"neither {base} nor {candidate} has the {'client' if is_client else 'strategy'} {name} of "
            f"{lost[0].id}",
            hint=_hint_for_lost(file, variants),
        )
    shared = [case for case, labels in owners.items() if len(labels) == len(variants)]
    if not shared:
        raise UsageError(f"{base} and {candidate} share no case of this config")
    return shared, {case.id: labels[0] for case, labels in owners.items() if len(labels) == 1}


def _has_files(variant: BuiltVariant, case: Case, asked: Experiment) -> bool:
    """Tell whether a variant has the strategy of a case, and a client that is a function of the user's."""
    has_client = case.client not in asked.own_clients or case.client in variant.clients
    return case.strategy in variant.strategies and has_client


def _hint_for_lost(file: Path, variants: Mapping[str, BuiltVariant]) -> str:
    """Name the place of a file in which it was looked for, or the folders that it is not in."""
    origins = dict.fromkeys(origin for variant in variants.values() for origin in variant.origins)
    around = next((origin for origin in origins if file.is_relative_to(origin)), None)
    if around is None:
        return "leave it out, or compare revisions that have it"
    place = one_line(str(file.relative_to(around)))
    return f"they lack {place}; leave it out, or compare revisions or folders that have this file"


def _assignment_seed(seed: int, variants: Mapping[str, BuiltVariant]) -> int:
    """Derive the assignment seed from the seed of the config and the contents of the variants."""
    contents = encode([seed, {label: variant.about for label, variant in variants.items()}])
    return int.from_bytes(blake2b(contents.encode(), digest_size=4).digest(), "big")


def _probes(asked: Experiment, comparison: Comparison) -> tuple[str, ...]:
    """Return the config's probes and those that the compared metrics and thresholds need."""
    figures = {*comparison.metrics, *(bound.figure for bound in comparison.bounds)}
    needed = {*asked.probes, *(probe for metric, probe in PROBE_OF_METRIC.items() if metric in figures)}
    return tuple(probe for probe in PROBES if probe in needed)
