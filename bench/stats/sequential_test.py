"""The sequential comparison of two sides: looks fixed beforehand, errors shared out among them.

With identical sides a coin flip decides which goes first, so the log-ratio of a block is as likely to
be positive as negative, whatever drift, spikes or autocorrelation both sides share. The exact
signed-rank bounds then hold at every look, and the chances of error spent at the looks add up to no
more than what was allowed (the union bound; Hollander, Wolfe & Chicken, *Nonparametric Statistical
Methods*, 3.1-3.3).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, TypeAlias

from bench.stats.intervals import Interval
from bench.stats.signed_rank import bound_rank, walsh_averages

Verdict: TypeAlias = Literal["faster", "slower", "equivalent", "inconclusive"]


@dataclass(frozen=True, slots=True)
class SequentialRule:
    """When to stop, and at what risk.

    Attributes:
        margin: the greatest change that is still *equivalent*, as a share: 0.05 is 5 %.
        alpha: chance that any metric of the family is called *slower* though none is; that of *faster*, too.
        beta: chance, for each metric, of missing a change of ``margin``.
        looks: numbers of blocks after which is looked, ascending.
        alpha_weights: share of ``alpha`` spent at each look; they add up to one.
        beta_weights: the same of ``beta``.
    """

    margin: float = 0.05
    alpha: float = 0.01
    beta: float = 0.05
    looks: tuple[int, ...] = (8, 14, 20, 30, 44, 64)
    alpha_weights: tuple[float, ...] = (0.0, 0.2, 0.2, 0.2, 0.2, 0.2)
    beta_weights: tuple[float, ...] = (0.15, 0.15, 0.15, 0.15, 0.2, 0.2)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a metric's blocks bear at one look.

    Attributes:
        verdict: on the second side against the first; ``None`` to go on with more blocks.
        ratio: second ÷ first: the Hodges-Lehmann estimate, and the bounds that were compared with the
            margin.
    """

    verdict: Verdict | None
    ratio: Interval
    blocks: int


def decide_metric(differences: Sequence[float], metrics: int, rule: SequentialRule) -> Decision:
    """Look at the log-ratios of all blocks so far, second ÷ first, of one metric of several.

    Raises:
        ValueError: the number of blocks is none of the rule's looks; looking at other times would spend
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
    return Decision(verdict, Interval(math.exp(median(walsh)), _exp(low), _exp(high)), n)


def decide_so_far(differences: Sequence[float], metrics: int, rule: SequentialRule) -> Decision | None:
    """Look at a metric's blocks as often as the rule allows; ``None`` where there are none.

    Return the first look that decides, else the last one; before the first look, an estimate.
    """
    looks = [look for look in rule.looks if look <= len(differences)]
    decisions = [decide_metric(differences[:look], metrics, rule) for look in looks]
    decided = next((each for each in decisions if each.verdict is not None), None)
    if decided is not None or decisions:
        return decided or decisions[-1]
    return estimate_ratio(differences) if differences else None


def estimate_ratio(differences: Sequence[float]) -> Decision:
    """Estimate the ratio before the first look, without a verdict and without bounds.

    Bounds are for looks: seen more often, they would not be what they say.
    """
    ratio = Interval(math.exp(median(walsh_averages(differences))), None, None)
    return Decision(None, ratio, len(differences))


def blocks_to_alarm(metrics: int, rule: SequentialRule) -> int:
    """Return the first look at which a family of so many metrics can raise an alarm at all.

    Raises:
        ValueError: none of the looks can; the family is too large for the rule.
    """
    for blocks, weight in zip(rule.looks, rule.alpha_weights, strict=True):
        if bound_rank(blocks, weight * rule.alpha / metrics) is not None:
            return blocks
    raise ValueError(f"{metrics} metrics are too many for {rule.looks[-1]} blocks")


def _exp(value: float | None) -> float | None:
    return None if value is None else math.exp(value)
