"""Decide on the response to a request over HTTP/2, and follow its steps while it is sent."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from bench.server.fault_responses import fault_response
from bench.server.http2.frames import Data, Headers, Part, Steps, http2_response, send_whole
from bench.server.http2.transport_faults import faulty_steps
from bench.server.request_log import UNANSWERED, ConnectionInfo
from bench.server.responses import status_response
from bench.server.served_round import PlannedResponse, ServedRound
from bench.server.state import RequestTarget

_HEAD: Final = b"HEAD"
_METHODS: Final = frozenset((b"GET", _HEAD))
_INCOMPLETE: Final = frozenset(("short_body",))
"""Faults that end the stream in due form although not all of the response was sent."""


@dataclass(slots=True)
class ResponseWriter(PlannedResponse):
    """A response being sent.

    Attributes:
        stream: the number of its stream.
        due_s: the earliest time of its next part.
        part: the next part; ``None`` before the first and after the last.
        has_begun: whether it was due and looked at, even if no part of it is sent.
        is_ended: whether the end of the stream has been sent.
    """

    stream: int
    steps: Steps
    due_s: float
    part: Part | None = field(init=False, default=None)
    has_begun: bool = field(init=False, default=False)
    is_ended: bool = field(init=False, default=False)

    def begin(self, now_s: float) -> None:
        """Take the first part, due now."""
        step = next(self.steps, None)
        self.has_begun = True
        if step is not None:
            self.part = step.part
            self.start_s = now_s

    def advance(self, part: Headers | Data, size: int) -> None:
        """Take the rest of a part after ``size`` bytes of its data, or the next part."""
        if isinstance(part, Data) and size < len(part.data):
            self.part = Data(part.data[size:], part.is_end)
            return
        self.is_ended = part.is_end
        step = next(self.steps, None)
        self.part = None if step is None else step.part
        if step is not None:
            self.due_s = self.start_s + step.after_s

    def log_answered(self, connection: ConnectionInfo, end_s: float) -> None:
        """Log that the kernel has the end of the stream."""
        self.log(connection, self.start_s, end_s, UNANSWERED if self.fault in _INCOMPLETE else self.status)

    def log_unanswered(self, connection: ConnectionInfo, end_s: float) -> None:
        """Log that the rest of the response is not sent, as of ``end_s``.

        A fault that had not begun by then was not carried out.
        """
        if not self.has_begun:
            self.fault = ""
        self.log(connection, min(self.start_s or end_s, end_s), end_s, UNANSWERED)


def respond(stream: int, target: RequestTarget, method: bytes, arrival_s: float) -> ResponseWriter:
    """Decide on the response to a request: its resource, a replacement or a transport fault."""
    served, resource = target
    if method not in _METHODS:
        return refuse(stream, served, HTTPStatus.METHOD_NOT_ALLOWED, arrival_s)
    attempt, delay_s, fault = served.plan(resource.country) if resource.country else (0, 0.0, None)
    if not resource.is_found:
        fault = None
    replacement = fault_response(fault, resource) if fault else None
    response = http2_response(replacement or resource.response)
    if method == _HEAD:
        response = response._replace(body=b"")
    faulty = faulty_steps(fault.kind, response, served.fault_pacing) if fault else None
    kind = fault.kind if fault and (replacement or faulty) else ""
    steps = faulty or send_whole(response, None if fault else served.bandwidth)
    due_s = arrival_s + delay_s
    return ResponseWriter(
        served, response.status, arrival_s, resource.country, attempt, delay_s, kind, stream, steps, due_s
    )


def refuse(stream: int, served: ServedRound, status: HTTPStatus, arrival_s: float) -> ResponseWriter:
    """Refuse a request that is not valid."""
    steps = send_whole(http2_response(status_response(status)), None)
    return ResponseWriter(served, status, arrival_s, "", 0, 0.0, "", stream, steps, arrival_s)
