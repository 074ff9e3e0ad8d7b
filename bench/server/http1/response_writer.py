"""How an answer is cut into slices so that it never runs ahead of its bandwidth."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from bench.model.planned_delays import slice_bytes
from bench.server.http1.connection_close import Ending
from bench.server.http1.transport_faults import FaultyResponse, faulty_response
from bench.server.open_trials import ServedRound
from bench.server.request_log import UNANSWERED
from bench.server.response_plan import ResponsePlan, plan_response
from bench.server.responses import Response, Slice, Slices, refusal
from bench.server.state import Entry, Visit


def head_only(answer: Response, *, closing: bool) -> tuple[Slice, ...]:
    """Send no body, and at once."""
    return (Slice(answer.head(closing=closing), 0.0),)


def paced(answer: Response, bandwidth: float, *, closing: bool) -> tuple[Slice, ...]:
    """Send the head, then each slice of the body once the bandwidth, in bytes per second, has room for it."""
    body = answer.body
    step = slice_bytes(bandwidth)
    ends = [*range(step, len(body), step), len(body)]
    starts = [0, *ends[:-1]]
    slices = (Slice(body[start:end], end / bandwidth) for start, end in zip(starts, ends, strict=True))
    return (Slice(answer.head(closing=closing), 0.0), *slices)


_HEAD: Final = b"HEAD"
METHODS: Final = frozenset((b"GET", _HEAD))


@dataclass(slots=True)
class ResponseWriter:
    """An answer being sent; ``next_s`` is when the next of its slices may go, and not earlier."""

    served: ServedRound
    status: int
    slices: Slices
    ending: Ending
    arrival_s: float
    next_s: float
    country: str = ""
    attempt: int = 0
    delay_s: float = 0.0
    fault: str = ""
    start_s: float = 0.0
    sent: int = 0
    is_sent: bool = False

    def take(self, now_s: float) -> bytes:
        """Return the next slice, sent now, and look ahead to the one after it."""
        slices, sent = self.slices, self.sent
        if sent == 0:
            self.start_s = now_s
        self.sent = sent + 1
        if self.sent == len(slices):
            self.is_sent = True
        else:
            self.next_s = self.start_s + slices[self.sent].after_s
        return slices[sent].data

    def ended(self, entry: Entry, end_s: float) -> None:
        """Log that the kernel has all that was to be sent."""
        self._log(entry, self.start_s, end_s, self.status)

    def abandoned(self, entry: Entry, end_s: float) -> None:
        """Log that there is nobody to answer any more since ``end_s``, which may be before it began."""
        has_begun = self.sent > 0 and self.start_s < end_s
        if not has_begun:
            self.fault = ""
        self._log(entry, self.start_s if has_begun else end_s, end_s, UNANSWERED)

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


def respond(visit: Visit, method: bytes, arrival_s: float, *, is_last: bool) -> ResponseWriter:
    """Decide what a request gets and when."""
    served = visit[0]
    if method not in METHODS:
        return refuse(served, HTTPStatus.METHOD_NOT_ALLOWED, arrival_s)
    answer, country, attempt, delay_s, fault = decision = plan_response(visit)
    if fault is not None:
        return _respond_with_fault(visit, decision, fault.kind, method, arrival_s, is_last=is_last)
    if method == _HEAD:
        slices = head_only(answer, closing=is_last)
    elif served.bandwidth is None:
        slices = answer.closing if is_last else answer.kept
    else:
        slices = paced(answer, served.bandwidth, closing=is_last)
    ending: Ending = "closed" if is_last else "kept"
    return ResponseWriter(
        served, answer.status, slices, ending, arrival_s, arrival_s + delay_s, country, attempt, delay_s
    )


def _respond_with_fault(  # noqa: PLR0913  what a request is, and what was decided about it
    visit: Visit, decision: ResponsePlan, kind: str, method: bytes, arrival_s: float, *, is_last: bool
) -> ResponseWriter:
    """Have an answer spoilt if it is not a substitute already; where neither is possible, claim nothing.

    No bandwidth holds up a fault, so that it ends in its class and not in a time-out.
    """
    answer, country, attempt, delay_s, _ = decision
    body = b"" if method == _HEAD else answer.body
    spoilt = faulty_response(kind, answer, body, is_last=is_last)
    if spoilt is None:
        ending: Ending = "closed" if is_last else "kept"
        spoilt = FaultyResponse((Slice(answer.head(closing=is_last) + body, 0.0),), ending, answer.status)
        kind = "" if answer is visit[1].answer else kind
    slices, ending, status = spoilt
    next_s = arrival_s + delay_s
    return ResponseWriter(
        visit[0], status, slices, ending, arrival_s, next_s, country, attempt, delay_s, kind
    )


def refuse(served: ServedRound, status: int, arrival_s: float) -> ResponseWriter:
    """Answer what is no proper request, and hang up."""
    return ResponseWriter(served, status, refusal(status).closing, "refused", arrival_s, arrival_s)
