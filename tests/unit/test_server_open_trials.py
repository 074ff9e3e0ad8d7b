"""Test opening, finding and closing trials."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import SetupError, UsageError
from bench.model.cases import Fault, Fixed, Profile, Uniform
from bench.model.planned_delays import plan_delay
from bench.model.served_trials import Opening
from bench.server import fault_responses
from bench.server.fault_responses import gzip_bomb
from bench.server.open_trials import OpenTrials, trial_url
from bench.server.routes import RoutesOfProfiles
from bench.server.served_round import ServedRound
from bench.server.state import ServerState
from bench.worker.own_function import announce_round

CHANGING = Profile("p", Uniform(0, 1))


def ignore(*_: object) -> None:
    """Log nothing."""


def test_round_starts_with_its_first_request_and_counts_attempts_by_country() -> None:
    trials = OpenTrials(seed=1)
    trials.open(Opening("t", CHANGING, 2))
    first = trials.find_round(b"t.0")
    assert first is not None
    assert trials.find_round(b"t.0") is first
    assert trials.find_round(b"t.1") is not first
    plans = [first.plan(country) for country in ("BR", "FR", "BR")]
    assert [attempt for attempt, _, _ in plans] == [0, 0, 1]
    assert plans[2][1:] == plan_delay(CHANGING, 1, 2, "BR", 1)
    assert set(trials.logs("t")) == {0, 1}


@pytest.mark.parametrize(
    "prefix", [b"", b"t", b"t.", b"t.-1", b"t.01", b"t.1234567", b"u.0", b"t.0/", b"t\xff.0"]
)
def test_invalid_round_segment_finds_nothing(prefix: bytes) -> None:
    trials = OpenTrials(seed=1)
    trials.open(Opening("t", CHANGING, 0))
    assert trials.find_round(prefix) is None
    assert not trials.logs("t")


@pytest.mark.parametrize("name", ["", "a/b", "a.b", "ä", "x" * 65])
def test_trial_name_that_does_not_fit_into_a_url_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be part of an address"):
        OpenTrials(seed=1).open(Opening(name, CHANGING, 0))


def test_current_segment_stands_for_the_round_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "round"
    file.write_bytes(b"0")
    trials = OpenTrials(seed=1)
    trials.open(Opening("t", CHANGING, 0, round_file=str(file)))
    trials.open(Opening("u", CHANGING, 0))
    assert trials.number_current(b"t.current") == b"t.0"
    announce_round(file, 17)
    assert file.read_bytes() == b"000017"
    assert trials.number_current(b"t.current") == b"t.17"
    for segment in (b"t.0", b"u.current", b"v.current", b"t", b"", b"\xff.current"):
        assert trials.number_current(segment) is None
    trials.close("t")
    assert trials.number_current(b"t.current") is None


def test_missing_round_file_is_an_error_of_the_set_up(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="No such file"):
        OpenTrials(seed=1).open(Opening("t", CHANGING, 0, round_file=str(tmp_path / "none")))


@pytest.mark.parametrize("path", [b"/flags/br/br.gif", b"/flags/data/flags/br/br.gif", b"/br/br.gif?a=/cn/x"])
def test_address_of_the_current_round_finds_a_flag_below_any_folders(tmp_path: Path, path: bytes) -> None:
    file = tmp_path / "round"
    file.write_bytes(b"1")
    trials = OpenTrials(seed=1)
    trials.open(Opening("t", CHANGING, 0, round_file=str(file)))
    state = ServerState(RoutesOfProfiles({"BR": b"GIF"}), trials, ServedRound(CHANGING, 1, 0, ignore))
    served, resource = state.find_target(b"/-/t.current" + path)
    assert (served, resource.country, resource.is_found) == (trials.find_round(b"t.1"), "BR", True)
    file.write_bytes(b"2")
    assert state.find_target(b"/-/t.current" + path)[0] is trials.find_round(b"t.2")
    assert not state.find_target(b"/-/t.current/flags/br.gif")[1].is_found


def test_trial_name_can_be_reused_after_closing_only() -> None:
    trials = OpenTrials(seed=1)
    trials.open(Opening("t", CHANGING, 0))
    with pytest.raises(UsageError, match="open already"):
        trials.open(Opening("t", CHANGING, 0))
    trials.close("t")
    with pytest.raises(UsageError, match="not open"):
        trials.close("t")
    trials.open(Opening("t", CHANGING, 0))


def test_steady_profile_has_the_same_delay_for_every_request() -> None:
    served = ServedRound(Profile("p", Fixed(0.05)), 1, 0, ignore)
    assert [served.plan(country) for country in ("BR", "FR", "BR")] == [
        (0, 0.05, None),
        (0, 0.05, None),
        (1, 0.05, None),
    ]


def test_closed_trial_is_not_found_until_it_is_opened_again() -> None:
    target = trial_url("", "t").encode() + b".0/flags/br/br.gif"
    public = ServedRound(CHANGING, 1, 0, ignore)
    state = ServerState(RoutesOfProfiles({"BR": b"GIF89a"}), OpenTrials(seed=1), public)
    state.trials.open(Opening("t", CHANGING, 0))
    served, resource = state.find_target(target)
    assert (resource.response.status, resource.response.body) == (200, b"GIF89a")
    assert state.find_target(target) == (served, resource)
    state.close_trial("t")
    nowhere, missing = state.find_target(target)
    assert (nowhere, missing.response.status) == (public, 404)
    state.trials.open(Opening("t", CHANGING, 0))
    assert state.find_target(target)[0] not in {served, public}


def test_gzip_bomb_is_built_before_the_trial_starts() -> None:
    """Building it takes ten times as long as a response may be late."""
    gzip_bomb.cache_clear()
    fault_responses._gzip_bomb_response.cache_clear()  # noqa: SLF001  it would keep the bomb
    trials = OpenTrials(1)
    trials.open(Opening("harmless", Profile("p", faults=(Fault("stall", 0.1),)), 0))
    assert gzip_bomb.cache_info().currsize == 0
    trials.open(Opening("bomb", Profile("p", faults=(Fault("stall", 0.1), Fault("gzip_bomb", 0.1))), 0))
    assert gzip_bomb.cache_info().currsize == 1


def answer(trials: OpenTrials, segment: str) -> None:
    """Log a response in a round."""
    served = trials.find_round(segment.encode())
    assert served is not None
    served.write(1, 0.0, 0.0, 0.0, 0.0, 0.0, 200, "BR", 0, "")


class CpuClock:
    """A processor clock that is set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now_s


