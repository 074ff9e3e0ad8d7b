"""From a config and two variants to verdicts: what ``ab`` and ``gate`` do alike."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.commands.carrying_out import Ongoing, Order
    from bench.contest import Contest, Metric, Side, Variant
    from bench.measurement import Run
    from bench.model import Experiment

USUAL_BUDGET_S: Final = 280.0
"""So that all of it, with what comes before the first block, is over in five minutes."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Two variants, and what the command line says of their contest.

    Attributes:
        metrics: instead of the config's, like ``threshold``, a share, and ``budget_s``; ``None`` leaves them.
    """

    base: "Variant"
    candidate: "Variant"
    metrics: "tuple[Metric, ...] | None"
    threshold: float | None
    budget_s: float | None


def contend(
    asked: "Experiment",
    challenge: Challenge,
    present: "Callable[[Run, Path], int]",
    order: "Order",
    *,
    refuses_same: bool = False,
) -> int:
    """Build both variants, let them contend, and return the exit code.

    Raises:
        IncomparableError: both are the same, which ``refuses_same`` says is pointless.
        UsageError: the budget is too small for any alarm, or there is nothing to compare.
        EnvironmentFault: a variant cannot be built, or the machine cannot do what is asked.
    """
    from bench.commands.carrying_out import carry_out
    from bench.runner.contest import lengthened

    _refuse_early(asked, order)
    sides = _built(asked, challenge, quiet=order.quiet)
    if refuses_same:
        _refuse_same(sides)
    experiment, terms = _matched(asked, challenge, sides)
    contest = replace(terms, repeats=_repeats(experiment, terms, order))

    def measure(ongoing: "Ongoing") -> None:
        _measure(longer, contest, ongoing, quiet=order.quiet)

    longer = lengthened(experiment, contest)
    return carry_out(longer, present, order, measure)


def _refuse_early(asked: "Experiment", order: "Order") -> None:
    """Refuse what cannot be before anything is built and tried.

    Raises:
        UsageError: the folder of the run is used, or there is no run to go on with.
        ShortageFault: the machine has less than the contest takes.
    """
    from bench.commands.preflight import read_limits_for, shortages_of
    from bench.runner.shortages import require
    from bench.store.folder import journal_of, refuse_used

    if order.out is not None:
        refuse_used(order.out)
    if order.resume is not None:
        journal_of(order.resume)
    require(shortages_of(asked, read_limits_for(order.out)))


def _built(asked: "Experiment", challenge: Challenge, *, quiet: bool) -> "Mapping[str, Side]":
    """Build base and candidate, in this order, under names that differ."""
    from bench.commands.consoles import remarks
    from bench.variants.build import build
    from bench.variants.tree import tree_of

    def say(line: str) -> None:
        if not quiet:
            remarks().print(line, soft_wrap=True)

    clients = {case.client for case in asked.cases}
    tree_of(challenge.candidate, lambda _: None)  # a name that is mistyped is told before the base is built
    base, candidate = challenge.base.label, challenge.candidate.label
    return {
        base: build(challenge.base, clients, asked.strategies, say),
        f"{candidate}.2" if candidate == base else candidate: build(
            challenge.candidate, clients, asked.strategies, say
        ),
    }


def _refuse_same(sides: "Mapping[str, Side]") -> None:
    """Refuse two sides of the same tree, interpreter and libraries."""
    from bench.errors import IncomparableError

    base, candidate = sides
    what = [[side.about.get(key) for key in ("tree", "python", "libraries")] for side in sides.values()]
    if what[0] == what[1]:
        raise IncomparableError(
            f"{candidate} is the same as {base}, so there is nothing to compare",
            hint="name a revision with --against, such as HEAD~1 or `pinned`",
        )


def _matched(
    asked: "Experiment", challenge: Challenge, sides: "Mapping[str, Side]"
) -> "tuple[Experiment, Contest]":
    """Give every case that both sides have two variants, and say on what terms they contend."""
    from bench.contest import Contest
    from bench.errors import UsageError
    from bench.model import Stopping
    from bench.stats.contest import RULE

    terms = asked.terms
    base, candidate = sides
    has = {
        case: [name for name, side in sides.items() if case.strategy in side.strategies]
        for case in asked.cases
    }
    shared = [case for case, names in has.items() if len(names) == len(sides)]
    if not shared:
        raise UsageError(f"{base} and {candidate} share no case of this config")
    budget_s = challenge.budget_s or (asked.stopping and asked.stopping.budget_s) or USUAL_BUDGET_S
    margin = challenge.threshold
    contest = Contest(
        base=base,
        candidate=candidate,
        metrics=challenge.metrics or terms.metrics,
        margins={case.id: terms.margin(case.id) if margin is None else margin for case in shared},
        budget_s=budget_s,
        alone={case.id: names[0] for case, names in has.items() if len(names) == 1},
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


def _coins(seed: int, sides: "Mapping[str, Side]") -> int:
    """Draw the coins' seed from that of the config and from what the sides are made of."""
    from hashlib import blake2b

    from bench.wire import encode

    made_of = encode([seed, {name: side.about for name, side in sides.items()}])
    return int.from_bytes(blake2b(made_of.encode(), digest_size=4).digest(), "big")


