"""Contests to test with: what two sides yield in each block is said, the rest is plausible."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.model.cases import Case, Experiment
from bench.model.comparison import Comparison, Metric
from bench.model.json_codec import to_json_value
from bench.model.results import Measurement, Run
from bench.model.trial_outcome import Outcome
from bench.runner.block_loop import run_scheduled_pairs
from bench.runner.schedule import ScheduledPair
from bench.stats.observer import Observer
from tests.builders import BEGINNING, failed, round_of, run_of, trials

BASE, CANDIDATE = "main", "worktree"
ROUNDS = 5


def contest(*cases: Case, metrics: tuple[Metric, ...] = ("elapsed",), budget_s: float = 1e6) -> Comparison:
    """Build the terms of a contest over these cases."""
    return Comparison(BASE, CANDIDATE, metrics, {case.id: 0.05 for case in cases}, budget_s)


def experiment(*cases: Case, terms: Comparison | None = None, seed: int = 1) -> Experiment:
    """Build a contest over both variants of these cases."""
    both = tuple(replace(case, variant=name) for case in cases for name in (BASE, CANDIDATE))
    return Experiment("x", both, {}, 64, None, 60, 10, seed, contest=terms or contest(*cases))


def yielded(due: ScheduledPair, elapsed_s: Callable[[Case, int], float | Outcome]) -> list[Measurement]:
    """Build what both sides yield at this turn: so many seconds a round, or so bad an end."""
    return [_trial(case, due, place, elapsed_s(case, due.turn.block)) for place, case in enumerate(due.cases)]


def contested(
    *cases: Case,
    elapsed_s: Callable[[Case, int], float | Outcome],
    terms: Comparison | None = None,
    seed: int = 1,
    kept: Sequence[Measurement] = (),
) -> Run:
    """Run a contest with a fake in place of its duets, and return what is stored of it."""
    of = experiment(*cases, terms=replace(terms or contest(*cases), coins=seed), seed=seed)
    assert of.contest is not None
    measured = run_scheduled_pairs(
        of, of.contest, lambda due: yielded(due, elapsed_s), Observer(), lambda _: None, kept
    )
    run = run_of({case: [] for case in of.cases}, "contest")
    config = {**BEGINNING.config, "name": "contest", "seed": seed, "contest": to_json_value(of.contest)}
    return replace(run, config=config, trials=(*kept, *measured))


def _trial(case: Case, due: ScheduledPair, place: int, value: float | Outcome) -> Measurement:
    turn = due.turn
    if isinstance(value, str):
        trial = failed(case, turn.block, value, "why")
    else:
        (good,) = trials(case, [value])
        trial = replace(good, rounds=tuple(round_of(value) for _ in range(ROUNDS)))
    return replace(trial, block=turn.block, position=turn.position + place, attempt=turn.attempt)


def between_commits(run: Run, base: str, candidate: str, **changes: object) -> Run:
    """Say of which commits the sides of a contest were; ``changes`` are to what is kept of the candidate."""
    sides = {BASE: about(BASE, base), CANDIDATE: {**about(CANDIDATE, candidate), **changes}}
    environment = {**run.environment, "fingerprint": "f" * 64}
    return replace(run, config={**run.config, "variants": sides}, environment=environment)


def about(label: str, commit: str) -> dict[str, object]:
    """Build what is kept of a side that was as in its commit."""
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
