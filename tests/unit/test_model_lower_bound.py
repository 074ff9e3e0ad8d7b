"""No schedule of a round beats its lower bound, whenever its connections are opened."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isinf
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.model.cases import Fixed, Profile
from bench.model.lower_bound import Connecting, ideal_s
from bench.model.planned_delays import least_connect_s
from bench.model.served_trials import ObservedRound, Opening
from bench.runner.expected_round import Expectation, actual_ideal_s
from bench.server.open_trials import RoundLog
from bench.server.request_log import UNANSWERED, RequestLog
from bench.server.server_rounds import observe_rounds

CALLED_S = 100.0
FLOATS = 1e-9
LATENCY_S = 1.0

Draw: TypeAlias = Callable[[st.SearchStrategy[float]], float]


@dataclass
class Schedule:
    """A round being simulated: slots of a strategy, and connections of its client.

    Each slot takes its fetches one after the other, with any pauses. A fetch waits for its connection, and
    times out at its limit, whether its request was sent or not.

    Attributes:
        idle_s: when each connection without a request can carry one.
    """

    profile: Profile
    workers: int
    timeout_s: float
    draw: Draw
    log: RequestLog = field(default_factory=RequestLog)
    free_s: list[float] = field(default_factory=list)
    idle_s: list[float] = field(default_factory=list)
    opened: int = 0

    def __post_init__(self) -> None:
        self.free_s = [CALLED_S] * self.workers

    @property
    def elapsed_s(self) -> float:
        """Time from the call to its return."""
        return max(self.free_s) - CALLED_S

    @property
    def seen(self) -> ObservedRound | None:
        """The server's log; None without a request."""
        opening = Opening("t", self.profile, 0, request_timeout_s=self.timeout_s)
        return observe_rounds({1: RoundLog(self.log, 0.0, 0.0)}, opening, {}).get(1)

    def open_connection(self, at_s: float) -> float:
        """Open a connection; return when its first request may arrive: TLS 1.2 takes longer."""
        self.opened += 1
        most_trips = 1 if self.profile.tls else 0
        trips = self.draw(st.integers(0, most_trips).map(float))
        return at_s + least_connect_s(self.profile) + trips * self.profile.connect_latency_s

    def fetch(self, slot: int, service_s: float, ready_s: float | None) -> None:
        """Fetch in a slot, on a connection that is ready at a time, or on a new one."""
        start_s = self.free_s[slot] + self.draw(st.floats(0, 2))
        ready_s = self.open_connection(start_s) if ready_s is None else ready_s
        arrival_s, limit_s = max(start_s, ready_s), start_s + self.timeout_s
        end_s = min(arrival_s + service_s, limit_s)
        is_sent = arrival_s <= limit_s or self.draw(st.sampled_from([0.0, 1.0]))
        if is_sent:
            self._log(arrival_s, service_s, limit_s)
        if not is_sent:
            self.idle_s.append(ready_s)  # a later fetch has use of it
        elif arrival_s + service_s <= limit_s:
            self.idle_s.append(end_s)
        self.free_s[slot] = end_s

    def _log(self, arrival_s: float, service_s: float, limit_s: float) -> None:
        """Log a request, which may come too late, or have a response that is late or never ends."""
        planned_s = 0.0 if isinf(service_s) else service_s * self.draw(st.floats(0, 1))
        begun_s = arrival_s if isinf(service_s) else arrival_s + service_s
        is_left = arrival_s > limit_s
        start_s = max(arrival_s, limit_s) if is_left else begun_s
        status = UNANSWERED if is_left else 200
        self.log.add(self.opened, arrival_s, arrival_s, start_s, start_s, planned_s, status, "BR", 0, "")

    def take_connection(self) -> float | None:
        """Return when one of the idle connections is ready, or None for a new one."""
        place = int(self.draw(st.integers(-1, len(self.idle_s) - 1).map(float)))
        return None if place < 0 else self.idle_s.pop(place)


PROFILES = st.builds(
    lambda tls, latency_s: Profile("p", Fixed(0.0), tls=tls, connect_latency_s=latency_s),
    st.booleans(),
    st.floats(0, 3),
)
SERVICES = st.lists(st.floats(0, 10) | st.just(float("inf")), min_size=1, max_size=20)
TIMEOUTS = st.floats(6.5, 12)
"""Longer than it takes to open a connection: a config is refused otherwise."""


def run_schedule(schedule: Schedule, services_s: list[float], *, keep_alive: bool, shared: bool) -> None:
    """Simulate a round of these fetches, in any order and on any connections."""
    draw = schedule.draw
    if shared:
        schedule.idle_s = [schedule.open_connection(CALLED_S)]
    elif keep_alive:
        ahead = int(draw(st.integers(0, schedule.workers).map(float)))
        schedule.idle_s = [schedule.open_connection(CALLED_S) for _ in range(ahead)]
    for service_s in services_s:
        slot = int(draw(st.integers(0, schedule.workers - 1).map(float)))
        if shared:
            schedule.fetch(slot, service_s, schedule.idle_s[0])
        else:
            schedule.fetch(slot, service_s, schedule.take_connection() if keep_alive else None)