@pytest.mark.parametrize(
    "do_something_else",
    [OpenTrials.note_connection, OpenTrials.note_connection_end, lambda trials: trials.logs("t")],
    ids=["a new connection", "the end of one", "handing out records"],
)
def test_work_of_a_round_is_over_with_its_last_response(
    do_something_else: Callable[[OpenTrials], object],
) -> None:
    """Between two rounds the server cleans up, and that is counted for neither."""
    clock = CpuClock()
    trials = OpenTrials(seed=1, cpu_clock=clock)
    trials.open(Opening("t", CHANGING, 0))
    for number in range(2):
        answer(trials, f"t.{number}")
        clock.now_s += 2.0
        answer(trials, f"t.{number}")
        do_something_else(trials)
        clock.now_s += 8.0
        trials.note_connection_end()
    logs = trials.close("t").values()
    assert [each.ended_cpu_s for each in logs] == [2.0, 12.0]


def test_work_of_a_round_begins_with_the_first_connection_since_the_last_response() -> None:
    """A connection of the round before does not begin it, nor one that came before the records were read."""
    clock = CpuClock()
    trials = OpenTrials(seed=1, cpu_clock=clock)
    trials.open(Opening("t", CHANGING, 0))
    for number in range(3):
        for _ in range(2):
            clock.now_s += 1.0
            trials.note_connection()
            answer(trials, f"t.{number}")
        clock.now_s += 1.0
        trials.note_connection_end()
    trials.note_connection()
    clock.now_s += 10.0
    trials.logs("t")
    clock.now_s += 1.0
    answer(trials, "t.3")
    spans = [(each.began_cpu_s, each.ended_cpu_s) for each in trials.close("t").values()]
    assert spans == [(1.0, 3.0), (4.0, 6.0), (7.0, 9.0), (20.0, 20.0)]


def test_response_that_ends_in_a_later_round_is_no_work_for_its_own() -> None:
    clock = CpuClock()
    trials = OpenTrials(seed=1, cpu_clock=clock)
    trials.open(Opening("t", CHANGING, 0))
    answer(trials, "t.0")
    clock.now_s = 5.0
    trials.find_round(b"t.1")
    clock.now_s = 6.0
    answer(trials, "t.0")
    first, second = trials.close("t").values()
    assert (first.began_cpu_s, first.ended_cpu_s) == (0.0, 5.0)
    assert (second.began_cpu_s, second.ended_cpu_s) == (5.0, 5.0)


def test_summing_up_one_trial_of_a_pair_is_no_work_for_the_last_round_of_the_other() -> None:
    clock = CpuClock()
    trials = OpenTrials(seed=1, cpu_clock=clock)
    for name in ("base", "candidate"):
        trials.open(Opening(name, CHANGING, 0))
        clock.now_s += 1.0
        trials.find_round(f"{name}.0".encode())
        clock.now_s += 1.0
        answer(trials, f"{name}.0")
    clock.now_s += 1.0
    (base,) = trials.close("base").values()
    clock.now_s += 10.0
    (candidate,) = trials.close("candidate").values()
    assert (base.began_cpu_s, base.ended_cpu_s) == (1.0, 3.0)
    assert (candidate.began_cpu_s, candidate.ended_cpu_s) == (3.0, 5.0)
