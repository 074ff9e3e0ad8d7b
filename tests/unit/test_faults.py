"""The table of faults, and what follows from it for a profile."""

from typing import get_args

import pytest

from bench.api.outcomes import FetchOutcome
from bench.model.cases import Fault, Profile
from bench.model.faults import KINDS, is_total, outcome_of, reach_of


def test_every_class_of_a_fetch_can_be_provoked() -> None:
    """All but what this machine lacks, and what has no name."""
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
def test_a_status_ends_in_its_own_class(fault: Fault, outcome: str) -> None:
    """Any other fault in that of its kind."""
    assert outcome_of(fault) == outcome


def test_what_happens_before_a_request_concerns_all_of_them() -> None:
    """Nobody listens, or the certificate is not to be trusted."""
    total = {name for name in KINDS if is_total(Fault(name, 1))}
    assert total == {"refused", "tls_expired", "tls_wrong_host", "tls_unknown_authority"}
    assert not is_total(None)


def test_a_fault_reaches_further_where_connections_are_shared() -> None:
    """GOAWAY ends every stream of a connection; HTTP/1.1 has no such thing."""
    goaway = Fault("goaway", 1)
    assert reach_of(goaway, Profile("p")) == "none"
    assert reach_of(goaway, Profile("p", tls=True, http2=True)) == "connection"
