"""Decide on the response to a request over HTTP/1.1, and cut it into slices that keep to its bandwidth."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from bench.model.cases import Fault
from bench.model.planned_delays import slice_bytes
from bench.server.connection_close import CloseMode
from bench.server.fault_responses import fault_response
from bench.server.http1.transport_faults import FaultyResponse, faulty_response
from bench.server.request_log import UNANSWERED, ConnectionInfo
from bench.server.responses import Response, Slice, Slices, status_response
from bench.server.served_round import PlannedResponse, ServedRound
from bench.server.state import RequestTarget

_HEAD: Final = b"HEAD"
METHODS: Final = (b"GET", _HEAD)
"""A tuple: its first item is found without hashing."""


@dataclass(slots=True)
class ResponseWriter(PlannedResponse):
    """A response being sent.

    Attributes:
        close_mode: the state of the connection after it.
        next_s: the earliest time of its next slice.
    """

    slices: Slices
    close_mode: CloseMode
    next_s: float
    slices_sent: int = field(init=False, default=0)
    is_sent: bool = field(init=False, default=False)

    def take_slice(self, now_s: float) -> bytes:
        """Return the slice that is sent now, and schedule the one after it."""
        slices, number = self.slices, self.slices_sent
        if number == 0:
            self.start_s = now_s
        self.slices_sent = number + 1
        if self.slices_sent == len(slices):
            self.is_sent = True
        else:
            self.next_s = self.start_s + slices[self.slices_sent].after_s
        return slices[number].data

    def log_unanswered(self, connection: ConnectionInfo, end_s: float) -> None:
        """Log that the client has left at ``end_s``, which may be before the response began."""
        has_begun = self.slices_sent > 0 and self.start_s < end_s
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
    status, kind = response.status, ""
    if fault is not None and resource.is_found:
        faulty, kind = _respond_with_fault(target, fault, method, close_mode)
        slices, close_mode, status = faulty
    elif method == _HEAD:
        slices = head_only(response, close_mode)
    elif served.bandwidth is not None:
        slices = paced_slices(response, served.bandwidth, close_mode)
    else:
        slices = response.kept if close_mode == "kept" else response.closing
    return ResponseWriter(
        served, status, arrival_s, country, attempt, delay_s, kind, slices, close_mode, arrival_s + delay_s
    )


def _respond_with_fault(
    target: RequestTarget, fault: Fault, method: bytes, close_mode: CloseMode
) -> tuple[FaultyResponse, str]:
    """Replace a response or spoil its transport; return the kind of fault to log, empty if neither applies.

    No bandwidth slows a fault down, so that the fetch ends in the fault's class and not in a time-out.
    """
    served, resource = target
    replacement = fault_response(fault, resource)
    response = replacement or resource.response
    body = b"" if method == _HEAD else response.body
    faulty = faulty_response(fault.kind, response, body, close_mode, served.fault_pacing)
    if faulty is not None:
        return faulty, fault.kind
    slices = (Slice(response.head(close_mode) + body, 0.0),)
    return FaultyResponse(slices, close_mode, response.status), "" if replacement is None else fault.kind


def refuse(served: ServedRound, status: int, arrival_s: float) -> ResponseWriter:
    """Refuse a request that is not valid, and close the connection."""
    slices = status_response(status).closing
    return ResponseWriter(served, status, arrival_s, "", 0, 0.0, "", slices, "refused", arrival_s)


def head_only(response: Response, close_mode: CloseMode) -> tuple[Slice, ...]:
    """Send the head without the body."""
    return (Slice(response.head(close_mode), 0.0),)


def paced_slices(response: Response, bandwidth: float, close_mode: CloseMode) -> tuple[Slice, ...]:
    """Send the head, then each slice of the body once the bandwidth, in bytes per second, allows it."""
    body = response.body
    step = slice_bytes(bandwidth)
    ends = [*range(step, len(body), step), len(body)]
    starts = [0, *ends[:-1]]
    slices = (Slice(body[start:end], end / bandwidth) for start, end in zip(starts, ends, strict=True))
    return (Slice(response.head(close_mode), 0.0), *slices)
