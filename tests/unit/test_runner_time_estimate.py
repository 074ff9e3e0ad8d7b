"""The forecast of a case, from the costs of its pilots."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config import catalog
from bench.model.body_sizes import FixedSize
from bench.model.cases import Case, Experiment, Fault, Fixed, Profile, Selection, Strategy
from bench.model.results import Measurement, Round
from bench.model.work import Work
from bench.runner import time_estimate
from bench.runner.time_estimate import (
    USUAL_COSTS,
    Costs,
    MeasuredCosts,
    costs_of,
    expected_round_s,
    expected_trial_s,
    fit_costs,
    forecast_case,
    forecast_run,
    needs_pilots,
    pair_of,
    pilot_cases,
    usual_costs,
)
from bench.system.cpu_affinity import Pinning
from bench.worker.protocol import AUTO_ROUNDS
from tests.builders import case, server_round

CODES = ("BR", "CN", "IN", "US")
PILOTS = "a pilot of each strategy and client tells how long trials take"
WORKING = Costs(start_s=0.3, call_s=0.1, per_fetch_s=0.007, handling_s=0.02, handling_per_fetch_s=0.0002)


def case_of(fetches: int, workers: int = 100) -> Case:
    profile = Profile("slow", Fixed(0.02), faults=(Fault("stall", 0.1),), tls=True)
    return Case("s", "httpx", workers, profile, Selection("c", CODES, fetches // len(CODES)))


def pilot_of(fetches: int, costs: Costs, rounds: int = 1) -> tuple[int, Measurement]:
    """Build the measurement of a trial without delays, as these costs have it."""
    round_s = costs.call_s + fetches * costs.per_fetch_s
    timed = Round(round_s, 0.0, {"ok": fetches}, fetches, None)
    other_s = (1 + rounds) * (costs.handling_s + fetches * costs.handling_per_fetch_s)
    took_s = costs.start_s + (1 + rounds) * round_s + other_s
    trial = Measurement("s/c/1/p", 0, 0, 0, "ok", "", took_s, costs.start_s, None, timed, (timed,) * rounds)
    return fetches, trial


@given(st.integers(1, 5), st.floats(1e-5, 0.05), st.floats(0, 0.01))
def test_costs_of_a_call_and_of_its_fetches_are_told_apart(
    rounds: int, per_fetch_s: float, call_s: float
) -> None:
    costs = WORKING._replace(per_fetch_s=per_fetch_s, call_s=call_s * per_fetch_s)
    found = fit_costs([pilot_of(20, costs, rounds), pilot_of(120, costs, rounds)])
    assert found is not None
    assert tuple(found) == pytest.approx(tuple(costs), abs=1e-9)


def test_noise_does_not_make_fetches_free_or_calls_negative() -> None:
    slow, quick = pilot_of(20, WORKING), pilot_of(120, WORKING._replace(call_s=0.0, per_fetch_s=0.0001))
    for pilots in ([slow, quick], [pilot_of(20, WORKING.times(0.01)), pilot_of(120, WORKING)]):
        found = fit_costs(pilots)
        assert found is not None
        assert min(found) >= 0
        assert found.per_fetch_s > 0


def test_short_case_is_forecast_by_its_own_round() -> None:
    found = fit_costs([pilot_of(20, WORKING)])
    assert found is not None
    case = case_of(20)
    assert expected_trial_s(case, 0.0, 1, found) == pytest.approx(expected_trial_s(case, 0.0, 1, WORKING))


def test_usual_costs_have_the_work_on_a_flag_of_mean_size() -> None:
    """Flags of 10 and 30 KB and a code without one, five times with a microsecond for each byte."""
    work = replace(case_of(400), countries=Selection("c", ("BR", "CN", "ZZ")), work=Work("json", 5))
    found = usual_costs(work, 1, {"BR": 10_000, "CN": 30_000}, 1e-6)
    assert found.per_fetch_s == pytest.approx(USUAL_COSTS.per_fetch_s + 5 * 40_000 / 3 * 1e-6)
    assert found._replace(per_fetch_s=0.0) == USUAL_COSTS._replace(per_fetch_s=0.0)
    assert usual_costs(work, 1, {"BR": 10_000}, 0.0) == USUAL_COSTS


def test_case_without_a_pilot_is_forecast_with_the_work_that_others_have_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A strategy of the user's is not run by ``check``; a shipped one has measured 0.1 s for a flag."""
    worked = replace(case("threadpool_map"), work=Work("json", 5))
    own = replace(worked, strategy="mine")
    shipped = catalog.find_strategies()["threadpool_map"]
    strategies = {"threadpool_map": shipped, "mine": replace(shipped, file=tmp_path / "mine.py")}
    experiment = Experiment("x", (worked, own), strategies, 9, None, 60, 10, 7)
    flags = dict.fromkeys(worked.countries.codes, bytes(10_000))
    for s_per_byte, least_s in ((0.0, 0.0), (2e-6, 0.1 * worked.countries.count)):
        measured = MeasuredCosts({pair_of(worked): {worked.workers: WORKING}}, {"json": s_per_byte})
        monkeypatch.setattr(time_estimate, "_measure_costs", lambda *_, found=measured: found)
        _, forecast = forecast_run(experiment, flags, Pinning(), lambda _: None, shipped_only=True)
        assert forecast.guess == "a strategy of yours is not run here"
        assert forecast.round_s is not None
        assert least_s <= forecast.round_s < least_s + 0.2


