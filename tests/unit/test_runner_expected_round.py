"""The expected round of a case, and the checks of a round against it."""

from collections import deque
from dataclasses import replace
from heapq import heapreplace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.model.body_sizes import FixedSize, LogNormalSize, SampledSize
from bench.model.cases import (
    NO_CLIENT,
    Case,
    Client,
    Experiment,
    Fault,
    Fixed,
    Profile,
    Selection,
    Uniform,
    Unknown,
)
from bench.model.countries import COUNTRIES
from bench.model.lower_bound import Connecting
from bench.model.planned_bodies import draw_size, make_body
from bench.model.planned_delays import plan_delay
from bench.model.results import ServerRound
from bench.model.served_trials import Opening
from bench.model.trial_outcome import Invalid
from bench.model.work import Work
from bench.runner.expected_round import (
    Expectation,
    actual_ideal_s,
    compare_with_plan,
    expected_call,
    expected_round,
)
from bench.runner.work_costs import KnownWork
from bench.server.open_trials import RoundLog
from bench.server.request_log import RequestLog
from bench.server.responses import cut_body
from bench.server.server_rounds import observe_rounds
from bench.worker.protocol import TimedRound
from tests.builders import server_round

SIZES = {"BR": 10_000, "CN": 20_000}
EXPECTED = Expectation(0.02, 0.06, 3, {"ok": 2, "not_found": 1}, {})
GOOD = TimedRound(0.021, {"ok": 2, "not_found": 1}, 2, ())
WITNESS = server_round()
POOL = "never reached the server: they waited in the client's own pool"


FOUND = {"ok": 2, "not_found": 1}
FAR = Profile("far", Fixed(0.02), connect_latency_s=0.01)


def expectation(
    profile: Profile, *, workers: int = 1, timeout_s: float = 10.0, keep_alive: bool = True
) -> Expectation:
    """Expect one round of two flags and a code without one."""
    case = Case("any", "any", workers, profile, Selection("x", ("BR", "CN", "ZZ")), keep_alive)
    experiment = Experiment("x", (case,), {}, 1, None, 60.0, timeout_s, 1)
    return expected_round(case, experiment, 0, SIZES)


def test_a_code_without_a_flag_is_not_found_after_the_planned_delay() -> None:
    found = expectation(Profile("p", Fixed(0.02)))
    assert found.fetches == {"ok": 2, "not_found": 1}
    assert found.ideal_s == pytest.approx(0.06)


SLOTS = KnownWork(2e-6, processors=2, has_one_thread=True, exclusive_share=1.0, keeps_slots=True)
"""Two microseconds for each byte."""


def expectation_of_work(
    profile: Profile, known: KnownWork | None, *, workers: int = 3, times: int = 5, timeout_s: float = 10.0
) -> Expectation:
    """Expect one round of two flags of 10 and 20 KB and a code without one, with CPU work."""
    case = Case("any", "any", workers, profile, Selection("x", ("BR", "CN", "ZZ")), work=Work("json", times))
    experiment = Experiment("x", (case,), {}, 1, None, 60.0, timeout_s, 1)
    return expected_round(case, experiment, 0, SIZES, known)


def test_ideal_has_the_work_on_flags_and_none_on_codes_without_one() -> None:
    """0.1 and 0.2 s, a thousandth less as clocks may differ by that, after the first answer."""
    found = expectation_of_work(Profile("p", Fixed(0.02)), SLOTS)
    assert found.work_s == found.slot_work_s == pytest.approx(0.2997)
    assert found.ideal_s == pytest.approx(0.02 + 0.2997)
    assert found.service_s == pytest.approx(0.06)
    assert expectation_of_work(Profile("p", Fixed(0.02)), SLOTS, times=10).work_s == pytest.approx(0.5994)


def test_ideal_leaves_out_work_of_unknown_time() -> None:
    found = expectation_of_work(Profile("p", Fixed(0.02)), None)
    assert found.ideal_s == pytest.approx(0.02)
    assert (found.work_s, found.slot_work_s, found.has_work) == (0.0, 0.0, True)


