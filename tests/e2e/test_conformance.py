"""Every fault ends in the same class for every strategy, client and protocol, and no fetch asks twice."""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.faults import KINDS
from bench.profiles import preset
from bench.runner.reference import lay_out_reference
from bench.server.flags import served_flags
from bench.server.settings import ServerSettings
from tests.conformance import Cell, Conversation, Talk, cells, differences, talks, total_talks
from tests.server_process import running_server

pytestmark = pytest.mark.e2e

SEEDS = range(1, 21)
CELLS = cells()
FEW = [cell for cell in CELLS if cell.strategy.name in {"threadpool_map", "asyncio_gather"}]


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    """Run one server for all."""
    folder = tmp_path_factory.mktemp("conformance")
    with running_server(ServerSettings(preset("local"), seed=1)) as server:
        yield Conversation(server, folder, lay_out_reference(folder, served_flags(None)))


@pytest.mark.parametrize("cell", FEW, ids=str)
def test_both_sides_agree_on_every_fetch(conversation: Conversation, cell: Cell) -> None:
    """One style of each kind with every client that it can use."""
    asked = [*talks(cell, seed=1, fetches=40), *total_talks(cell)]
    assert held(conversation, asked) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_sides_agree_for_every_strategy_over_twenty_seeds(
    conversation: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of fault is met by every strategy with every client over every protocol."""
    asked = [talk for cell in CELLS for talk in total_talks(cell)]
    asked += [talk for cell in CELLS for seed in SEEDS for talk in talks(cell, seed, fetches=60)]
    planned = {(str(talk.cell), fault.kind) for talk in asked for fault in talk.profile.faults}
    met: Counter[tuple[str, str]] = Counter()
    assert held(conversation, asked, met) == []
    assert planned <= met.keys()
    with capsys.disabled():
        sys.stdout.write(
            f"\nconformance: {len(planned)} cells of {len(KINDS)} faults, {met.total():,} fetches\n"
        )


def held(
    conversation: Conversation, asked: list[Talk], met: Counter[tuple[str, str]] | None = None
) -> list[str]:
    """Hold all talks, a few at a time, for most of each is waiting; return what differs."""

    def hold(number: int) -> list[str]:
        talk = asked[number]
        seen = conversation.hold(talk)
        if met is not None:
            total = [fault.kind for fault in talk.profile.faults if KINDS[fault.kind].is_total]
            for country in talk.countries:
                met.update(
                    (str(talk.cell), kind) for kind in total or [each.fault for each in seen.records[country]]
                )
        return differences(talk, seen)

    with ThreadPoolExecutor(4) as executor:
        return [line for lines in executor.map(hold, range(len(asked))) for line in lines]