def test_lateness_of_the_server_in_a_pilot_is_expected_in_the_run_too() -> None:
    """A round of 0.3 s at one worker, of which 0.2 s were planned and the server was late by 0.06 s."""
    fetches, trial = pilot_of(200, WORKING)
    late = replace(trial.rounds[0], elapsed_s=0.3, ideal_s=0.26, planned_ideal_s=0.2)
    found = fit_costs([(fetches, replace(trial, warm_up=late, rounds=(late,)))])
    assert found is not None
    assert expected_round_s(case_of(200, workers=1), 0.2, found) == pytest.approx(0.3)


def test_pilot_without_a_call_tells_no_costs() -> None:
    fetches, trial = pilot_of(20, WORKING)
    assert fit_costs([(fetches, replace(trial, outcome="error", warm_up=None, rounds=()))]) is None
    assert fit_costs([]) is None


def test_pilot_that_fails_after_its_warm_up_tells_the_cost_of_that() -> None:
    fetches, trial = pilot_of(20, WORKING)
    found = fit_costs([(fetches, replace(trial, outcome="error", rounds=()))])
    assert found is not None
    assert found.per_fetch_s == pytest.approx(WORKING.per_fetch_s + WORKING.call_s / 20)


def test_pilot_that_exceeds_its_deadline_costs_that_much_at_least() -> None:
    fetches, trial = pilot_of(20, WORKING)
    late = replace(trial, outcome="timeout", cold_start_s=None, warm_up=None, rounds=(), took_s=20.0)
    found = fit_costs([(fetches, late)])
    assert found is not None
    assert found.per_fetch_s == pytest.approx(1.0)


def test_costs_lie_between_those_of_the_fewest_and_of_the_most_workers() -> None:
    known = {1: WORKING, 101: WORKING.times(3.0)}
    for workers, factor in ((1, 1.0), (51, 2.0), (101, 3.0)):
        found = costs_of(case_of(400, workers), known)
        assert tuple(found) == pytest.approx(tuple(WORKING.times(factor)))
    assert costs_of(case_of(400, 5), {5: WORKING}) == WORKING


def test_pilot_has_a_short_delay_no_faults_and_few_fetches() -> None:
    few, many = pilot_cases(case_of(10_000))
    for pilot in (few, many):
        assert (pilot.profile.latency, pilot.profile.faults, pilot.profile.tls) == (Fixed(0.02), (), True)
        assert (pilot.workers, pilot.client) == (100, "httpx")
    assert (few.countries.count, many.countries.count) == (100, 1_000)
    (whole,) = pilot_cases(case_of(20))
    assert whole.countries.count == 20


def test_large_bodies_take_longer_by_the_usual_costs() -> None:
    """20 bodies of 10 MiB take 20 ms each to receive, and as long to compare."""
    case = case_of(20)
    large = replace(case, profile=replace(case.profile, sizes=FixedSize(10 << 20)))
    flags = dict.fromkeys(case.countries.codes, 10_000)
    assert usual_costs(case, 1, flags) == USUAL_COSTS
    found = usual_costs(large, 1, flags)
    assert found.per_fetch_s - USUAL_COSTS.per_fetch_s == pytest.approx(0.021, abs=0.001)
    assert found.handling_per_fetch_s - USUAL_COSTS.handling_per_fetch_s == pytest.approx(0.021, abs=0.001)


