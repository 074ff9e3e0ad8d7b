"""Two workers alive together on a real server: what either does wrong is its own, and nothing of it stays."""

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bench.config import catalog
from bench.model.cases import Case, Experiment, Fixed, Profile, Selection
from bench.model.comparison import BuiltVariant
from bench.model.results import Measurement
from bench.runner.block_loop import run_comparison, run_pilot, with_repeats
from bench.stats.observer import Observer
from bench.storage.journal import new_journal, read_journal
from bench.system.paths import import_path
from bench.system.process_tree import descendants
from tests.builders import BEGINNING
from tests.contests import BASE, CANDIDATE, contest, experiment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

STRATEGIES = Path(__file__).parents[1] / "strategies"
CASE = Case(
    "threadpool_map", "urllib3", 3, Profile("5ms", Fixed(0.005)), Selection("three", ("BR", "CN", "IN"))
)
BLOCK_S = 0.1
"""Less than any duet takes: a budget of it ends a contest after one block."""


def contest_of(candidate: Path | None, *, budget_s: float = BLOCK_S, deadline_s: float = 20) -> Experiment:
    """Let a strategy's file contend with the shipped one of the same name, or that with itself."""
    shipped = catalog.find_strategies()[CASE.strategy]
    sides = {
        name: BuiltVariant(sys.executable, import_path(), {CASE.strategy: file})
        for name, file in ((BASE, shipped.file), (CANDIDATE, candidate or shipped.file))
    }
    of = experiment(CASE, terms=contest(CASE, metrics=("elapsed", "p99"), budget_s=budget_s))
    return replace(
        of,
        strategies={CASE.strategy: shipped},
        sides=sides,
        disturbed="keep",
        deadline_s=deadline_s,
        rounds=3,
    )


def measured(folder: Path, of: Experiment) -> Mapping[str, list[Measurement]]:
    """Run a contest for real, and return the trials of each side."""
    assert of.contest is not None
    with new_journal(folder / "journal.jsonl", BEGINNING) as journal:
        run_comparison(of, of.contest, journal, Observer())
    found: dict[str, list[Measurement]] = {BASE: [], CANDIDATE: []}
    for trial in read_journal(folder / "journal.jsonl").trials:
        found[trial.case.rpartition("@")[2]].append(trial)
    assert descendants(os.getpid()) == []
    return found


def test_both_sides_are_warmed_up_and_timed_alike(tmp_path: Path) -> None:
    """A short warm-up and as many rounds as asked each, of the length asked; the server saw each of them."""
    of = contest_of(None)
    assert of.contest is not None
    of = with_repeats(of, replace(of.contest, repeats={CASE.id: 4}))
    for (trial,) in measured(tmp_path, of).values():
        assert trial.outcome == "ok", trial.detail
        assert trial.warm_up is not None
        assert trial.warm_up.fetches == {"ok": 3}
        assert [round_.fetches for round_ in trial.rounds] == [{"ok": 12}] * 3
        assert all(round_.server and round_.server.requests == 12 for round_ in trial.rounds)
        assert all(round_.server and round_.server.retries == 0 for round_ in trial.rounds)
        assert trial.probes["memory_bytes"] > 1e6


@pytest.mark.parametrize(
    ("file", "outcome", "detail"),
    [
        ("raises", "error", ""),
        ("segfaults", "crash", "SIGSEGV"),
        ("exits_at_once", "crash", "exit status 0"),
        ("no_function", "error", "download_many"),
        ("forges_its_report", "error", "reported before it was told to"),
        ("wrong_bytes", "corrupt", ""),
        ("second_round", "error", "once is enough"),
    ],
)
def test_who_fails_is_blamed_and_the_other_side_is_not(
    tmp_path: Path, file: str, outcome: str, detail: str
) -> None:
    """Three such blocks end the contest; the sound side was cut short, which is no fault of its own."""
    found = measured(tmp_path, contest_of(STRATEGIES / f"{file}.py", budget_s=1e6))
    assert len(found[CANDIDATE]) == 3
    for trial in found[CANDIDATE]:
        assert trial.outcome == outcome, trial.detail
        assert detail in trial.detail
    assert {(trial.outcome, trial.detail) for trial in found[BASE]} == {
        ("invalid", "cut short: the other side failed")
    }


def test_whoever_waits_is_stopped(tmp_path: Path) -> None:
    """So that what it leaves running takes nothing from the other one's rounds."""
    states: set[tuple[str, ...]] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            states.add(tuple(sorted(_state(pid) for pid in descendants(os.getpid()) if _is_worker(pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        of = contest_of(None)
        assert of.contest is not None
        found = measured(tmp_path, with_repeats(of, replace(of.contest, repeats={CASE.id: 20})))
    finally:
        over.set()
        watcher.join()
    assert [trial.outcome for trials in found.values() for trial in trials] == ["ok", "ok"]
    assert any("T" in both and set(both) != {"T"} for both in states if len(both) == 2)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _is_worker(pid: int) -> bool:
    try:
        return b"bench.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_what_lies_outside_may_be_of_either_side(tmp_path: Path) -> None:
    """They share a workspace: both are told, and the first such block ends the contest."""
    found = measured(tmp_path, contest_of(STRATEGIES / "writes_beside.py", budget_s=1e6))
    for (trial,) in found.values():
        assert trial.outcome == "escape"
        assert trial.detail.startswith("by this side or the other: ")


def test_a_side_that_hangs_has_its_own_deadline(tmp_path: Path) -> None:
    """What the other side takes is not counted for it, and nothing of it goes on."""
    found = measured(tmp_path, contest_of(STRATEGIES / "hangs.py", budget_s=1e6, deadline_s=1))
    assert [trial.outcome for trial in found[CANDIDATE]] == ["timeout"] * 3
    assert {trial.outcome for trial in found[BASE]} == {"invalid"}


def test_a_pilot_makes_rounds_long_enough(tmp_path: Path) -> None:
    """Rounds of five milliseconds are repeated until they take a fifth of a second, at the least a tenth."""
    of = contest_of(None)
    assert of.contest is not None
    tried = run_pilot(of)
    assert 2 <= tried.repeats[CASE.id] <= 40
    assert tried.block_s > 6 * 0.2
    found = measured(tmp_path, with_repeats(of, replace(of.contest, repeats=tried.repeats)))
    for (trial,) in found.values():
        assert min(round_.elapsed_s for round_ in trial.rounds) >= 0.1
