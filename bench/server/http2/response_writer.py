"""One answer on its way on a stream: which part of it is next, when that is due, and what is logged."""

from dataclasses import dataclass
from http import HTTPStatus

from bench.model.cases import Fault
from bench.server.http2.frames import Data, Headers, Part, Reply, Script, reply_of, whole
from bench.server.http2.transport_faults import faulty_response
from bench.server.open_trials import ServedRound
from bench.server.request_log import UNANSWERED
from bench.server.response_plan import plan_response
from bench.server.responses import refusal
from bench.server.state import Entry, Visit

_HEAD = b"HEAD"
_METHODS = frozenset((b"GET", _HEAD))
_CUT = frozenset(("short_body",))
"""Faults whose stream ends in due form, though not all of the answer was sent."""


@dataclass(slots=True)
class ResponseWriter:
    """An answer being sent.

    Attributes:
        stream: the number of its stream.
        part: what goes next; ``None`` before the first and after the last.
        due_s: when that may go, and not earlier.
        has_begun: whether it was due and looked at, even if nothing is sent of it.
        is_ended: whether the end of the stream has been sent.
    """

    stream: int
    served: ServedRound
    status: int
    script: Script
    arrival_s: float
    due_s: float
    country: str = ""
    attempt: int = 0
    delay_s: float = 0.0
    fault: str = ""
    start_s: float = 0.0
    part: Part | None = None
    has_begun: bool = False
    is_ended: bool = False

    def begin(self, now_s: float) -> None:
        """Look at the first part, which is due now."""
        step = next(self.script, None)
        self.has_begun = True
        if step is not None:
            self.part = step.part
            self.start_s = now_s

    def sent(self, part: Headers | Data, size: int) -> None:
        """Look ahead to what is left of a part, of which so many bytes of data went, or to the one after."""
        if isinstance(part, Data) and size < len(part.data):
            self.part = Data(part.data[size:], part.is_end)
            return
        self.is_ended = part.is_end
        step = next(self.script, None)
        self.part = None if step is None else step.part
        if step is not None:
            self.due_s = self.start_s + step.after_s

    def ended(self, entry: Entry, end_s: float) -> None:
        """Log that the end of the stream is with the kernel."""
        self._log(entry, self.start_s, end_s, UNANSWERED if self.fault in _CUT else self.status)

    def abandoned(self, entry: Entry, end_s: float) -> None:
        """Log that not all of the answer is sent, and nothing more will be since ``end_s``.

        A fault that had not begun by then was not carried out.
        """
        if not self.has_begun:
            self.fault = ""
        self._log(entry, min(self.start_s or end_s, end_s), end_s, UNANSWERED)

    def _log(self, entry: Entry, start_s: float, end_s: float, status: int) -> None:
        self.served.write(
            *entry,
            self.arrival_s,
            start_s,
            end_s,
            self.delay_s,
            status,
            self.country,
            self.attempt,
            self.fault,
        )


def respond(stream: int, visit: Visit, method: bytes, arrival_s: float) -> ResponseWriter:
    """Decide what a request gets and when: its resource, or what its weather has for it instead."""
    served, resource = visit
    if method not in _METHODS:
        return refuse(stream, served, HTTPStatus.METHOD_NOT_ALLOWED, arrival_s)
    decision = plan_response(visit)
    reply = reply_of(decision.answer)
    if method == _HEAD:
        reply = reply._replace(body=b"")
    is_substitute = decision.answer is not resource.answer
    kind, script = _carried_out(decision.fault, reply, served.bandwidth, is_substitute=is_substitute)
    return ResponseWriter(
        stream,
        served,
        reply.status,
        script,
        arrival_s,
        arrival_s + decision.delay_s,
        decision.country,
        decision.attempt,
        decision.delay_s,
        kind,
    )


def _carried_out(
    fault: Fault | None, reply: Reply, bandwidth: float | None, *, is_substitute: bool
) -> tuple[str, Script]:
    """Have an answer spoilt if it is not a substitute already; where neither is possible, claim nothing."""
    if fault is None:
        return "", whole(reply, bandwidth)
    spoilt = faulty_response(fault.kind, reply)
    if spoilt is not None:
        return fault.kind, spoilt
    return fault.kind if is_substitute else "", whole(reply, None)


def refuse(stream: int, served: ServedRound, status: HTTPStatus, arrival_s: float) -> ResponseWriter:
    """Answer what is no proper request, at once."""
    script = whole(reply_of(refusal(status)), None)
    return ResponseWriter(stream, served, status, script, arrival_s, arrival_s)
