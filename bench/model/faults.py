"""The kinds of faults that a profile may have, and the outcome of a fetch that meets one.

The names are those of HTTP (RFC 9110, 9112, 9113) and of the tools that inject faults. To add a kind, add it
to ``KINDS``, and produce it in ``bench.server``: a complete response in ``fault_responses``; a fault before
the request (``is_total``) in ``resource_needs`` and ``certificates``; any other in ``http1.transport_faults``
and ``http2.transport_faults``. Config, predictions and tables follow from ``KINDS``. ``bench schema`` prints
configs/schema.json, and ``bench list faults --format markdown`` the table of docs/faults.md. The tests that
list all kinds fail until the new one has a case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from bench.api.outcomes import FetchOutcome, outcome_of_status
from bench.model.cases import Fault, Profile

Reach: TypeAlias = Literal["fetch", "connection", "none"]
"""The fetches that a fault ends: its own, all of its connection, or none: the protocol cannot have it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        outcome: outcome of the fetch; for kind ``status`` it depends on the status.
        summary: what the server or the network does, for tables.
        http1: reach over HTTP/1.1, where a connection has one fetch at a time.
        http2: reach over HTTP/2, where all fetches share a connection.
        needs_tls: whether only an encrypted connection can have it.
        is_total: whether it happens before any request, so that all fetches have it or none.
    """

    outcome: FetchOutcome
    summary: str
    http1: Reach = "fetch"
    http2: Reach = "fetch"
    needs_tls: bool = False
    is_total: bool = False


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "status": Kind("server_error", "answers with the status that is given beside it"),
        "not_found": Kind("not_found", "404"),
        "server_error": Kind("server_error", "500"),
        "unavailable": Kind("unavailable", "503 with Retry-After"),
        "rate_limited": Kind("rate_limited", "429 with Retry-After"),
        "slicer": Kind("ok", "sends the answer in small pieces, a moment apart"),
        "slow_close": Kind("ok", "sends all, and closes the connection a moment later", http2="none"),
        "refused": Kind("refused", "no process listens at the port", is_total=True),
        "reset_before_headers": Kind("reset", "resets the connection, or the stream, instead of an answer"),
        "reset_mid_body": Kind("reset", "resets it halfway through the body"),
        "close_before_headers": Kind("disconnected", "closes the connection without an answer", http2="none"),
        "goaway": Kind("disconnected", "sends GOAWAY and no answer", http1="none", http2="connection"),
        "short_body": Kind("truncated", "ends the body short of its Content-Length", http2="connection"),
        "cut_chunk": Kind("truncated", "closes the connection within a chunk", http2="none"),
        "stall": Kind("timeout", "sends half of the body, and then nothing", http2="connection"),
        "drip": Kind("timeout", "sends the body a byte at a time, and never all of it", http2="connection"),
        "slow_headers": Kind(
            "timeout",
            "sends the headers a byte at a time, and never all of them; over HTTP/2 none at all",
            http2="connection",
        ),
        "wrong_content": Kind("corrupt", "sends other bytes, as many as there should be"),
        "no_content": Kind("corrupt", "204"),
        "empty_body": Kind("corrupt", "200 with a body of no bytes"),
        "garbage_status_line": Kind(
            "protocol", "begins its answer with bytes that are not HTTP", http2="none"
        ),
        "bad_length": Kind("protocol", "sends a negative Content-Length", http2="connection"),
        "duplicate_length": Kind("protocol", "sends two different Content-Lengths", http2="connection"),
        "huge_header": Kind("protocol", "sends a header of 256 KiB", http2="connection"),
        "surplus_bytes": Kind("protocol", "sends more than its Content-Length", http2="connection"),
        "redirect_loop": Kind("redirect", "302 to itself"),
        "redirect_off_host": Kind("redirect", "302 to an address that is not this machine's"),
        "gzip_bomb": Kind("too_large", "sends an unrequested gzip of 1 GiB", http2="connection"),
        "oversized": Kind("too_large", "sends a body of 1 GiB", http2="none"),
        "tls_expired": Kind("tls", "shows a certificate that has expired", needs_tls=True, is_total=True),
        "tls_wrong_host": Kind("tls", "shows the certificate of another host", needs_tls=True, is_total=True),
        "tls_unknown_authority": Kind(
            "tls", "shows a certificate of an unknown authority", needs_tls=True, is_total=True
        ),
    }
)


def is_total(fault: Fault | None) -> bool:
    """Return whether a fault happens before any request, so that the server log is empty."""
    return fault is not None and KINDS[fault.kind].is_total


def reach_of(fault: Fault, profile: Profile) -> Reach:
    """Return the reach of a fault over the protocol of a profile."""
    kind = KINDS[fault.kind]
    return kind.http2 if profile.http2 else kind.http1


def outcome_of(fault: Fault) -> FetchOutcome:
    """Return the outcome of a fetch that meets a fault."""
    return outcome_of_status(fault.status) if fault.kind == "status" else KINDS[fault.kind].outcome
