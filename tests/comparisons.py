"""Comparisons to test with: the test says what each variant yields in each block, the rest is plausible."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.app.preflight import plan_pinning
from bench.model.cases import Case, Experiment
from bench.model.comparison import Comparison, Metric
from bench.model.flags import served_flags
from bench.model.json_codec import to_json_value
from bench.model.observer import Observer
from bench.model.results import Measurement, Run
from bench.model.trial_outcome import Outcome
from bench.runner.block_loop import run_blocks
from bench.runner.context import run_context
from bench.runner.trial import measure_entry
from bench.stats.schedule import ScheduledTrial, ScheduleEntry, new_schedule, replay
from bench.storage.journal import new_journal, read_journal
from tests.builders import HEADER, failed, round_of, run_of, trials

BASE, CANDIDATE = "main", "worktree"
ROUNDS = 5


def new_comparison(
    *cases: Case, metrics: tuple[Metric, ...] = ("elapsed",), budget_s: float = 1e6
) -> Comparison:
    """Build a comparison of these cases."""
    return Comparison(BASE, CANDIDATE, metrics, {case.id: 0.05 for case in cases}, budget_s)


def experiment(*cases: Case, comparison: Comparison | None = None, seed: int = 1) -> Experiment:
    """Build the experiment of a comparison: both variants of these cases."""
    both = tuple(replace(case, variant=name) for case in cases for name in (BASE, CANDIDATE))
    return Experiment("x", both, {}, 64, None, 60, 10, seed, comparison=comparison or new_comparison(*cases))


def comparison_run(
    *cases: Case,
    elapsed_s: Callable[[Case, int], float | Outcome],
    comparison: Comparison | None = None,
    seed: int = 1,
    kept: Sequence[Measurement] = (),
) -> Run:
    """Run a comparison with a fake in place of its trials, and return its document.

    ``elapsed_s`` returns the seconds of a case's rounds in a block, or the outcome of its trial.
    """

    def measure(entry: ScheduleEntry) -> list[Measurement]:
        return [_trial(trial, elapsed_s(trial.case, trial.block)) for trial in entry.trials]

    of = experiment(*cases, comparison=replace(comparison or new_comparison(*cases), coins=seed), seed=seed)
    schedule = replay(of, kept)
    measured = run_blocks(schedule, measure, lambda *_: None, Observer(), lambda _: None)
    run = run_of({case: [] for case in of.cases}, "contest")
    config = {**HEADER.config, "name": "contest", "seed": seed, "contest": to_json_value(of.comparison)}
    return replace(run, config=config, trials=(*schedule.kept, *measured))


def measure_for_real(folder: Path, of: Experiment) -> tuple[Measurement, ...]:
    """Run an experiment with real processes, and return the trials of its journal."""
    journal_path = folder / "journal.jsonl"
    with (
        new_journal(journal_path, HEADER) as journal,
        run_context(of, plan_pinning(of), served_flags(of.flags_dir)) as context,
    ):
        run_blocks(new_schedule(of), lambda entry: measure_entry(context, entry), journal.append, Observer())
    return read_journal(journal_path).trials


def _trial(of: ScheduledTrial, value: float | Outcome) -> Measurement:
    if isinstance(value, str):
        trial = failed(of.case, of.block, value, "why")
    else:
        (good,) = trials(of.case, [value])
        trial = replace(good, rounds=tuple(round_of(value) for _ in range(ROUNDS)))
    return replace(trial, block=of.block, position=of.position, attempt=of.attempt)


def between_commits(run: Run, base: str, candidate: str, **changes: object) -> Run:
    """Store the commits of both variants with a run; ``changes`` replace stored facts of the candidate."""
    sides = {BASE: about(BASE, base), CANDIDATE: {**about(CANDIDATE, candidate), **changes}}
    environment = {**run.environment, "fingerprint": "f" * 64}
    return replace(run, config={**run.config, "variants": sides}, environment=environment)


def about(label: str, commit: str) -> dict[str, object]:
    """Build the stored facts of a variant that has no changes since its commit."""
    return {
        "label": label,
        "revision": label,
        "commit": commit,
        "dirty": False,
        "tree": "",
        "python": "3.11.7",
        "libraries": {},
        "requirements": [],
    }
