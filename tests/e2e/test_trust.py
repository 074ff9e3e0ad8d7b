"""What makes the figures trustworthy, shown on real servers, workers and neighbours."""

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

import pytest

from bench.config import catalog
from bench.model.cases import Case, Experiment, Fixed, Profile, Selection
from bench.model.comparison import Verdict
from bench.model.results import Gap, Measurement
from bench.runner.block_loop import run_blocks
from bench.stats.case_summary import block_sample
from bench.stats.observer import Observer
from bench.stats.resource_usage import summarize_usage
from bench.stats.sequential_test import SequentialRule, blocks_to_alarm, decide_metric
from bench.storage.journal import new_journal, read_journal
from bench.system.cpu_affinity import assign_cores, usable_cores
from tests.builders import BEGINNING

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300)]

STRATEGIES = Path(__file__).parents[1] / "strategies"
FAMILY = 20
"""The size of the family of metrics that the rule's chance of a false alarm is meant for."""
RULE = SequentialRule(margin=0.03)
"""Told to find 3 %: 4 % are no more than a margin of 5 % allows."""


TEN = ("BD", "BR", "CN", "ID", "IN", "JP", "NG", "PK", "RU", "US")


def case(strategy: str, client: str, workers: int, delay_s: float, repeat: int = 1) -> Case:
    """Build a case of ten flags with the same delay for all of them, ``repeat`` times over."""
    profile = Profile(f"{delay_s * 1000:g}ms", Fixed(delay_s))
    return Case(strategy, client, workers, profile, Selection("ten", TEN, repeat))


def measured(
    folder: Path, cases: Sequence[Case], blocks: int, rounds: int = 2, seed: int = 1
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
    )
    folder.mkdir()
    with new_journal(folder / "journal.jsonl", BEGINNING) as journal:
        run_blocks(experiment, journal, Observer())
    found: dict[str, list[Measurement]] = {each.id: [] for each in cases}
    for trial in read_journal(folder / "journal.jsonl").trials:
        found[trial.case].append(trial)
    return found


def log_ratios(first: Sequence[Measurement], second: Sequence[Measurement]) -> list[float]:
    """Return second against first, block by block."""
    one, other = block_sample(first), block_sample(second)
    return [math.log(other[block] / one[block]) for block in sorted(one.keys() & other.keys())]


def decided(differences: Sequence[float]) -> Verdict | None:
    """Let the rule look as soon and as often as it may."""
    looks = [look for look in RULE.looks if look <= len(differences)]
    verdicts = (decide_metric(differences[:look], FAMILY, RULE).verdict for look in looks)
    return next((verdict for verdict in verdicts if verdict is not None), None)


def test_four_per_cent_are_told_apart_and_nothing_is_told_apart_from_itself(tmp_path: Path) -> None:
    """A delay of 52 ms is found slower than one of 50; 50 against 50 never is, in 200 tries.

    The rule is free to go on, as it is for its users: it may alarm after 14 blocks if all of them agree, and
    one that the machine spoilt costs it some more. A try draws blocks of the case against itself anew, and
    flips the coin on which side went first: by a seed, so that luck is no part of it.
    """
    fifty = case("threadpool_map", "urllib3", 10, 0.050)
    sides = {
        "a": replace(fifty, variant="a"),
        "b": replace(fifty, variant="b"),
        "slower": case("threadpool_map", "urllib3", 10, 0.052),
    }
    against_slower: list[float] = []
    against_itself: list[float] = []
    for look in (each for each in RULE.looks if each >= blocks_to_alarm(FAMILY, RULE)):
        more = look - len(against_slower)
        trials = measured(tmp_path / f"until-{look}", list(sides.values()), more, rounds=3, seed=look)
        found = {name: trials[each.id] for name, each in sides.items()}
        against_slower += log_ratios(found["a"], found["slower"])
        against_itself += log_ratios(found["a"], found["b"])
        if decided(against_slower) is not None:
            break
    assert decided(against_slower) == "slower"

    assert decided(against_itself) not in {"slower", "faster"}
    source = random.Random(1)
    alarms = 0
    sizes = [abs(each) for each in against_itself]
    for _ in range(200):
        drawn = [source.choice((-1, 1)) * each for each in source.choices(sizes, k=len(sizes))]
        alarms += decided(drawn) in {"slower", "faster"}
    assert alarms == 0