def test_only_flags_that_surely_arrive_are_surely_processed() -> None:
    """A planned failure has none, nor a fetch so close to its time-out that it may miss it."""
    failing = Profile("p", Fixed(0.02), faults=(Fault("status", 1.0, 503),))
    assert expectation_of_work(failing, SLOTS).work_s == 0.0
    late = expectation_of_work(Profile("p", Fixed(0.09)), SLOTS, timeout_s=0.1)
    assert late.work_s == 0.0
    assert late.ideal_s == pytest.approx(0.09)


def test_actual_ideal_has_the_work_while_slots_are_kept() -> None:
    """With one worker, three answers of 30 ms in place of 20, and 0.2997 s of work."""
    profile = Profile("p", Fixed(0.02))
    log = RequestLog()
    for number in range(3):
        log.add(number, 0.0, 0.0, 0.03, 0.03, 0.02, 200, "BR", 0, "")
    seen = observe_rounds({1: RoundLog(log, 0.0, 0.0)}, Opening("t", profile, 0), {})[1]
    kept = expectation_of_work(profile, SLOTS, workers=1)
    assert actual_ideal_s(seen, kept) == pytest.approx(0.09 + 0.2997)
    free = expectation_of_work(profile, replace(SLOTS, keeps_slots=False), workers=1)
    assert actual_ideal_s(seen, free) == free.ideal_s == pytest.approx(0.02 + 0.2997)


def test_round_faster_than_its_ideal_with_work_is_discarded_and_told_of_it() -> None:
    expected = replace(EXPECTED, ideal_s=0.5, work_s=0.4, has_work=True)
    found = compare_with_plan(replace(GOOD, elapsed_s=0.3), WITNESS, expected)
    detail = "0.300000 s is less than the ideal of 0.500000 s with 0.400000 s of CPU work"
    assert found == Invalid("invalid", detail, of_trial=True)


def test_time_outs_beside_cpu_work_are_not_put_down_to_the_server() -> None:
    """An event loop that works longer than the time-out reads answers late that came in time."""
    expected = replace(EXPECTED, has_work=True)
    timed = replace(GOOD, fetches={"timeout": 3}, waited_s=(1.0, 1.0))
    all_seen = compare_with_plan(timed, WITNESS, expected)
    assert all_seen is not None
    assert all_seen.detail.endswith(
        "3 timed out after 1.00 s; the server had all their requests, so CPU work may have kept the program "
        "from reading its answers in time"
    )
    unseen = compare_with_plan(timed, None, expected)
    assert unseen is not None
    assert unseen.detail.endswith(f"3 of them {POOL} or for CPU work")


def test_bandwidth_adds_the_time_of_the_bodies_to_the_ideal() -> None:
    """10 and 20 KB at 100 KB/s, after 20 ms each."""
    found = expectation(Profile("p", Fixed(0.02), bandwidth=100_000))
    assert found.ideal_s == pytest.approx(0.06 + 0.3)


