"""Prepare a comparison for ``ab`` and ``gate``: build two variants, and pair their cases in an experiment."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from bench.app.base_config import changed_work_lines, find_base_config
from bench.app.comparison_plan import (
    ComparisonRequest,
    plan_comparison,
    refuse_clusters,
    refuse_same_variant,
    refuse_unread_locks,
)
from bench.app.output import ignore_line, print_note
from bench.app.preflight import check_resources, plan_pinning
from bench.app.served_files import with_files
from bench.errors import UsageError
from bench.model.cases import Experiment
from bench.model.comparison import BuiltVariant, Comparison
from bench.model.stored_comparison import stored_calls
from bench.model.text import plural
from bench.report.library_lines import library_lines
from bench.report.number_format import format_duration
from bench.runner.pilot import run_pilot
from bench.stats.comparison_state import rule_of
from bench.stats.sequential_test import blocks_to_alarm
from bench.storage.journal import read_journal
from bench.storage.run_folder import Destination, check_destination, journal_path
from bench.variants.build import build_variant
from bench.variants.tree import make_tree


def prepare_comparison(
    asked: Experiment, request: ComparisonRequest, config: str, destination: Destination, *, quiet: bool
) -> Experiment:
    """Build both variants, and return the experiment that compares them.

    Args:
        asked: the cases.
        request: the variants, and the settings of the command line.
        config: the config of the cases, as it was given.
        destination: the folder of a new run, or the run to resume.
        quiet: whether to print no progress, but notes and warnings.

    Raises:
        IncomparableError: the variants are the same, and that is refused; or they differ in a lock of
            dependencies that cannot be read.
        UsageError: the budget is too small for any alarm, there is nothing to compare, or a case is
            measured on machines that have no variants.
        SetupError: a variant cannot be built, or the machine lacks resources.
    """
    refuse_clusters(asked)
    check_destination(destination)
    asked = with_files(asked)
    check_resources(asked, asked.files, destination.new_place)
    progress = ignore_line if quiet else print_note
    variants = _build_variants(asked, request, progress)
    if request.refuses_same:
        refuse_same_variant(variants, request)
    refuse_unread_locks(variants)
    for line in library_lines({label: variant.about for label, variant in variants.items()}):
        print_note(f"note: {line}")
    base_config = find_base_config(config, variants[request.base.label], request.only)
    for line in (*([base_config.note] if base_config.note else ()), *changed_work_lines(base_config, asked)):
        print_note(f"note: {line}")
    experiment, comparison = plan_comparison(asked, request, variants, base_config)
    calls = _choose_calls(experiment, comparison, destination.resume, asked.files, progress)
    return replace(experiment, comparison=replace(comparison, calls=calls))


def _build_variants(
    asked: Experiment, request: ComparisonRequest, progress: Callable[[str], None]
) -> Mapping[str, BuiltVariant]:
    """Build base and candidate, in this order, by names that differ."""
    known = {**asked.own_clients, **asked.separate_clients}
    clients = {case.client: known.get(case.client) for case in asked.cases}
    make_tree(request.candidate, ignore_line)  # find a mistyped revision before the base is built
    base, candidate = request.base.label, request.candidate.label
    built = [
        build_variant(each, clients, asked.strategies, print_note, progress)
        for each in (request.base, request.candidate)
    ]
    return {base: built[0], f"{candidate}.2" if candidate == base else candidate: built[1]}


def _choose_calls(
    experiment: Experiment,
    comparison: Comparison,
    resume: Path | None,
    flags: Mapping[str, bytes],
    progress: Callable[[str], None],
) -> Mapping[str, int]:
    """Return the calls in a round of each case: those of the resumed run, or by a pilot.

    Raises:
        UsageError: the budget ends before the first alarm could be raised.
    """
    metrics = len(comparison.margins) * len(comparison.metrics)
    try:
        blocks = blocks_to_alarm(metrics, rule_of(comparison))
    except ValueError as error:
        raise UsageError(str(error), hint="compare fewer cases") from error
    if resume is not None:
        return stored_calls(read_journal(journal_path(resume)).header, comparison)
    pilot = run_pilot(experiment, plan_pinning(experiment), flags, progress)
    for case, trial_s in pilot.trials_s.items():
        if trial_s > experiment.deadline_s:
            limit = format_duration(experiment.deadline_s)
            print_note(f"warning: a trial of {case} may take longer than its deadline of {limit}")
    least_s = blocks * pilot.block_s
    if least_s > comparison.budget_s:
        raise UsageError(
            f"an alarm in {plural(metrics, 'metric')} takes {blocks} blocks, which take "
            f"{format_duration(least_s)}, and the budget is {format_duration(comparison.budget_s)}",
            hint=f"give it --budget {math.ceil(least_s / 60)}m, or compare fewer cases",
        )
    return pilot.calls