def test_pilot_has_bodies_of_the_same_sizes() -> None:
    """A body of 10 MiB costs a client much more than a flag."""
    case = case_of(20)
    (pilot,) = pilot_cases(replace(case, profile=replace(case.profile, sizes=FixedSize(10 << 20))))
    assert pilot.profile.sizes == FixedSize(10 << 20)


@pytest.mark.parametrize(("deadline_s", "may_miss"), [(60.0, True), (150.0, True), (400.0, False)])
def test_ten_thousand_fetches_of_a_slow_client_may_miss_the_usual_deadline(
    deadline_s: float,
    may_miss: bool,  # noqa: FBT001  table
) -> None:
    """With 7 ms a fetch a round takes 70 s; a forecast may be wrong by a factor of two."""
    case = case_of(10_000)
    case = replace(case, profile=Profile("p", Fixed(0.02)))
    strategy = Strategy("s", Path("s.py"), "", "sync", takes_workers=True, starts_processes=False)
    experiment = Experiment("e", (case,), {"s": strategy}, 1, 1, deadline_s, 30.0, 1)
    forecast = forecast_case(case, experiment, dict.fromkeys(CODES, 10_000), WORKING)
    assert forecast.may_miss_deadline is may_miss
    assert forecast.round_s == pytest.approx(70.1)
    assert forecast.rounds == 1
    assert forecast.trials_s[0] == pytest.approx(0.3 + 2 * (70.1 + 2.02))


def opening(pilot: tuple[int, Measurement], opened: int) -> tuple[int, Measurement]:
    """Return the pilot with so many connections opened in each call."""
    fetches, trial = pilot
    timed = replace(trial.rounds[0], server=replace(server_round(), opened=opened))
    return fetches, replace(trial, warm_up=timed, rounds=(timed,))


@pytest.mark.parametrize(
    ("few", "many", "per_fetch"), [(4, 4, 0.0), (20, 120, 1.0), (0, 0, 0.0), (4, 3, 0.0)]
)
def test_pilots_tell_whether_each_fetch_opens_a_connection(few: int, many: int, per_fetch: float) -> None:
    found = fit_costs([opening(pilot_of(20, WORKING), few), opening(pilot_of(120, WORKING), many)])
    assert found is not None
    assert found.opened_per_fetch == per_fetch


@pytest.mark.parametrize(
    ("keep_alive", "client", "per_fetch", "wait_s"),
    [
        (True, "httpx", 0.0, 0.03),  # TLS: a connection and a round trip of its handshake
        (True, "httpx", 1.0, 0.3),  # a client for each of a hundred downloads, ten workers
        (False, "httpx", 1.0, 0.3),
        (False, "httpx", 0.0, 0.3),
        (True, "mine.fetch", 0.0, 0.0),  # it keeps connections of an earlier call
        (True, "mine.fetch", 0.5, 0.15),
    ],
)
def test_forecast_has_the_connections_that_the_pilots_opened(
    keep_alive: bool,  # noqa: FBT001  table
    client: str,
    per_fetch: float,
    wait_s: float,
) -> None:
    far = Profile("far", Fixed(0.02), tls=True, connect_latency_s=0.015)
    case = replace(case_of(100, workers=10), profile=far, keep_alive=keep_alive, client=client)
    experiment = Experiment("e", (case,), {}, 1, 1, 60.0, 30.0, 1)
    costs = Costs(0.3, 0.0, 0.0, 0.0, 0.0, per_fetch)
    forecast = forecast_case(case, experiment, {}, costs)
    assert forecast.round_s == pytest.approx(10 * 0.02 + wait_s)
    assert forecast.trials_s[0] == pytest.approx(0.3 + 2 * (10 * 0.02 + wait_s))


def test_delays_overlap_with_each_other_but_not_with_the_work_of_the_client() -> None:
    sequential = expected_round_s(case_of(100, workers=1), 2.0, USUAL_COSTS)
    assert sequential == pytest.approx(2.0 + 100 * USUAL_COSTS.per_fetch_s)
    pooled = expected_round_s(case_of(100, workers=50), 0.04, USUAL_COSTS)
    assert pooled == pytest.approx(100 * USUAL_COSTS.per_fetch_s)


