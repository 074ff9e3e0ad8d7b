"""From a config and two sides to the cases that contend, and their terms; nothing is measured here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

from bench.errors import IncomparableError, UsageError
from bench.model.cases import PROBES, Case, Experiment, Stopping
from bench.model.comparison import BuiltVariant, Comparison, Metric, Variant
from bench.model.json_codec import encode
from bench.stats.comparison_state import RULE
from bench.stats.metrics import PROBES as TAKEN

USUAL_BUDGET_S: Final = 280.0
"""So that all of it, with what comes before the first block, is over in five minutes."""


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """Two variants, and what the command line says of their contest.

    Attributes:
        metrics: instead of the config's, like ``threshold``, a share, and ``budget_s``; ``None`` leaves them.
    """

    base: Variant
    candidate: Variant
    metrics: tuple[Metric, ...] | None
    threshold: float | None
    budget_s: float | None


def refuse_same_variant(sides: Mapping[str, BuiltVariant], challenge: ComparisonRequest) -> None:
    """Refuse two sides that are the same in all that is measured."""
    base, candidate = sides
    if challenge.base.requirements != challenge.candidate.requirements:
        return
    about = [[side.about.get(key) for key in ("python", "libraries")] for side in sides.values()]
    if about[0] != about[1]:
        return
    if sides[base].about.get("tree") == sides[candidate].about.get("tree"):
        raise IncomparableError(
            f"{candidate} is the same as {base}, so there is nothing to compare",
            hint="name a revision with --against, such as HEAD~1 or `pinned`",
        )


def matched_cases(
    asked: Experiment,
    challenge: ComparisonRequest,
    sides: Mapping[str, BuiltVariant],
    former: Iterable[Case],
) -> tuple[Experiment, Comparison]:
    """Give every case that both sides have two variants, and say on what terms they contend.

    Raises:
        UsageError: a case is of a strategy that neither side has, or they share none.
    """
    terms = asked.terms
    base, candidate = sides
    has = {
        case: [name for name, side in sides.items() if case.strategy in side.strategies]
        for case in asked.cases
    }
    shared = [case for case, names in has.items() if len(names) == len(sides)]
    if lost := [case for case, names in has.items() if not names]:
        raise UsageError(
            f"neither {base} nor {candidate} has the strategy {lost[0].strategy} of {lost[0].id}",
            hint="leave it out, or compare revisions that have it",
        )
    if not shared:
        raise UsageError(f"{base} and {candidate} share no case of this config")
    alone = {case.id: names[0] for case, names in has.items() if len(names) == 1}
    alone |= {case.id: base for case in former if case.id not in {each.id for each in has}}
    budget_s = challenge.budget_s or (asked.stopping and asked.stopping.budget_s) or USUAL_BUDGET_S
    margin = challenge.threshold
    contest = Comparison(
        base=base,
        candidate=candidate,
        metrics=challenge.metrics or terms.metrics,
        margins={case.id: terms.margin(case.id) if margin is None else margin for case in shared},
        budget_s=budget_s,
        alone=alone,
        bounds=terms.bounds,
        coins=_coins(asked.seed, sides),
    )
    experiment = replace(
        asked,
        cases=tuple(replace(case, variant=name) for case in shared for name in sides),
        blocks=RULE.looks[-1],
        stopping=Stopping(RULE.looks[0], None, budget_s),
        sides=sides,
        probes=_probes(asked, contest),
    )
    return experiment, contest


def _coins(seed: int, sides: Mapping[str, BuiltVariant]) -> int:
    """Draw the coins' seed from that of the config and from what the sides are made of."""
    made_of = encode([seed, {name: side.about for name, side in sides.items()}])
    return int.from_bytes(blake2b(made_of.encode(), digest_size=4).digest(), "big")


def _probes(asked: Experiment, contest: Comparison) -> tuple[str, ...]:
    """Add to the config's probes those that the metrics take, and the bounds."""
    figures = {*contest.metrics, *(bound.figure for bound in contest.bounds)}
    wanted = {*asked.probes, *(probe for metric, probe in TAKEN.items() if metric in figures)}
    return tuple(probe for probe in PROBES if probe in wanted)
