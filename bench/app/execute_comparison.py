"""From a config and two variants to verdicts: what ``ab`` and ``gate`` do alike."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bench.app.comparison_plan import ComparisonRequest, matched_cases, refuse_same_variant
from bench.app.execute import OpenRun, RunOptions, execute_run
from bench.app.output import stderr_console
from bench.app.preflight import check_resources
from bench.errors import UsageError
from bench.model.cases import Case, Experiment
from bench.model.comparison import BuiltVariant, Comparison
from bench.model.results import Run
from bench.model.stored_comparison import stored_repeats
from bench.model.text import plural
from bench.report.comparison_progress import LiveComparison, PlainComparison, announcement, live_table
from bench.report.number_format import format_duration
from bench.runner.block_loop import run_comparison, run_pilot, with_repeats
from bench.stats.comparison_state import RULE
from bench.stats.observer import Observer
from bench.stats.sequential_test import blocks_to_alarm
from bench.storage.journal import read_journal
from bench.storage.run_folder import check_unused, journal_path
from bench.system.machine import read_machine
from bench.system.noise_advice import noise_warnings
from bench.variants.build import build_variant
from bench.variants.tree import make_tree


def execute_comparison(  # noqa: PLR0913  the last two are those of a gate
    asked: Experiment,
    challenge: ComparisonRequest,
    present: Callable[[Run, Path], int],
    order: RunOptions,
    *,
    refuses_same: bool = False,
    former: Callable[[BuiltVariant, Callable[[str], None]], Iterable[Case]] | None = None,
) -> int:
    """Build both variants, let them contend, and return the exit code.

    Args:
        asked: the cases.
        challenge: the variants, and on what terms.
        present: stores and prints what a run has yielded, and returns its exit code.
        order: what the command line says besides.
        refuses_same: whether two sides that are the same are pointless.
        former: finds the cases that there were on the side of the base, which are missed if they are gone;
            it is also given what tells the user one sentence at a time.

    Raises:
        IncomparableError: both are the same, which is pointless.
        UsageError: the budget is too small for any alarm, or there is nothing to compare.
        EnvironmentFault: a variant cannot be built, or the machine cannot do what is asked.
    """
    _refuse_early(asked, order)
    sides = _built(asked, challenge, quiet=order.quiet)
    if refuses_same:
        refuse_same_variant(sides, challenge)
    say = _telling(quiet=order.quiet)
    were = () if former is None else former(sides[challenge.base.label], say)
    experiment, terms = matched_cases(asked, challenge, sides, were)
    contest = replace(terms, repeats=_repeats(experiment, terms, order))

    def measure(ongoing: OpenRun) -> None:
        _measure(longer, contest, ongoing, quiet=order.quiet)

    longer = with_repeats(experiment, contest)
    return execute_run(longer, present, order, measure)


def _refuse_early(asked: Experiment, order: RunOptions) -> None:
    """Refuse what cannot be before anything is built and tried.

    Raises:
        UsageError: the folder of the run is used, or there is no run to go on with.
        ShortageFault: the machine has less than the contest takes.
    """
    if order.out is not None:
        check_unused(order.out)
    if order.resume is not None:
        journal_path(order.resume)
    check_resources(asked, order.out)


def _built(asked: Experiment, challenge: ComparisonRequest, *, quiet: bool) -> Mapping[str, BuiltVariant]:
    """Build base and candidate, in this order, under names that differ."""
    say = _telling(quiet=quiet)
    clients = {case.client for case in asked.cases}
    make_tree(challenge.candidate, lambda _: None)  # a name that is mistyped is told before the base is built
    base, candidate = challenge.base.label, challenge.candidate.label
    return {
        base: build_variant(challenge.base, clients, asked.strategies, say),
        f"{candidate}.2" if candidate == base else candidate: build_variant(
            challenge.candidate, clients, asked.strategies, say
        ),
    }


def _telling(*, quiet: bool) -> Callable[[str], None]:
    """Return what tells the user one sentence at a time, unless that is not wanted."""

    def say(line: str) -> None:
        if not quiet:
            stderr_console().print(line, soft_wrap=True)

    return say


def _repeats(experiment: Experiment, contest: Comparison, order: RunOptions) -> Mapping[str, int]:
    """Say how much longer the rounds of each case must be: as in the run that goes on, else by trying.

    Raises:
        UsageError: the budget ends before the first alarm could be raised.
    """
    metrics = len(contest.margins) * len(contest.metrics)
    try:
        blocks = blocks_to_alarm(metrics, RULE)
    except ValueError as error:
        raise UsageError(str(error), hint="compare fewer cases") from error
    if order.resume is not None:
        return stored_repeats(read_journal(journal_path(order.resume)).beginning, contest)
    tried = run_pilot(experiment)
    least_s = blocks * tried.block_s
    if least_s > contest.budget_s:
        raise UsageError(
            f"an alarm in {plural(metrics, 'metric')} takes {blocks} blocks, which take "
            f"{format_duration(least_s)}, and the budget is {format_duration(contest.budget_s)}",
            hint=f"give it --budget {math.ceil(least_s / 60)}m, or compare fewer cases",
        )
    return tried.repeats


def _measure(experiment: Experiment, contest: Comparison, ongoing: OpenRun, *, quiet: bool) -> None:
    """Run the contest with the kind of progress that fits where stderr goes."""
    journal, kept = ongoing.journal, ongoing.kept
    if quiet:
        run_comparison(experiment, contest, journal, Observer(), kept)
        return
    console = stderr_console()
    for line in (*(f"note: {note}" for note in experiment.notes), *announcement(experiment, contest)):
        console.print(line, soft_wrap=not console.is_terminal, markup=False, highlight=False)
    for warning in noise_warnings(read_machine()):
        console.print(f"warning: {warning}", soft_wrap=True)
    if console.is_terminal:
        with live_table(console) as live:
            run_comparison(experiment, contest, journal, LiveComparison(live, contest), kept)
    else:
        run_comparison(experiment, contest, journal, PlainComparison(console, contest), kept)
