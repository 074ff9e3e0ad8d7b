"""Check on real servers and workers that figures can be trusted.

All but one test keep disturbed trials, so that a busy machine costs more blocks instead of all of them.
"""

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from statistics import median
from typing import Literal

import pytest

from bench.config import catalog
from bench.model.cases import Case, Experiment, Fixed, Profile, Selection
from bench.model.comparison import Verdict
from bench.model.results import Gap, Measurement
from bench.stats.case_summary import block_sample
from bench.stats.resource_usage import summarize_usage
from bench.stats.sequential_test import SequentialRule, blocks_to_alarm, decide_metric
from bench.system.cpu_affinity import assign_cores, usable_cores
from tests.comparisons import measure_for_real

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300)]

STRATEGIES = Path(__file__).parents[1] / "strategies"
RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded_blocks.json"
FAMILY = 20
"""Number of metrics that the chance of a false alarm is meant for."""
RULE = SequentialRule(margin=0.03)
"""A margin of 3 %, so that a change of 4 % is not equivalent."""

TEN = ("BD", "BR", "CN", "ID", "IN", "JP", "NG", "PK", "RU", "US")


def case(strategy: str, client: str, workers: int, delay_s: float, repeat: int = 1) -> Case:
    """Build a case of ten flags, ``repeat`` times over, with the same delay for each."""
    profile = Profile(f"{delay_s * 1000:g}ms", Fixed(delay_s))
    return Case(strategy, client, workers, profile, Selection("ten", TEN, repeat))


def measured(  # noqa: PLR0913  each is part of some experiment
    folder: Path,
    cases: Sequence[Case],
    blocks: int,
    *,
    rounds: int = 2,
    seed: int = 1,
    disturbed: Literal["refuse", "keep"] = "keep",
) -> Mapping[str, list[Measurement]]:
    """Run cases for real and return the trials of each."""
    shipped = catalog.find_strategies()
    own = {file.stem: catalog.read_strategy(file) for file in STRATEGIES.glob("half_*.py")}
    experiment = Experiment(
        name="trust",
        cases=tuple(cases),
        strategies={each.strategy: {**shipped, **own}[each.strategy] for each in cases},
        blocks=blocks,
        rounds=rounds,
        deadline_s=30,
        request_timeout_s=10,
        seed=seed,
        disturbed=disturbed,
    )
    folder.mkdir()
    found: dict[str, list[Measurement]] = {each.id: [] for each in cases}
    for trial in measure_for_real(folder, experiment):
        found[trial.case].append(trial)
    return found


def log_ratios(first: Sequence[Measurement], second: Sequence[Measurement]) -> list[float]:
    """Return the log-ratios of second ÷ first, block by block."""
    one, other = block_sample(first), block_sample(second)
    return [math.log(other[block] / one[block]) for block in sorted(one.keys() & other.keys())]


def decided(differences: Sequence[float]) -> Verdict | None:
    """Return the first verdict of the rule, or None."""
    looks = [look for look in RULE.looks if look <= len(differences)]
    verdicts = (decide_metric(differences[:look], FAMILY, RULE).verdict for look in looks)
    return next((verdict for verdict in verdicts if verdict is not None), None)


def count_alarms(differences: Sequence[float]) -> int:
    """Resample blocks of equal cases, flip the coin that says which went first, and count the alarms."""
    source = random.Random(1)
    sizes = [abs(each) for each in differences]
    drawn = (
        [source.choice((-1, 1)) * each for each in source.choices(sizes, k=len(sizes))] for _ in range(200)
    )
    return sum(decided(each) in {"slower", "faster"} for each in drawn)


@pytest.mark.long
@pytest.mark.timeout(600)  # on a busy machine it takes up to 64 blocks
def test_change_of_four_percent_is_found_and_equal_cases_are_not_told_apart(tmp_path: Path) -> None:
    """A delay of 104 ms is found slower than one of 100 ms; 100 ms against 100 ms never is, in 200 tries.

    The rule may go on, as it may for its users: it alarms after 14 blocks if all of them agree, and takes
    more on a noisy machine. A try resamples the blocks of the case against itself and flips the coin that
    says which went first, by a fixed seed.
    """
    base = case("threadpool_map", "urllib3", 10, 0.100)
    cases = {
        "a": replace(base, variant="a"),
        "b": replace(base, variant="b"),
        "slower": case("threadpool_map", "urllib3", 10, 0.104),
    }
    against_slower: list[float] = []
    against_itself: list[float] = []
    for look in (each for each in RULE.looks if each >= blocks_to_alarm(FAMILY, RULE)):
        more = look - len(against_slower)
        trials = measured(tmp_path / f"until-{look}", list(cases.values()), more, rounds=3, seed=look)
        found = {name: trials[each.id] for name, each in cases.items()}
        against_slower += log_ratios(found["a"], found["slower"])
        against_itself += log_ratios(found["a"], found["b"])
        if decided(against_slower) is not None:
            break
    assert decided(against_slower) == "slower"

    assert decided(against_itself) not in {"slower", "faster"}
    assert count_alarms(against_itself) == 0


