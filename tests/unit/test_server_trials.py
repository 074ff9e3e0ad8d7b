"""Trials: prefixes of their own while they are open, nothing left of them afterwards."""

import pytest

from bench.errors import UsageError
from bench.model.cases import Fault, Fixed, Profile, Uniform
from bench.model.planned_delays import PlannedDelay, plan_delay
from bench.server import fault_responses
from bench.server.open_trials import Opening, ServedRound, Trials
from bench.server.routes import Routes
from bench.server.state import ServerState
from bench.server.trial_urls import trial_url

CHANGING = Profile("p", Uniform(0, 1))


def ignore(*_: object) -> None:
    """Take nothing down."""


def test_rounds_begin_with_their_first_request_and_stay_the_same() -> None:
    """Attempts are counted from 0 in each round, by country."""
    trials = Trials(seed=1)
    trials.open(Opening("t", CHANGING, 2))
    first = trials.find(b"t.0")
    assert first is not None
    assert trials.find(b"t.0") is first
    assert trials.find(b"t.1") is not first
    assert [first.count(country) for country in ("BR", "FR", "BR")] == [0, 0, 1]
    assert first.forecast("BR", 1) == plan_delay(CHANGING, 1, 2, "BR", 1)
    assert set(trials.logs("t")) == {0, 1}


@pytest.mark.parametrize(
    "prefix", [b"", b"t", b"t.", b"t.-1", b"t.01", b"t.1234567", b"u.0", b"t.0/", b"t\xff.0"]
)
def test_no_other_prefix_leads_anywhere(prefix: bytes) -> None:
    """A client that makes up addresses finds nothing and leaves nothing."""
    trials = Trials(seed=1)
    trials.open(Opening("t", CHANGING, 0))
    assert trials.find(prefix) is None
    assert not trials.logs("t")


@pytest.mark.parametrize("name", ["", "a/b", "a.b", "ä", "x" * 65])
def test_a_name_must_fit_into_an_address(name: str) -> None:
    """The prefix is cut at its last dot and slash."""
    with pytest.raises(UsageError, match="cannot be part of an address"):
        Trials(seed=1).open(Opening(name, CHANGING, 0))


def test_a_name_can_be_used_again_after_its_trial_was_closed() -> None:
    """But not before; and a closed trial cannot be asked about."""
    trials = Trials(seed=1)
    trials.open(Opening("t", CHANGING, 0))
    with pytest.raises(UsageError, match="open already"):
        trials.open(Opening("t", CHANGING, 0))
    trials.close("t")
    with pytest.raises(UsageError, match="not open"):
        trials.close("t")
    trials.open(Opening("t", CHANGING, 0))


def test_weather_that_cannot_change_is_asked_for_once() -> None:
    """Every request of a steady profile meets the very same forecast."""
    served = ServedRound(Profile("p", Fixed(0.05)), 1, 0, ignore)
    assert served.forecast("BR", 0) is served.forecast("FR", 9)
    assert served.forecast("BR", 0) == PlannedDelay(0.05, None)


def test_a_site_forgets_a_trial_that_is_closed() -> None:
    """What led to it is not found again, until a trial of that name is opened anew."""
    target = trial_url("", "t").encode() + b".0/flags/br/br.gif"
    public = ServedRound(CHANGING, 1, 0, ignore)
    site = ServerState(Routes({"BR": b"GIF89a"}), Trials(seed=1), public)
    site.trials.open(Opening("t", CHANGING, 0))
    served, resource = site.visit(target)
    assert (resource.answer.status, resource.answer.body) == (200, b"GIF89a")
    assert site.visit(target) == (served, resource)
    site.close_trial("t")
    nowhere, missing = site.visit(target)
    assert (nowhere, missing.answer.status) == (public, 404)
    site.trials.open(Opening("t", CHANGING, 0))
    assert site.visit(target)[0] not in {served, public}


def test_a_bomb_is_laid_out_before_the_trial_begins() -> None:
    """It takes ten times as long as an answer may be late."""
    laid_out = fault_responses._gzip_bomb  # noqa: SLF001  nobody else can tell
    laid_out.cache_clear()
    trials = Trials(1)
    trials.open(Opening("sound", Profile("p", faults=(Fault("stall", 0.1),)), 0))
    assert laid_out.cache_info().currsize == 0
    trials.open(Opening("bomb", Profile("p", faults=(Fault("stall", 0.1), Fault("gzip_bomb", 0.1))), 0))
    assert laid_out.cache_info().currsize == 1