def check_bounds(schedule: Schedule, connecting: Connecting, services_s: list[float]) -> None:
    """Check the planned bound, and that of the server's log."""
    planned_s = connecting.ideal_s(services_s, schedule.workers, schedule.timeout_s)
    assert planned_s <= schedule.elapsed_s + FLOATS
    plan = Expectation(0.0, 0.0, schedule.workers, {}, {}, connecting=connecting)
    assert actual_ideal_s(schedule.seen, plan) <= schedule.elapsed_s + FLOATS


@given(st.data(), PROFILES, SERVICES, st.integers(1, 6), TIMEOUTS)
def test_no_schedule_with_kept_connections_beats_the_bound(
    data: st.DataObject, profile: Profile, services_s: list[float], workers: int, timeout_s: float
) -> None:
    """Connections may be opened ahead, and by fetches that time out before they can use them."""
    schedule = Schedule(profile, workers, timeout_s, data.draw)
    run_schedule(schedule, services_s, keep_alive=True, shared=False)
    check_bounds(schedule, Connecting(least_connect_s(profile)), services_s)


@given(st.data(), PROFILES, SERVICES, st.integers(1, 6), TIMEOUTS)
def test_no_schedule_with_a_connection_for_each_fetch_beats_the_bound(
    data: st.DataObject, profile: Profile, services_s: list[float], workers: int, timeout_s: float
) -> None:
    schedule = Schedule(profile, workers, timeout_s, data.draw)
    run_schedule(schedule, services_s, keep_alive=False, shared=False)
    assert schedule.opened == len(services_s)
    check_bounds(schedule, Connecting(least_connect_s(profile), per_fetch=True), services_s)


@given(st.data(), st.floats(0, 3), SERVICES, st.integers(1, 6), TIMEOUTS)
def test_no_schedule_on_one_shared_connection_beats_the_bound(
    data: st.DataObject, latency_s: float, services_s: list[float], workers: int, timeout_s: float
) -> None:
    """HTTP/2: every fetch may wait for it, and has its own stream."""
    profile = Profile("p", tls=True, http2=True, connect_latency_s=latency_s)
    schedule = Schedule(profile, workers, timeout_s, data.draw)
    run_schedule(schedule, services_s, keep_alive=True, shared=True)
    assert schedule.opened == 1
    check_bounds(schedule, Connecting(least_connect_s(profile), is_shared=True), services_s)


@pytest.mark.parametrize(
    ("connecting", "services_s", "workers", "bound_s"),
    [
        (Connecting(LATENCY_S), [2.0] * 6, 1, 13.0),
        (Connecting(LATENCY_S), [2.0] * 6, 3, 5.0),
        (Connecting(LATENCY_S), [2.0, 5.0], 2, 6.0),
        (Connecting(LATENCY_S), [0.0] * 6, 3, 1.0),
        (Connecting(LATENCY_S, per_fetch=True), [2.0] * 6, 1, 18.0),
        (Connecting(LATENCY_S, per_fetch=True), [2.0] * 6, 3, 6.0),
        (Connecting(LATENCY_S, per_fetch=True), [0.0] * 7, 3, 3.0),
        (Connecting(LATENCY_S), [float("inf")], 1, 10.0),
        (Connecting(LATENCY_S), [float("inf")] * 5, 5, 10.0),
        (Connecting(LATENCY_S, per_fetch=True), [9.5] * 2, 1, 20.0),
        (Connecting(), [2.0] * 6, 3, 4.0),
    ],
)
def test_a_perfect_schedule_takes_as_long_as_the_bound(
    connecting: Connecting, services_s: list[float], workers: int, bound_s: float
) -> None:
    assert connecting.ideal_s(services_s, workers, 10.0) == pytest.approx(bound_s)


@given(SERVICES, st.integers(1, 6), TIMEOUTS, st.floats(0, 3))
def test_connecting_never_makes_the_bound_shorter(
    services_s: list[float], workers: int, timeout_s: float, least_s: float
) -> None:
    """Nor does a connection for each fetch, compared with kept ones."""
    without_s = ideal_s(services_s, workers, timeout_s)
    kept_s = Connecting(least_s).ideal_s(services_s, workers, timeout_s)
    each_s = Connecting(least_s, per_fetch=True).ideal_s(services_s, workers, timeout_s)
    assert without_s == Connecting().ideal_s(services_s, workers, timeout_s)
    assert without_s <= kept_s + FLOATS
    assert kept_s <= each_s + FLOATS


@pytest.mark.parametrize(
    ("connecting", "waited_s"), [(Connecting(2.0), 2.0), (Connecting(2.0, per_fetch=True), 5.0)]
)
def test_slots_wait_for_connections_in_the_mean(connecting: Connecting, waited_s: float) -> None:
    assert connecting.waited_s(10, 4) == waited_s


@pytest.mark.parametrize(
    ("connecting", "bound_s"),
    [
        (Connecting(), 4.0),
        (Connecting(LATENCY_S), 5.0),
        (Connecting(LATENCY_S, per_fetch=True), 6.0),
    ],
)
def test_bound_of_the_log_has_a_latency_for_each_slot_or_for_each_request(
    connecting: Connecting, bound_s: float
) -> None:
    assert connecting.bound_s(2.0, 12.0, 6, 3) == bound_s
    assert connecting.bound_s(20.0, 21.0, 6, 3) == 20.0 + connecting.least_s