@pytest.mark.parametrize(
    ("blocks", "deadline_s", "repeat", "needed"),
    [(2, 60.0, 1, False), (3, 60.0, 1, True), (1, 5.0, 1, True), (1, 600.0, 100, True)],
)
def test_short_run_of_few_fetches_needs_no_pilots_unless_it_may_miss_its_deadline(
    blocks: int, deadline_s: float, repeat: int, *, needed: bool
) -> None:
    of = case("threadpool_map", workers=20)
    of = replace(of, countries=replace(of.countries, repeat=repeat))
    experiment = Experiment("x", (of,), {}, blocks, None, deadline_s, 10, 1)
    assert needs_pilots(experiment, {}) is needed


@pytest.mark.parametrize(("blocks", "announced"), [(2, []), (3, [PILOTS])])
def test_pilots_are_announced_before_they_run(
    blocks: int, announced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    def measure(*_: object) -> MeasuredCosts:
        assert lines == [PILOTS]
        return MeasuredCosts({}, {})

    monkeypatch.setattr(time_estimate, "_measure_costs", measure)
    experiment = Experiment("x", (case("threadpool_map"),), {}, blocks, None, 60.0, 10, 1)
    (forecast,) = forecast_run(experiment, {}, Pinning(), lines.append)
    assert lines == announced
    assert forecast.rounds == AUTO_ROUNDS  # each takes less than 0.1 s


def test_each_cluster_has_a_pilot_of_its_own_and_check_asks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag server of pilots listens where that of the run will, and for ``check`` on loopback."""
    asked: list[tuple[str, str]] = []

    @contextmanager
    def note_host(experiment: Experiment, *_: object) -> Iterator[Experiment]:
        yield experiment

    def note_pilot(context: Experiment, case: Case) -> Iterator[tuple[int, Measurement]]:
        asked.append((context.host, case.scheduler))
        yield pilot_of(20, WORKING)

    monkeypatch.setattr(time_estimate, "run_context", note_host)
    monkeypatch.setattr(time_estimate, "_run_pilots", note_pilot)
    here = case("threadpool_map")
    there, elsewhere = (replace(here, scheduler=f"tcp://{host}:8786") for host in ("10.0.0.1", "127.0.0.1"))
    shipped = catalog.find_strategies()["threadpool_map"]
    experiment = Experiment(
        "x", (here, there, elsewhere), {here.strategy: shipped}, 9, None, 60, 10, 7, host="10.0.0.5"
    )
    found = forecast_run(experiment, {}, Pinning(), lambda _: None)
    assert asked == [("10.0.0.5", ""), ("10.0.0.5", there.scheduler), ("10.0.0.5", elsewhere.scheduler)]
    assert [each.guess for each in found] == [None] * 3
    asked.clear()
    found = forecast_run(experiment, {}, Pinning(), lambda _: None, shipped_only=True)
    assert asked == [("127.0.0.1", "")]
    assert [each.guess for each in found] == [None, *["its cluster is not asked here"] * 2]


@pytest.mark.parametrize(("round_s", "work_s"), [(0.103, 0.06), (0.5, 0.5)])
def test_work_is_the_time_beyond_the_ideal_of_all_workers_or_the_whole_round(
    round_s: float, work_s: float
) -> None:
    """20 fetches of 0.1 s by 20 workers: waiting for the server is no work."""
    fetches, trial = pilot_of(20, WORKING)
    timed = replace(trial.rounds[0], elapsed_s=round_s, ideal_s=0.1)
    found = fit_costs([(fetches, replace(trial, warm_up=timed, rounds=(timed,)))], workers=20)
    assert found is not None
    assert found.per_fetch_s == pytest.approx(work_s / 20)


def test_trial_of_an_open_loop_has_its_schedule_once_for_each_timed_round() -> None:
    """A hundred fetches at 10/s take 9.92 s, and 0.02 s in the warm-up, with a worker for each."""
    case = replace(case_of(100), rate=10.0, profile=Profile("p", Fixed(0.02)))
    free = Costs(0.0, 0.0, 0.0, 0.0, 0.0)
    for rounds, deadline_s, may_miss in ((1, 10.0, False), (2, 10.0, True)):
        experiment = Experiment("x", (case,), {}, 1, rounds, deadline_s, 10.0, 1)
        found = forecast_case(case, experiment, {}, free)
        assert found.ideal_s == pytest.approx(9.92)
        assert found.trials_s == pytest.approx([0.02 + rounds * 9.92])
        assert found.may_miss_deadline == may_miss


def test_pilots_of_an_open_loop_are_closed_loops() -> None:
    pilots = pilot_cases(replace(case_of(2_000), rate=10.0))
    assert [pilot.rate for pilot in pilots] == [0.0, 0.0]