@pytest.mark.parametrize(
    ("profile", "changes", "ideal_s"),
    [
        (FAR, {}, 0.07),
        (FAR, {"workers": 3}, 0.03),
        (FAR, {"keep_alive": False}, 0.09),
        (FAR, {"keep_alive": False, "workers": 2}, 0.06),
        (replace(FAR, tls=True), {}, 0.08),
        (replace(FAR, tls=True), {"keep_alive": False}, 0.12),
        (replace(FAR, tls=True, http2=True), {}, 0.08),
        (FAR, {"client": NO_CLIENT}, 0.06),
        (FAR, {"client": "mine.fetch"}, 0.06),
        (FAR, {"client": "packaged"}, 0.06),
        (FAR, {"client": "packaged", "keep_alive": False}, 0.06),
        (replace(FAR, faults=(Fault("refused", 1.0),)), {"keep_alive": False}, 0.0),
        (replace(FAR, tls=True, faults=(Fault("tls_expired", 1.0),)), {}, 0.02),
        (replace(FAR, tls=True, faults=(Fault("tls_expired", 1.0),)), {"keep_alive": False}, 0.06),
        (replace(FAR, faults=(Fault("reset_before_headers", 1.0),)), {}, 0.07),
    ],
)
def test_connections_that_a_round_must_open_are_part_of_its_ideal(
    profile: Profile, changes: dict[str, Any], ideal_s: float
) -> None:
    """20 ms of latency and 10 of connecting; code of the user's may have kept its connections."""
    case = replace(Case("any", "any", 1, profile, Selection("x", ("BR", "CN", "ZZ"))), **changes)
    own = {"packaged": Client("packaged", Path("packaged.py"), "", frozenset({"sync"}))}
    experiment = Experiment("x", (case,), {}, 1, None, 60.0, 10.0, 1, own_clients=own)
    assert expected_round(case, experiment, 0, SIZES).ideal_s == pytest.approx(ideal_s)


@pytest.mark.parametrize(
    ("profile", "keep_alive", "fetches", "may_time_out"),
    [
        (FAR, True, FOUND, {}),  # 20 ms of 100, and 10 before a first request
        (replace(FAR, connect_latency_s=0.06), True, FOUND, FOUND),
        (replace(FAR, connect_latency_s=0.06), False, FOUND, FOUND),
        (replace(FAR, connect_latency_s=0.09), True, FOUND, FOUND),
        (replace(FAR, connect_latency_s=0.09), False, {"timeout": 3}, {}),
        # TLS 1.2 takes three times 20 ms, TLS 1.3 twice
        (replace(FAR, connect_latency_s=0.02, tls=True), False, FOUND, FOUND),
        (replace(FAR, connect_latency_s=0.05, tls=True), False, {"timeout": 3}, {}),
    ],
)
def test_a_fetch_may_time_out_as_it_has_to_open_a_connection(
    profile: Profile,
    keep_alive: bool,  # noqa: FBT001  table
    fetches: dict[str, int],
    may_time_out: dict[str, int],
) -> None:
    found = expectation(profile, timeout_s=0.1, keep_alive=keep_alive)
    assert (found.fetches, found.may_time_out) == (fetches, may_time_out)


def test_sizes_of_a_profile_take_the_place_of_those_of_the_flags() -> None:
    """A code without a flag stays without a body."""
    found = expectation(Profile("p", Fixed(0.02), bandwidth=100_000, sizes=FixedSize(50_000)))
    assert found.ideal_s == pytest.approx(0.06 + 1.0)
    assert found.fetches == {"ok": 2, "not_found": 1}


SIZES_OF_BODIES = st.one_of(
    st.builds(FixedSize, st.integers(1_000, 10 << 20)),
    st.builds(LogNormalSize, st.integers(1_000, 100_000), st.integers(100_000, 10 << 20)),
    st.lists(st.integers(1_000, 10 << 20), min_size=2, max_size=9).map(
        lambda values: SampledSize(tuple(sorted(values)))
    ),
)


@settings(deadline=None)
@given(
    st.builds(
        Profile,
        st.just("p"),
        st.floats(0, 0.2).map(lambda longest_s: Uniform(0.0, longest_s)),
        bandwidth=st.floats(100_000, 1e9),
        sizes=SIZES_OF_BODIES,
    ),
    st.integers(1, 9),
    st.permutations(sorted(COUNTRIES)[:12]),
    st.integers(0, 10**6),
)
def test_no_order_of_the_downloads_beats_the_ideal(
    profile: Profile, workers: int, countries: list[str], seed: int
) -> None:
    """A worker that is free takes the next flag, and has it when the server sends the last slice."""
    assert profile.sizes is not None
    case = Case("any", "any", workers, profile, Selection("x", tuple(countries)))
    experiment = Experiment("x", (case,), {}, 1, None, 60.0, 1e6, seed)
    expected = expected_round(case, experiment, 0, dict.fromkeys(countries, 1))
    free_s = [0.0] * workers
    for country in countries:
        planned = plan_delay(profile, seed, 0, country, 0)
        body = make_body(country, draw_size(profile.sizes, seed, country))
        (last,) = deque(cut_body(body, profile.bandwidth), 1)
        heapreplace(free_s, free_s[0] + planned.delay_s + last.after_s)
    assert max(free_s) >= expected.ideal_s * (1 - 1e-9)


