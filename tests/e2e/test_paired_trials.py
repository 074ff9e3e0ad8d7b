"""Pairs of real workers: each is to blame for its own failures, and nothing stays behind."""

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest

from bench.app.preflight import plan_pinning
from bench.config import catalog
from bench.model.cases import Case, Experiment, Fixed, Profile, Selection
from bench.model.comparison import BuiltVariant
from bench.model.flags import served_flags
from bench.model.results import Measurement
from bench.runner.pilot import run_pilot
from bench.system.paths import import_path
from bench.system.process_tree import descendants
from tests.comparisons import BASE, CANDIDATE, experiment, measure_for_real, new_comparison

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

STRATEGIES = Path(__file__).parents[1] / "strategies"
CASE = Case(
    "threadpool_map", "urllib3", 3, Profile("5ms", Fixed(0.005)), Selection("three", ("BR", "CN", "IN"))
)
OWN_CLIENT = """
import time
import urllib.request

def get(url):
    time.sleep({nap_s})
    with urllib.request.urlopen(url) as response:
        return response.read()
"""
BLOCK_S = 0.1
"""Less than any pair takes: such a budget ends a comparison after one block."""


def comparison_of(candidate: Path | None, *, budget_s: float = BLOCK_S, deadline_s: float = 20) -> Experiment:
    """Compare a strategy's file with the shipped one of the same name, or that with itself."""
    shipped = catalog.find_strategies()[CASE.strategy]
    variants = {
        name: BuiltVariant(sys.executable, import_path(), {CASE.strategy: file})
        for name, file in ((BASE, shipped.file), (CANDIDATE, candidate or shipped.file))
    }
    of = experiment(CASE, comparison=new_comparison(CASE, metrics=("elapsed", "p99"), budget_s=budget_s))
    return replace(
        of,
        strategies={CASE.strategy: shipped},
        variants=variants,
        deadline_s=deadline_s,
        rounds=3,
    )


def with_calls(of: Experiment, calls: int) -> Experiment:
    """Let each timed round of a comparison make several calls."""
    assert of.comparison is not None
    return replace(of, comparison=replace(of.comparison, calls={CASE.id: calls}))


def measured(folder: Path, of: Experiment) -> Mapping[str, list[Measurement]]:
    """Run a comparison with real processes, and return the trials of each variant."""
    found: dict[str, list[Measurement]] = {BASE: [], CANDIDATE: []}
    for trial in measure_for_real(folder, of):
        found[trial.case.rpartition("@")[2]].append(trial)
    assert descendants(os.getpid()) == []
    return found


@pytest.mark.long
def test_the_value_of_a_round_is_the_mean_of_its_calls(tmp_path: Path) -> None:
    """Each call asks for the countries of the config once, with a client of its own; counts are sums."""
    for (trial,) in measured(tmp_path, with_calls(comparison_of(None), 4)).values():
        assert trial.outcome == "ok", trial.detail
        assert trial.warm_up is not None
        assert (trial.warm_up.calls, trial.warm_up.fetches) == (1, {"ok": 3})
        assert [(round_.calls, round_.fetches, round_.verified) for round_ in trial.rounds] == [
            (4, {"ok": 12}, 12)
        ] * 3
        for round_ in trial.rounds:
            assert round_.server is not None
            assert (round_.server.requests, round_.server.retries) == (12, 0)
            assert round_.server.opened >= 4
            planned_s = round_.planned_ideal_s
            assert planned_s is not None
            assert planned_s == trial.warm_up.planned_ideal_s == pytest.approx(0.005)
            assert round_.ideal_s is not None
            assert planned_s <= round_.ideal_s < round_.elapsed_s < trial.took_s / 13
            assert round_.gap is not None
            parts_s = sum(getattr(round_.gap, each.name) for each in fields(round_.gap))
            assert parts_s == pytest.approx(round_.elapsed_s - planned_s)
        assert trial.probes["memory_bytes"] > 1e6


