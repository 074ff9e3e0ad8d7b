"""Outcomes and reach of the kinds of faults."""

from typing import get_args

import pytest

from bench.api.outcomes import FetchOutcome
from bench.model.cases import Fault, Profile
from bench.model.faults import KINDS, is_total, outcome_of, reach_of


def test_faults_cover_every_outcome_of_a_fetch() -> None:
    """Except missing local resources and unclassified errors."""
    provoked = {kind.outcome for kind in KINDS.values()}
    assert provoked == set(get_args(FetchOutcome)) - {"local_resource", "error"}


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault("status", 1, 418), "server_error"),
        (Fault("status", 1, 503), "unavailable"),
        (Fault("stall", 1), "timeout"),
    ],
)
def test_outcome_of_kind_status_depends_on_the_status(fault: Fault, outcome: str) -> None:
    assert outcome_of(fault) == outcome


def test_faults_before_any_request_are_total() -> None:
    total = {name for name in KINDS if is_total(Fault(name, 1))}
    assert total == {"refused", "tls_expired", "tls_wrong_host", "tls_unknown_authority"}
    assert not is_total(None)


def test_goaway_ends_every_stream_of_a_connection_and_is_unknown_to_http1() -> None:
    goaway = Fault("goaway", 1)
    assert reach_of(goaway, Profile("p")) == "none"
    assert reach_of(goaway, Profile("p", tls=True, http2=True)) == "connection"