@pytest.mark.parametrize(("is_limited", "ideal_s"), [(False, 1.02), (True, 0.5)])
def test_fetches_that_time_out_in_a_client_that_limits_them_do_not_share_slots(
    is_limited: bool,  # noqa: FBT001  table
    ideal_s: float,
) -> None:
    """Two of three stall for half a second each; with one worker, they may all wait beside each other."""
    stalls = Profile("p", Fixed(0.02), faults=(Fault("stall", 1.0),))
    selection = Selection("x", ("BR", "CN", "ZZ"))
    case = Case("any", "any", 1, stalls, selection, is_limited_by_client=is_limited)
    experiment = Experiment("x", (case,), {}, 1, None, 60.0, 0.5, 1)
    found = expected_round(case, experiment, 0, SIZES)
    assert found.ideal_s == pytest.approx(ideal_s)
    assert found.has_bounded_log is not is_limited
    limited = replace(case, is_limited_by_client=True, rate=1.0)
    assert expected_round(limited, experiment, 0, SIZES).ideal_s == pytest.approx(2.02)


def test_answers_share_the_connections_of_a_client_beside_those_that_time_out() -> None:
    """Of ten flags of 50 ms, those that stall take half a second, and the others one after the other."""
    some = Profile("p", Fixed(0.05), faults=(Fault("stall", 0.3),))
    codes = tuple(sorted(COUNTRIES)[:20])
    case = Case("any", "any", 1, some, Selection("x", codes), is_limited_by_client=True)
    experiment = Experiment("x", (case,), {}, 1, None, 60.0, 0.5, 1)
    found = expected_round(case, experiment, 0, dict.fromkeys(codes, 1))
    assert 0 < found.fetches["timeout"] < 20
    assert found.ideal_s == pytest.approx(max(0.5, 0.05 * found.fetches["ok"]))


def test_a_fetch_beyond_its_time_out_adds_the_time_out_to_the_ideal() -> None:
    """A case cannot beat its ideal by giving up."""
    found = expectation(Profile("p", Fixed(5.0)), timeout_s=0.5)
    assert found.fetches == {"timeout": 3}
    assert found.ideal_s == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("status", "outcome"), [(418, "server_error"), (503, "unavailable"), (429, "rate_limited")]
)
def test_planned_error_statuses_are_expected(status: int, outcome: str) -> None:
    """A code without a flag stays not found."""
    found = expectation(Profile("p", Fixed(0.0), faults=(Fault("status", 1.0, status),)))
    assert found.fetches == {outcome: 2, "not_found": 1}


def test_a_documented_deviation_of_a_client_is_expected_over_http1_alone() -> None:
    faults = (Fault("surplus_bytes", 1.0),)
    for http2, outcome in ((False, "ok"), (True, "protocol")):
        profile = Profile("p", faults=faults, tls=http2, http2=http2)
        case = Case("any", "requests", 1, profile, Selection("x", ("BR",)))
        experiment = Experiment(
            "x", (case,), {}, 1, None, 60.0, 5.0, 1, deviations={"requests": {"surplus_bytes": "ok"}}
        )
        assert expected_round(case, experiment, 0, SIZES).fetches == {outcome: 1}