@pytest.mark.long
@pytest.mark.alone
def test_a_fixed_cost_of_each_call_is_measured_in_full(tmp_path: Path) -> None:
    """It is neither divided by the calls of a round, nor added to them only once."""
    of = with_calls(comparison_of(STRATEGIES / "fixed_cost.py"), 5)
    found = {
        variant: min(round_.elapsed_s for trial in trials for round_ in trial.rounds)
        for variant, trials in measured(tmp_path, of).items()
    }
    assert 0.009 < found[CANDIDATE] - found[BASE] < 0.02


@pytest.mark.long
def test_each_variant_calls_its_own_function_of_one_url(tmp_path: Path) -> None:
    """The candidate's takes 50 ms longer."""
    files = {name: tmp_path / name / "mine.py" for name in (BASE, CANDIDATE)}
    for name, nap_s in ((BASE, 0.0), (CANDIDATE, 0.05)):
        files[name].parent.mkdir()
        files[name].write_text(OWN_CLIENT.format(nap_s=nap_s))
    client = catalog.read_own_client(files[CANDIDATE])
    of = comparison_of(None)
    case = replace(CASE, client=client.name)
    of = replace(
        of,
        cases=tuple(replace(each, client=client.name) for each in of.cases),
        comparison=new_comparison(case, metrics=("elapsed",), budget_s=BLOCK_S),
        own_clients={client.name: client},
        variants={
            name: replace(variant, clients={client.name: files[name]})
            for name, variant in of.variants.items()
        },
    )
    found = measured(tmp_path, of)
    fastest_s = {}
    for name, (trial,) in found.items():
        assert trial.outcome == "ok", trial.detail
        fastest_s[name] = min(each.elapsed_s for each in trial.rounds)
    assert fastest_s[CANDIDATE] - fastest_s[BASE] > 0.03


@pytest.mark.long
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
def test_a_failing_variant_is_blamed_and_the_other_is_cut_short(
    tmp_path: Path, file: str, outcome: str, detail: str
) -> None:
    """Three such blocks end the comparison."""
    found = measured(tmp_path, comparison_of(STRATEGIES / f"{file}.py", budget_s=1e6))
    assert len(found[CANDIDATE]) == 3
    for trial in found[CANDIDATE]:
        assert trial.outcome == outcome, trial.detail
        assert detail in trial.detail
    assert {(trial.outcome, trial.detail) for trial in found[BASE]} == {
        ("invalid", "cut short: the other variant failed")
    }


@pytest.mark.long
def test_the_waiting_worker_is_paused(tmp_path: Path) -> None:
    """Its threads take no time from the rounds of the other one."""
    states: set[tuple[str, ...]] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            states.add(tuple(sorted(_state(pid) for pid in descendants(os.getpid()) if _is_worker(pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        found = measured(tmp_path, with_calls(comparison_of(None), 20))
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


@pytest.mark.long
def test_an_escape_is_blamed_on_both_variants(tmp_path: Path) -> None:
    """They share a workspace; the first such block ends the comparison."""
    found = measured(tmp_path, comparison_of(STRATEGIES / "writes_beside.py", budget_s=1e6))
    for (trial,) in found.values():
        assert trial.outcome == "escape"
        assert trial.detail.startswith("by this variant or the other: ")


@pytest.mark.long
def test_a_variant_that_hangs_has_its_own_deadline(tmp_path: Path) -> None:
    """The time of the other variant does not count, and no process stays."""
    found = measured(tmp_path, comparison_of(STRATEGIES / "hangs.py", budget_s=1e6, deadline_s=1))
    assert [trial.outcome for trial in found[CANDIDATE]] == ["timeout"] * 3
    assert {trial.outcome for trial in found[BASE]} == {"invalid"}


def test_a_pilot_chooses_as_many_calls_as_fill_a_tenth_of_a_second() -> None:
    """A call takes at least five milliseconds, and on a busy machine many times as long."""
    of = comparison_of(None)
    pilot = run_pilot(of, plan_pinning(of), served_flags(None))
    calls = pilot.calls[CASE.id]
    assert 2 <= calls <= 20
    assert pilot.block_s > 6 * calls * 0.005