def test_rule_on_recorded_blocks_finds_four_percent_and_no_difference_of_equal_cases() -> None:
    """The same on the blocks of such a run on two virtual CPUs beside other work, 2026-11-29."""
    recorded = json.loads(RECORDED.read_text("utf-8"))
    assert decided(recorded["slower"]) == "slower"
    assert decided(recorded["same"]) not in {"slower", "faster"}
    assert count_alarms(recorded["same"]) == 0


@pytest.mark.long
def test_strategy_that_uses_half_of_its_workers_is_exposed(tmp_path: Path) -> None:
    """Of ten workers five were in flight, and the unused half explains the gap beyond the ideal."""
    cheat = case("half_the_workers", "urllib3", 10, 0.020, repeat=10)
    (trial, *_) = [each for each in measured(tmp_path / "run", [cheat], 1)[cheat.id] if each.outcome == "ok"]
    for round_ in trial.rounds:
        assert round_.server is not None
        assert round_.gap is not None
        assert round_.planned_ideal_s is not None
        assert round_.server.max_in_flight == 5
        assert round_.server.mean_in_flight < 5
        gap_s = round_.elapsed_s - round_.planned_ideal_s
        assert 0.19 < round_.gap.unused_s < gap_s
        assert round_.gap.unused_s > 0.6 * gap_s


@contextmanager
def busy_neighbour(processors: Sequence[int]) -> Iterator[None]:
    """Keep processors busy with a process that is not part of the run."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        os.sched_setaffinity(neighbour.pid, processors)
        try:
            yield
        finally:
            neighbour.kill()


@pytest.mark.long
@pytest.mark.skipif(len(usable_cores()) < 2, reason="the server needs a core for itself")
def test_trials_next_to_a_busy_process_are_discarded(tmp_path: Path) -> None:
    """Another process uses the server's core: every attempt is discarded, and nothing is timed."""
    quiet = case("threadpool_map", "urllib3", 10, 0.020)
    with busy_neighbour(assign_cores(usable_cores()).server):
        trials = measured(tmp_path / "run", [quiet], 1, disturbed="refuse")[quiet.id]
    assert [trial.attempt for trial in trials] == [0, 1, 2, 3]
    assert {trial.outcome for trial in trials} == {"invalid"}
    assert all(trial.detail.startswith(("others used", "the server was late")) for trial in trials)
    assert block_sample(trials) == {}


@pytest.mark.long
def test_round_without_delays_is_not_limited_by_the_server(tmp_path: Path) -> None:
    """One flag is answered at once; the work of the server for it is only a part of the round.

    A round takes a millisecond or two, so a single one says little where the machine is shared.
    """
    one = replace(case("threadpool_map", "urllib3", 1, 0.0), countries=Selection("one", ("BR",)))
    cases = [one, replace(one, strategy="asyncio_gather", client="aiohttp")]
    for trials in measured(tmp_path / "run", cases, 3, rounds=5).values():
        assert [trial.outcome for trial in trials] == ["ok"] * 3, [trial.detail for trial in trials]
        busy = [round_.server_busy for trial in trials for round_ in trial.rounds]
        assert len(busy) >= 15
        assert all(each is not None and each > 0 for each in busy)
        assert median(each or 0.0 for each in busy) < 0.9
        assert summarize_usage(trials).limit != "server"


@pytest.mark.long
def test_gap_is_explained_and_a_client_at_its_limit_is_marked(tmp_path: Path) -> None:
    """The parts of the gap of 1,000 fetches add up; with 200 workers the client's own work is the limit."""
    few = case("asyncio_gather", "aiohttp", 20, 0.020, repeat=100)
    many = replace(few, workers=200)
    trials = measured(tmp_path / "run", [few, many], 1)
    assert {trial.outcome for each in trials.values() for trial in each} == {"ok"}
    for round_ in (round_ for trial in trials[few.id] for round_ in trial.rounds):
        assert round_.gap is not None
        parts_s = {part.name: getattr(round_.gap, part.name) for part in fields(Gap)}
        assert round_.planned_ideal_s is not None
        gap_s = round_.elapsed_s - round_.planned_ideal_s
        assert sum(parts_s.values()) == pytest.approx(gap_s, rel=0.05)
        assert all(part_s > -0.001 for part_s in parts_s.values()), parts_s
    usage = summarize_usage(trials[many.id])
    assert usage.gap is not None
    assert usage.gap.client_s == max(getattr(usage.gap, part.name) for part in fields(Gap))
    if not any(trial.detail for trial in trials[many.id]):  # else the client did not get its core
        assert usage.limit == "client"