def test_every_round_of_a_block_has_the_same_expectation() -> None:
    """Planned delays depend on nothing but seed, block, country and attempt."""
    profile = Profile("p", Uniform(0.01, 0.09), faults=(Fault("status", 0.5, 418),))
    assert expectation(profile) == expectation(profile)


@pytest.mark.parametrize(
    ("timed", "seen", "found"),
    [
        (GOOD, WITNESS, None),
        (GOOD, None, Invalid("missing", "the server saw 0 requests for 3 fetches")),
        (GOOD, replace(WITNESS, requests=2), Invalid("missing", "the server saw 2 requests for 3 fetches")),
        (
            GOOD,
            replace(WITNESS, requests=4),
            Invalid("unexpected", "the server saw 4 requests for 3 fetches"),
        ),
        (
            GOOD,
            replace(WITNESS, max_in_flight=4),
            Invalid("unexpected", "4 downloads were in flight, 3 workers are allowed"),
        ),
        (
            replace(
                GOOD,
                fetches={"ok": 1, "not_found": 1, "timeout": 1},
                failures=("ZZ: not_found: HTTP status 404", "BR: timeout: slow"),
            ),
            WITNESS,
            Invalid(
                "error",
                "fetches: 1 not_found, 1 ok, 1 timeout instead of 1 not_found, 2 ok; "
                "1 timed out, all at the server (BR: timeout: slow)",
            ),
        ),
        (
            replace(GOOD, elapsed_s=0.0199),
            WITNESS,
            Invalid("invalid", "0.019900 s is less than the ideal of 0.020000 s", of_trial=True),
        ),
    ],
)
def test_a_round_is_checked_against_the_server_log(
    timed: TimedRound, seen: ServerRound | None, found: Invalid | None
) -> None:
    assert compare_with_plan(timed, seen, EXPECTED) == found


def test_malformed_failures_of_a_report_are_not_quoted() -> None:
    """A strategy may have forged its report."""
    timed = replace(GOOD, fetches={"timeout": 3}, failures=("nonsense", "BR: timeout: slow"))
    found = compare_with_plan(timed, WITNESS, EXPECTED)
    assert found is not None
    assert found.detail.endswith("all at the server (BR: timeout: slow)")


@pytest.mark.parametrize(
    ("fetches", "waited_s", "seen", "cause"),
    [
        ({"timeout": 3}, (1.0, 1.0004), WITNESS, "3 timed out after 1.00 s, all at the server"),
        (
            {"ok": 1, "timeout": 2},
            (1.0, 1.25),
            replace(WITNESS, requests=2),
            f"2 timed out after 1.00 to 1.25 s, and 1 of them {POOL}",
        ),
        (
            {"timeout": 3},
            (),
            None,
            f"3 timed out, and 3 of them {POOL}",
        ),
        (  # a second request for the same flag does not stand for a fetch that sent none
            {"ok": 1, "timeout": 2},
            (2.0, 2.0),
            replace(WITNESS, requests=2, retries=1),
            f"2 timed out after 2.00 s, and 2 of them {POOL}",
        ),
        (
            {"ok": 1, "timeout": 1, "refused": 1},
            (2.0, 2.0),
            replace(WITNESS, requests=1),
            f"1 timed out after 2.00 s, and up to 1 of them {POOL}",
        ),
    ],
)
def test_time_outs_say_how_long_they_waited_and_how_many_the_server_never_saw(
    fetches: dict[str, int], waited_s: tuple[float, ...], seen: ServerRound | None, cause: str
) -> None:
    found = compare_with_plan(replace(GOOD, fetches=fetches, waited_s=waited_s), seen, EXPECTED)
    assert found is not None
    assert found.detail.partition("; ")[2] == cause


def test_time_outs_before_a_request_may_be_those_of_connecting() -> None:
    expected = replace(EXPECTED, connecting=Connecting(0.01))
    timed = replace(GOOD, fetches={"timeout": 3}, waited_s=(1.0,))
    found = compare_with_plan(timed, None, expected)
    assert found is not None
    assert found.detail.endswith("3 of them never reached the server: they waited for a connection")


