"""Decide one metric of a comparison after fixed numbers of blocks. Used by ab, gate and compare.

Method: exact signed-rank bounds of the blocks' log-ratios at interim looks that are fixed beforehand. The
chances of error spent at the looks add up to no more than allowed (union bound over looks and metrics).
``decide_metric`` is the only place where the margin of a verdict is applied.
Assumption: a coin decides for each block which of two equal variants goes first. Its log-ratio is then as
likely to be positive as negative, whatever drift, spikes or autocorrelation both variants share.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.model.comparison import Verdict
from bench.stats.intervals import Interval
from bench.stats.signed_rank import bound_rank, walsh_averages

_EARLY_ALPHA: Final = 0.2
"""Share of ``alpha`` of an early look."""
_EARLY_BETAS: Final = (0.15, 0.1, 0.1, 0.15, 0.15, 0.15, 0.2)
"""Shares of ``beta`` if there is an early look, the second."""


@dataclass(frozen=True, slots=True)
class SequentialRule:
    """The looks of the test, and the allowed risks of a wrong verdict.

    Attributes:
        margin: the greatest change that is still *equivalent*, as a share: 0.05 is 5 %.
        alpha: chance that any metric of the family is called *slower* though none is; the same of *faster*.
        beta: chance, for each metric, of missing a change of ``margin``.
        looks: numbers of blocks after which the test looks, ascending.
        alpha_weights: share of ``alpha`` spent at each look; they add up to one.
        beta_weights: the same of ``beta``.
    """

    margin: float = 0.05
    alpha: float = 0.01
    beta: float = 0.05
    looks: tuple[int, ...] = (8, 14, 20, 30, 44, 64)
    alpha_weights: tuple[float, ...] = (0.0, 0.2, 0.2, 0.2, 0.2, 0.2)
    beta_weights: tuple[float, ...] = (0.15, 0.15, 0.15, 0.15, 0.2, 0.2)


def early_look(metrics: int) -> int:
    """Return the block count at which a small family can first alarm.

    It is 0 if that is only at the looks of every comparison, from 14 blocks on.

    Eight blocks are never enough: a coin gives all of them the same sign in one of 2**8 comparisons of
    identical variants, however great the differences are, and the looks may spend less than that.
    """
    standard = SequentialRule()
    blocks = math.ceil(math.log2(metrics / (_EARLY_ALPHA * standard.alpha)))
    return blocks if standard.looks[0] < blocks < standard.looks[1] else 0


def rule_with_look(look: int) -> SequentialRule:
    """Return the rule with an early look, that shares the chances of error; 0: without it."""
    standard = SequentialRule()
    first, *later = standard.looks
    if not first < look < later[0]:
        return standard
    share = (1 - _EARLY_ALPHA) / len(later)
    return SequentialRule(
        looks=(first, look, *later),
        alpha_weights=(0.0, _EARLY_ALPHA, *(share for _ in later)),
        beta_weights=_EARLY_BETAS,
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of one look at a metric.

    Attributes:
        verdict: on the second variant against the first; ``None`` if more blocks are needed.
        ratio: second ÷ first: the Hodges-Lehmann estimate, and the bounds compared with the margin.
        blocks: number of blocks at this look.
    """

    verdict: Verdict | None
    ratio: Interval
    blocks: int


def decide_metric(differences: Sequence[float], metrics: int, rule: SequentialRule) -> Decision:
    """Decide one of several metrics from the log-ratios, second ÷ first, of all blocks so far.

    Raises:
        ValueError: the number of blocks is not a look of the rule; looking at other times would spend
            chances of error that were not allowed.
    """
    n = len(differences)
    if n not in rule.looks:
        raise ValueError(f"{n} blocks are none of the looks {rule.looks}")
    look = rule.looks.index(n)
    walsh = walsh_averages(differences)
    alarm = bound_rank(n, rule.alpha_weights[look] * rule.alpha / metrics)
    narrow = bound_rank(n, rule.beta_weights[look] * rule.beta)
    margin = math.log1p(rule.margin)
    low, high = (None, None) if narrow is None else (walsh[narrow], walsh[-1 - narrow])
    verdict: Verdict | None = None
    if alarm is not None and walsh[alarm] > 0:
        verdict = "slower"
    elif alarm is not None and walsh[-1 - alarm] < 0:
        verdict = "faster"
    elif low is not None and high is not None and -margin < low and high < margin:
        verdict = "equivalent"
    elif n == rule.looks[-1]:
        verdict = "inconclusive"
    return Decision(verdict, Interval(median(walsh), low, high).transform(math.exp), n)


def decide_so_far(differences: Sequence[float], metrics: int, rule: SequentialRule) -> Decision | None:
    """Return the first look that decided, else the last look; None without blocks.

    Before the first look the decision has an estimate, no bounds and no verdict.
    """
    looks = [look for look in rule.looks if look <= len(differences)]
    decisions = [decide_metric(differences[:look], metrics, rule) for look in looks]
    if not decisions:
        return estimate_ratio(differences) if differences else None
    return next((each for each in decisions if each.verdict is not None), decisions[-1])


def estimate_ratio(differences: Sequence[float]) -> Decision:
    """Estimate the ratio before the first look, without a verdict and without bounds.

    Bounds belong to looks: seen more often, they would cover less than they promise.
    """
    ratio = Interval(math.exp(median(walsh_averages(differences))), None, None)
    return Decision(None, ratio, len(differences))


def blocks_to_alarm(metrics: int, rule: SequentialRule) -> int:
    """Return the first look that can call one of so many metrics slower or faster.

    Raises:
        ValueError: the family is too large for every look of the rule.
    """
    for blocks, weight in zip(rule.looks, rule.alpha_weights, strict=True):
        if bound_rank(blocks, weight * rule.alpha / metrics) is not None:
            return blocks
    raise ValueError(f"{metrics} metrics are too many for {rule.looks[-1]} blocks")
