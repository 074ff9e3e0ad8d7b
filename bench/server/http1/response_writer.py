"""Decide on the response to a request over HTTP/1.1, and slice it.

The slices keep to its bandwidth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from bench.model.cases import Fault
from bench.server.connection_close import CloseMode
from bench.server.fault_responses import fault_response
from bench.server.http1.transport_faults import FaultyResponse, faulty_response, send_faulty
from bench.server.request_log import UNANSWERED, ConnectionInfo
from bench.server.responses import NO_MORE_SLICES, Bytes, Slice, cut_body, status_response
from bench.server.served_round import PlannedResponse, ServedRound
from bench.server.state import RequestTarget

_HEAD: Final = b"HEAD"
METHODS: Final = (b"GET", _HEAD)
"""A tuple: its first item is found without hashing."""


@dataclass(slots=True)
class ResponseWriter(PlannedResponse):
    """A response being sent.

    Attributes:
        data: the bytes that are sent next; ``rest`` follows.
        close_mode: the state of the connection after it.
        next_s: the earliest time to send ``data``.
        is_sent: whether all of it was sent.
    """

    data: Bytes
    close_mode: CloseMode
    next_s: float
    rest: Iterator[Slice]
    is_sent: bool = field(init=False, default=False)

    def take_slice(self, now_s: float) -> Bytes:
        """Return the bytes that are sent now, and schedule the next slice."""
        data = self.data
        if not self.start_s:
            self.start_s = now_s
        following = next(self.rest, None)
        if following is None:
            self.is_sent = True
        else:
            self.data = following.data
            self.next_s = self.start_s + following.after_s
        return data

    def log_unanswered(self, connection: ConnectionInfo, end_s: float) -> None:
        """Log that the client has left at ``end_s``, perhaps before the response began."""
        has_begun = 0 < self.start_s < end_s
        if not has_begun:
            self.fault = ""
        self.log(connection, self.start_s if has_begun else end_s, end_s, UNANSWERED)


def respond(target: RequestTarget, method: bytes, arrival_s: float, close_mode: CloseMode) -> ResponseWriter:
    """Decide on the response to a request; ``close_mode`` applies unless a fault ends the connection."""
    served, resource = target
    if method not in METHODS:
        return refuse(served, HTTPStatus.METHOD_NOT_ALLOWED, arrival_s)
    response, country = resource.response, resource.country
    attempt, delay_s, fault = served.plan(country) if country else (0, 0.0, None)
    status, rest, kind = response.status, NO_MORE_SLICES, ""
    data: Bytes
    if fault is not None and resource.is_found:
        (data, close_mode, status, rest), kind = _respond_with_fault(target, fault, method, close_mode)
    elif method == _HEAD:
        data = response.head(close_mode)
    elif served.bandwidth is not None or response.is_large:
        data, rest = response.head(close_mode), cut_body(response.body, served.bandwidth)
    else:
        data = response.kept if close_mode == "kept" else response.closing
    due_s = arrival_s + delay_s
    return ResponseWriter(
        served, status, arrival_s, country, attempt, delay_s, kind, data, close_mode, due_s, rest
    )


def _respond_with_fault(
    target: RequestTarget, fault: Fault, method: bytes, close_mode: CloseMode
) -> tuple[FaultyResponse, str]:
    """Replace a response or apply a transport fault; return the kind to log, empty if neither applies.

    No bandwidth slows a fault down, so that the fetch ends in the fault's class and not in a time-out.
    """
    served, resource = target
    replacement = fault_response(fault, resource)
    response = replacement or resource.response
    body = b"" if method == _HEAD else response.body
    faulty = faulty_response(fault.kind, response, body, close_mode, served.fault_pacing)
    if faulty is not None:
        return faulty, fault.kind
    whole = send_faulty(response.head(close_mode), body, close_mode, response.status)
    return whole, "" if replacement is None else fault.kind


def refuse(served: ServedRound, status: int, arrival_s: float) -> ResponseWriter:
    """Refuse a request that is not valid, and close the connection."""
    data = status_response(status).closing
    return ResponseWriter(
        served, status, arrival_s, "", 0, 0.0, "", data, "refused", arrival_s, NO_MORE_SLICES
    )