def test_a_fetch_close_to_its_time_out_may_end_either_way() -> None:
    """It is planned to take 90 ms of 100: the client's own work decides."""
    expected = expectation(Profile("p", Fixed(0.09)), workers=3, timeout_s=0.1)
    assert expected.fetches == {"ok": 2, "not_found": 1}
    for ok, not_found, timeouts in ((2, 1, 0), (1, 1, 1), (0, 0, 3)):
        fetches = {"ok": ok, "not_found": not_found, "timeout": timeouts}
        timed = TimedRound(0.2, {name: count for name, count in fetches.items() if count}, ok, ())
        assert compare_with_plan(timed, WITNESS, expected) is None
    assert compare_with_plan(TimedRound(0.2, {"ok": 3}, 3, ()), WITNESS, expected) is not None


def test_a_fetch_far_from_its_time_out_may_not_time_out() -> None:
    expected = expectation(Profile("p", Fixed(0.05)), workers=3, timeout_s=0.1)
    timed = TimedRound(0.2, {"ok": 1, "not_found": 1, "timeout": 1}, 1, ("BR: timeout: late",))
    found = compare_with_plan(timed, WITNESS, expected)
    assert found is not None
    assert found.outcome == "error"


def test_a_fetch_that_timed_out_need_not_have_been_asked_for() -> None:
    """It may have waited for a connection all the time."""
    expected = expectation(Profile("p", Fixed(5.0)), timeout_s=0.1)
    timed = TimedRound(0.31, {"timeout": 3}, 0, ())
    assert compare_with_plan(timed, replace(WITNESS, requests=1), expected) is None


STALLED = Expectation(
    0.0, 1.0, 3, {"ok": 1, "reset": 1, "timeout": 1}, {}, 0, {"reset_mid_body": 1, "stall": 1}
)


def test_the_faults_that_the_server_will_carry_out_are_expected_by_kind() -> None:
    """A code without a flag meets none, and a fetch that never reaches the server is unseen."""
    found = expectation(Profile("p", faults=(Fault("reset_mid_body", 1.0),)))
    assert (found.faults, found.unseen) == ({"reset_mid_body": 2}, 0)
    found = expectation(Profile("p", faults=(Fault("refused", 1.0),)))
    assert (found.faults, found.unseen) == ({}, 3)


@pytest.mark.parametrize(
    ("kind", "tls"), [("refused", False), ("refused", True), ("tls_expired", True), ("tls_wrong_host", True)]
)
def test_a_fetch_that_fails_before_its_request_waits_for_no_latency(kind: str, *, tls: bool) -> None:
    found = expectation(Profile("p", Fixed(0.05), faults=(Fault(kind, 1.0),), tls=tls), timeout_s=0.04)
    assert (found.ideal_s, found.service_s, found.may_time_out) == (0.0, 0.0, {})
    assert "timeout" not in found.fetches


@pytest.mark.parametrize(
    ("fetches", "faults", "found"),
    [
        ({"ok": 1, "reset": 1, "timeout": 1}, {"reset_mid_body": 1, "stall": 1}, None),
        ({"ok": 1, "reset": 1, "timeout": 1}, {"reset_mid_body": 1}, None),
        ({"ok": 1, "reset": 1, "timeout": 1}, {"stall": 1}, None),
        (
            {"ok": 1, "reset": 1, "timeout": 1},
            {},
            Invalid("invalid", "the server's faults: none instead of 1 reset_mid_body, 1 stall"),
        ),
        (
            {"ok": 2, "reset": 1},
            {"reset_mid_body": 1},
            Invalid("invalid", "the server's faults: 1 reset_mid_body instead of 1 reset_mid_body, 1 stall"),
        ),
        (
            {"ok": 1, "reset": 1, "timeout": 1},
            {"reset_mid_body": 1, "drip": 1},
            Invalid(
                "invalid",
                "the server's faults: 1 drip, 1 reset_mid_body instead of 1 reset_mid_body, 1 stall",
            ),
        ),
        (
            {"ok": 1, "disconnected": 1, "timeout": 1},
            {"reset_mid_body": 1, "stall": 1},
            Invalid("error", "fetches: 1 disconnected, 1 ok, 1 timeout instead of 1 ok, 1 reset, 1 timeout"),
        ),
    ],
)
def test_the_faults_of_the_server_are_checked_against_the_plan(
    fetches: dict[str, int], faults: dict[str, int], found: Invalid | None
) -> None:
    """A client that timed out may have left before its fault began; any other difference is the server's."""
    timed = TimedRound(1.0, fetches, 1, ())
    assert compare_with_plan(timed, replace(WITNESS, faults=faults), STALLED) == found