def _probes(asked: "Experiment", contest: "Contest") -> tuple[str, ...]:
    """Add to the config's probes those that the metrics take, and the bounds."""
    from bench.model import PROBES
    from bench.stats.metrics import PROBES as TAKEN

    figures = {*contest.metrics, *(bound.figure for bound in contest.bounds)}
    wanted = {*asked.probes, *(probe for metric, probe in TAKEN.items() if metric in figures)}
    return tuple(probe for probe in PROBES if probe in wanted)


def _repeats(experiment: "Experiment", contest: "Contest", order: "Order") -> Mapping[str, int]:
    """Say how much longer the rounds of each case must be: as in the run that goes on, else by trying.

    Raises:
        UsageError: the budget ends before the first alarm could be raised.
    """
    from bench.errors import UsageError
    from bench.report.figures import duration, plural
    from bench.runner.contest import pilot
    from bench.stats.contest import RULE
    from bench.stats.sequential import blocks_to_alarm
    from bench.store.contest import repeats_of
    from bench.store.folder import journal_of
    from bench.store.journal import read_journal

    metrics = len(contest.margins) * len(contest.metrics)
    try:
        blocks = blocks_to_alarm(metrics, RULE)
    except ValueError as error:
        raise UsageError(str(error), hint="compare fewer cases") from error
    if order.resume is not None:
        return repeats_of(read_journal(journal_of(order.resume)).beginning, contest)
    tried = pilot(experiment)
    least_s = blocks * tried.block_s
    if least_s > contest.budget_s:
        raise UsageError(
            f"an alarm in {plural(metrics, 'metric')} takes {blocks} blocks, which take {duration(least_s)}, "
            f"and the budget is {duration(contest.budget_s)}",
            hint=f"give it --budget {math.ceil(least_s / 60)}m, or compare fewer cases",
        )
    return tried.repeats


def _measure(experiment: "Experiment", contest: "Contest", ongoing: "Ongoing", *, quiet: bool) -> None:
    """Run the contest with the kind of progress that fits where stderr goes."""
    from bench.commands.consoles import remarks
    from bench.events import Observer
    from bench.machine.advice import warnings
    from bench.machine.reading import read_machine
    from bench.report.contest_progress import LiveContest, PlainContest, announced, live_table
    from bench.runner.contest import run_contest

    journal, kept = ongoing.journal, ongoing.kept
    if quiet:
        run_contest(experiment, contest, journal, Observer(), kept)
        return
    console = remarks()
    for line in (*(f"note: {note}" for note in experiment.notes), *announced(experiment, contest)):
        console.print(line, soft_wrap=not console.is_terminal, markup=False, highlight=False)
    for warning in warnings(read_machine()):
        console.print(f"warning: {warning}", soft_wrap=True)
    if console.is_terminal:
        with live_table(console) as live:
            run_contest(experiment, contest, journal, LiveContest(live, contest), kept)
    else:
        run_contest(experiment, contest, journal, PlainContest(console, contest), kept)
