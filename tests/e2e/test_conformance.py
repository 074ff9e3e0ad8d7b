"""Every fault has the same outcome for every strategy, client and protocol, and no fetch is repeated."""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest

from bench.model.body_sizes import FixedSize
from bench.model.faults import KINDS
from bench.model.profile_presets import preset
from bench.model.server_settings import ServerSettings
from tests.conformance import (
    SERVER_SEED,
    FaultRound,
    FaultyServer,
    combinations,
    connection_fault_rounds,
    differences,
    fault_rounds,
)
from tests.server_process import running_server

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.alone]

FaultyCombination: TypeAlias = tuple[str, str]
"""A combination, and a kind of fault that it met."""

SEEDS = range(1, 21)
LARGE = FixedSize(300_000)
"""More than clients keep in memory."""
PARALLEL = 6
COMBINATIONS = combinations()
FEW = [
    combination
    for combination in COMBINATIONS
    if combination.strategy.name in {"threadpool_map", "asyncio_gather"}
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyServer]:
    """Run one server for all tests."""
    folder = tmp_path_factory.mktemp("conformance")
    with running_server(ServerSettings(preset("local"), seed=SERVER_SEED)) as running:
        yield FaultyServer(running, folder, (None, LARGE))


def test_client_and_server_agree_on_every_fetch(server: FaultyServer) -> None:
    """This tries one strategy of each style, every client that it can use, and every fault."""
    rounds = [
        round_
        for combination in FEW
        for round_ in (*fault_rounds(combination, seed=1, fetches=30), *connection_fault_rounds(combination))
    ]
    met: Counter[FaultyCombination] = Counter()
    assert run_rounds(server, rounds, met) == []
    assert planned(rounds) <= met.keys()


def test_client_and_server_agree_on_large_bodies_that_are_written_as_they_arrive(
    server: FaultyServer,
) -> None:
    """Whatever happens to a body, nothing is left of one that did not arrive."""
    rounds = [
        round_ for combination in FEW for round_ in fault_rounds(combination, seed=2, fetches=30, sizes=LARGE)
    ]
    met: Counter[FaultyCombination] = Counter()
    assert run_rounds(server, rounds, met) == []
    assert planned(rounds) <= met.keys()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_client_and_server_agree_for_every_strategy_over_twenty_seeds(
    server: FaultyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = [round_ for combination in COMBINATIONS for round_ in connection_fault_rounds(combination)]
    rounds += [
        round_
        for combination in COMBINATIONS
        for seed in SEEDS
        for round_ in fault_rounds(combination, seed, fetches=60)
    ]
    met: Counter[FaultyCombination] = Counter()
    assert run_rounds(server, rounds, met) == []
    assert planned(rounds) <= met.keys()
    with capsys.disabled():
        sys.stdout.write(
            f"\nconformance: {len(planned(rounds))} combinations with a fault, {met.total():,} fetches\n"
        )


def planned(rounds: list[FaultRound]) -> set[FaultyCombination]:
    """Return the faults that these rounds should meet."""
    return {(str(round_.combination), fault.kind) for round_ in rounds for fault in round_.profile.faults}


def run_rounds(server: FaultyServer, rounds: list[FaultRound], met: Counter[FaultyCombination]) -> list[str]:
    """Run rounds, a few at a time, as they mostly wait; count the faults met, and return differences."""

    def run(number: int) -> list[str]:
        round_ = rounds[number]
        observation = server.run(round_)
        total = [fault.kind for fault in round_.profile.faults if KINDS[fault.kind].is_total]
        for country in round_.countries:
            met.update(
                (str(round_.combination), kind)
                for kind in total or [each.fault for each in observation.records[country]]
            )
        return differences(round_, observation)

    with ThreadPoolExecutor(PARALLEL) as executor:
        return [line for lines in executor.map(run, range(len(rounds))) for line in lines]