def test_a_client_that_retries_is_to_blame_for_an_unplanned_fault() -> None:
    """The second request for a country draws another fault."""
    timed = TimedRound(1.0, {"ok": 1, "reset": 1, "timeout": 1}, 1, ())
    found = compare_with_plan(timed, replace(WITNESS, requests=4, faults={"drip": 1}), STALLED)
    assert found == Invalid("unexpected", "the server saw 4 requests for 3 fetches")


def test_a_client_that_leaves_early_may_have_one_download_more_in_flight() -> None:
    """The server notices a little late that it has left."""
    seen = replace(WITNESS, max_in_flight=4)
    for outcome in ("protocol", "too_large", "timeout"):
        timed = TimedRound(1.0, {"ok": 2, outcome: 1}, 2, ())
        assert compare_with_plan(timed, seen, Expectation(0.0, 1.0, 3, timed.fetches, {})) is None  # type: ignore[arg-type]


def open_loop(rate: float, workers: int, profile: Profile) -> Expectation:
    """Expect one round of four flags at a rate."""
    case = Case("any", "any", workers, profile, Selection("x", ("BR", "CN"), 2), rate=rate)
    return expected_round(case, Experiment("x", (case,), {}, 1, None, 60.0, 10.0, 1), 0, SIZES)


def test_round_of_an_open_loop_takes_its_schedule_and_the_last_fetch_and_its_warm_up_does_not() -> None:
    """The fourth fetch is due after 0.3 s; one worker needs 0.08 s without a schedule."""
    found = open_loop(10.0, 1, Profile("p", Fixed(0.02)))
    assert found.ideal_s == pytest.approx(0.32)
    assert found.warm_up_ideal_s == pytest.approx(0.08)
    assert [expected_call(found, number).ideal_s for number in (0, 1, 2)] == pytest.approx([0.08, 0.32, 0.32])


def test_saturated_round_of_an_open_loop_takes_what_its_workers_need() -> None:
    assert open_loop(100.0, 2, Profile("p", Fixed(1.0))).ideal_s == pytest.approx(2.0)


def test_round_of_a_closed_loop_and_its_warm_up_are_expected_alike() -> None:
    found = expectation(Profile("p", Fixed(0.02)))
    assert found.warm_up_ideal_s is None
    assert expected_call(found, 0) == expected_call(found, 1) == found


def test_open_loop_against_a_target_takes_its_schedule() -> None:
    found = open_loop(10.0, 1, Profile("p", Unknown(), server="http://h"))
    assert (found.is_planned, found.warm_up_ideal_s) == (False, 0.0)
    assert found.ideal_s == pytest.approx(0.3)


def test_round_that_is_faster_than_its_schedule_is_impossible() -> None:
    found = open_loop(10.0, 4, Profile("p", Fixed(0.02)))
    timed = TimedRound(0.1, {"ok": 4}, 4, ())
    problem = compare_with_plan(timed, server_round(4), found)
    assert problem == Invalid("invalid", "0.100000 s is less than the ideal of 0.320000 s", of_trial=True)
    assert compare_with_plan(timed, server_round(4), expected_call(found, 0)) is None