def test_a_strategy_that_uses_half_of_its_workers_is_exposed(tmp_path: Path) -> None:
    """Ten were asked for, five were in flight, and that half of the slots were unused explains the gap."""
    cheat = case("half_the_workers", "urllib3", 10, 0.020, repeat=10)
    (trial, *_) = [each for each in measured(tmp_path / "run", [cheat], 1)[cheat.id] if each.outcome == "ok"]
    for round_ in trial.rounds:
        assert round_.server is not None
        assert round_.gap is not None
        assert round_.server.max_in_flight == 5
        assert round_.server.mean_in_flight < 5
        gap_s = round_.elapsed_s - round_.ideal_s
        assert 0.19 < round_.gap.unused_s < gap_s
        assert round_.gap.unused_s > 0.6 * gap_s


@contextmanager
def busy_neighbour(processors: Sequence[int]) -> Iterator[None]:
    """Keep processors busy with something that is none of our business."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        os.sched_setaffinity(neighbour.pid, processors)
        try:
            yield
        finally:
            neighbour.kill()


@pytest.mark.skipif(len(usable_cores()) < 2, reason="the server needs a core for itself")
def test_a_busy_neighbour_makes_trials_invalid_and_not_slow(tmp_path: Path) -> None:
    """Somebody else works on the server's core: every attempt is refused, and nothing gets into a timing."""
    quiet = case("threadpool_map", "urllib3", 10, 0.020)
    with busy_neighbour(assign_cores(usable_cores()).server):
        trials = measured(tmp_path / "run", [quiet], 1)[quiet.id]
    assert [trial.attempt for trial in trials] == [0, 1, 2, 3]
    assert {trial.outcome for trial in trials} == {"invalid"}
    assert all(trial.detail.startswith(("others used", "the server was late")) for trial in trials)
    assert block_sample(trials) == {}


def test_a_moment_is_measured_too(tmp_path: Path) -> None:
    """One flag that is answered at once: what the server does for it is a share of the round, no limit."""
    one = replace(case("threadpool_map", "urllib3", 1, 0.0), countries=Selection("one", ("BR",)))
    trials = measured(tmp_path / "run", [one, replace(one, strategy="asyncio_gather", client="aiohttp")], 1)
    for each in trials.values():
        assert each[-1].outcome == "ok", each[-1].detail
        assert all(0 < (round_.server_busy or 0) < 0.9 for round_ in each[-1].rounds)


def test_a_good_client_is_near_the_ideal_until_it_is_the_limit_itself(tmp_path: Path) -> None:
    """1,000 fetches of 20 ms: with 20 workers within 12 % and the rest explained, with 200 client-bound."""
    few = case("asyncio_gather", "aiohttp", 20, 0.020, repeat=100)
    many = replace(few, workers=200)
    trials = measured(tmp_path / "run", [few, many], 1)
    good = {name: [each for each in all_ if each.outcome == "ok"] for name, all_ in trials.items()}
    rounds = [round_ for trial in good[few.id] for round_ in trial.rounds]
    assert median(round_.elapsed_s / round_.ideal_s for round_ in rounds) < 1.12
    for round_ in rounds:
        assert round_.gap is not None
        parts_s = {part.name: getattr(round_.gap, part.name) for part in fields(Gap)}
        assert sum(parts_s.values()) == pytest.approx(round_.elapsed_s - round_.ideal_s, rel=0.05)
        assert all(part_s > -0.001 for part_s in parts_s.values()), parts_s
    assert summarize_usage(good[few.id]).limit is None
    assert summarize_usage(good[many.id]).limit == "client"
