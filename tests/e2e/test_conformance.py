"""Every fault ends in the same class for every strategy, client and protocol, and no fetch is repeated."""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest

from bench.model.faults import KINDS
from bench.model.flags import served_flags
from bench.model.profile_presets import preset
from bench.model.server_settings import ServerSettings
from bench.runner.protected_files import write_reference
from tests.conformance import SERVER_SEED, Conversation, Talk, cells, differences, talks, total_talks
from tests.server_process import running_server

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

Meeting: TypeAlias = tuple[str, str]
"""A cell, and a kind of fault that it met."""

SEEDS = range(1, 21)
LANES = 6
CELLS = cells()
FEW = [cell for cell in CELLS if cell.strategy.name in {"threadpool_map", "asyncio_gather"}]


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    """Run one server for all."""
    folder = tmp_path_factory.mktemp("conformance")
    with running_server(ServerSettings(preset("local"), seed=SERVER_SEED)) as server:
        yield Conversation(server, folder, write_reference(folder, served_flags(None)))


def test_client_and_server_agree_on_every_fetch(conversation: Conversation) -> None:
    """One strategy of each style with every client that it can use, and every fault."""
    asked = [talk for cell in FEW for talk in (*talks(cell, seed=1, fetches=30), *total_talks(cell))]
    met: Counter[Meeting] = Counter()
    assert held(conversation, asked, met) == []
    assert planned(asked) <= met.keys()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_client_and_server_agree_for_every_strategy_over_twenty_seeds(
    conversation: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [talk for cell in CELLS for talk in total_talks(cell)]
    asked += [talk for cell in CELLS for seed in SEEDS for talk in talks(cell, seed, fetches=60)]
    met: Counter[Meeting] = Counter()
    assert held(conversation, asked, met) == []
    assert planned(asked) <= met.keys()
    with capsys.disabled():
        sys.stdout.write(
            f"\nconformance: {len(planned(asked))} cells of {len(KINDS)} faults, {met.total():,} fetches\n"
        )


def planned(asked: list[Talk]) -> set[Meeting]:
    """Return what talks are to meet."""
    return {(str(talk.cell), fault.kind) for talk in asked for fault in talk.profile.faults}


def held(conversation: Conversation, asked: list[Talk], met: Counter[Meeting]) -> list[str]:
    """Hold all talks, a few at a time, for most of each is waiting; count what is met, tell what differs."""

    def hold(number: int) -> list[str]:
        talk = asked[number]
        seen = conversation.hold(talk)
        total = [fault.kind for fault in talk.profile.faults if KINDS[fault.kind].is_total]
        for country in talk.countries:
            met.update(
                (str(talk.cell), kind) for kind in total or [each.fault for each in seen.records[country]]
            )
        return differences(talk, seen)

    with ThreadPoolExecutor(LANES) as executor:
        return [line for lines in executor.map(hold, range(len(asked))) for line in lines]
