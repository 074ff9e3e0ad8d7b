"""The lower bound of a round with CPU work, connections and a rate: that no schedule is shorter."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.lower_bound import Connecting, RoundWork, ideal_s

TIMEOUT_S = 10.0


class ScheduledFetch(NamedTuple):
    """A fetch, and when and where some schedule runs it.

    Attributes:
        service_s: seconds until its answer.
        work_s: CPU seconds of its work, as equal pieces; each waits for a processor of its own.
        places: the processor of each piece.
        slot: the slot that downloads it.
        idle_s: seconds that the slot does nothing before.
        factor: by which its work takes longer than the least.
    """

    service_s: float
    work_s: float
    places: tuple[int, ...]
    slot: int
    idle_s: float
    factor: float


times = st.floats(0.0, 20.0)
fetches = st.lists(
    st.builds(
        ScheduledFetch,
        times,
        st.just(0.0) | times,
        st.lists(st.integers(0, 7), min_size=1, max_size=4).map(tuple),
        st.integers(0, 7),
        st.floats(0.0, 3.0),
        st.floats(1.0, 2.0),
    ),
    min_size=1,
    max_size=25,
)


class Limits(NamedTuple):
    """What every schedule of a round has to keep to.

    Attributes:
        workers: number of slots.
        processors: those that work can use at once.
        connecting: the wait for connections.
        rate: of an open loop; 0 in a closed one.
        keeps_slots: whether a fetch keeps its slot until its work is done.
        has_lock: whether no two fetches can do work at the same time.
    """

    workers: int
    processors: int
    connecting: Connecting
    rate: float
    keeps_slots: bool
    has_lock: bool


limits = st.builds(
    Limits,
    st.integers(1, 8),
    st.integers(1, 4),
    st.builds(Connecting, st.sampled_from([0.0, 0.3, 4.0, 12.0]), st.booleans()),
    st.sampled_from([0.0, 0.2, 1.0, 50.0]),
    st.booleans(),
    st.booleans(),
)


def run_schedule(planned: Sequence[ScheduledFetch], limits: Limits) -> float:
    """Return the time of a schedule: slots and processors take what is planned for them in this order.

    A slot waits for a connection before its first fetch, or before each of them.
    """
    workers, processors, connecting, rate, keeps_slots, has_lock = limits
    slots_s, processors_s, ends_s = [0.0] * workers, [0.0] * (1 if has_lock else processors), [0.0]
    connected = set[int]()
    for number, each in enumerate(planned):
        slot = each.slot % workers
        connect_s = 0.0 if slot in connected and not connecting.per_fetch else connecting.least_s
        connected.add(slot)
        due_s = number / rate if rate else 0.0
        at_s = max(slots_s[slot] + each.idle_s, due_s) + min(connect_s + each.service_s, TIMEOUT_S)
        slots_s[slot] = at_s
        for place in each.places:
            processor = place % len(processors_s)
            at_s = max(at_s, processors_s[processor]) + each.factor * each.work_s / len(each.places)
            processors_s[processor] = at_s
        if keeps_slots:
            slots_s[slot] = at_s
        ends_s.append(at_s)
    return max(ends_s)


@given(fetches, limits)
def test_no_schedule_is_shorter_than_the_ideal(planned: list[ScheduledFetch], limits: Limits) -> None:
    """Whatever order, slots and processors it chooses, and in however many pieces work is done."""
    workers, processors, connecting, rate, keeps_slots, has_lock = limits
    each_s = tuple(each.work_s for each in planned)
    work = RoundWork(each_s, sum(each_s) if has_lock else 0.0, processors, keeps_slots)
    taken_s = run_schedule(planned, limits)
    services_s = [each.service_s for each in planned]
    found = connecting.ideal_s(services_s, workers, TIMEOUT_S, rate, work)
    assert found <= taken_s * (1 + 1e-12)
    vague = replace(work, processors=None, exclusive_s=0.0)
    unknown = connecting.ideal_s(services_s, workers, TIMEOUT_S, rate, vague)
    without = connecting.ideal_s(services_s, workers, TIMEOUT_S, rate)
    assert without <= unknown * (1 + 1e-12) <= found * (1 + 1e-9)
    assert ideal_s(services_s, workers, TIMEOUT_S, work=work) <= found * (1 + 1e-12)


@given(fetches, st.integers(1, 8))
def test_no_work_changes_no_ideal(planned: list[ScheduledFetch], workers: int) -> None:
    services_s = [each.service_s for each in planned]
    none = RoundWork((0.0,) * len(planned), 0.0, 2, keeps_slots=True)
    assert ideal_s(services_s, workers, TIMEOUT_S, work=none) == ideal_s(services_s, workers, TIMEOUT_S)


@pytest.mark.parametrize(
    ("workers", "processors", "has_lock", "keeps_slots", "bound_s"),
    [
        (1, 1, True, True, 4 * (0.02 + 0.1)),  # one after the other
        (4, 2, False, True, 0.02 + 0.2),  # four answers at once, and two processors share the work
        (4, 4, False, True, 0.02 + 0.1),
        (4, 4, True, True, 0.02 + 0.4),  # the lock leaves one of them
        (2, 8, False, True, 2 * (0.02 + 0.1)),  # a slot has two fetches with their work
        (2, 8, False, False, 0.02 + 0.1),  # it downloads the second while the first is processed
        (2, None, False, True, 2 * (0.02 + 0.1)),
        (4, None, False, True, 0.02 + 0.1),
    ],
)
def test_ideal_is_that_of_slots_processors_or_the_lock(
    workers: int,
    processors: int | None,
    has_lock: bool,  # noqa: FBT001  table
    keeps_slots: bool,  # noqa: FBT001  table
    bound_s: float,
) -> None:
    """Four fetches of 20 ms, each with 0.1 s of work."""
    work = RoundWork((0.1,) * 4, 0.4 if has_lock else 0.0, processors, keeps_slots)
    assert ideal_s([0.02] * 4, workers, TIMEOUT_S, work=work) == pytest.approx(bound_s)


def test_work_can_begin_with_the_first_answer_that_has_any() -> None:
    """The quickest fetch is not found, so there is nothing to process before 30 ms."""
    work = RoundWork((0.0, 0.1, 0.1), 0.2, 2, keeps_slots=True)
    assert ideal_s([0.01, 0.03, 0.04], 3, TIMEOUT_S, work=work) == pytest.approx(0.03 + 0.2)
