"""One answer on its way: what a request gets, when each slice may go, and what is logged of it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from bench.server.answers import Slices, refusal
from bench.server.decision import decide
from bench.server.http1.endings import Ending
from bench.server.http1.misdelivery import misdelivery
from bench.server.http1.pacing import head_only, paced
from bench.server.log import UNANSWERED
from bench.server.site import Entry, Visit
from bench.server.trials import ServedRound

_HEAD: Final = b"HEAD"
METHODS: Final = frozenset((b"GET", _HEAD))


@dataclass(slots=True)
class Delivery:
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
        self._log(entry, self.start_s, end_s, self.status, self.fault)

    def abandoned(self, entry: Entry, end_s: float) -> None:
        """Log that there is nobody to answer any more since ``end_s``, which may be before it began."""
        if self.sent and self.start_s < end_s:
            self._log(entry, self.start_s, end_s, UNANSWERED, self.fault)
        else:
            self._log(entry, end_s, end_s, UNANSWERED, "")

    def _log(self, entry: Entry, start_s: float, end_s: float, status: int, fault: str) -> None:
        self.served.write(
            *entry,
            self.arrival_s,
            start_s,
            end_s,
            self.delay_s,
            status,
            self.country,
            self.attempt,
            fault,
        )


def respond(visit: Visit, method: bytes, arrival_s: float, *, is_last: bool) -> Delivery:
    """Decide what a request gets and when, and have it spoilt if that is its fault."""
    served = visit[0]
    if method not in METHODS:
        return refuse(served, HTTPStatus.METHOD_NOT_ALLOWED, arrival_s)
    answer, country, attempt, delay_s, fault = decide(visit)
    next_s = arrival_s + delay_s
    status, kind = answer.status, ""
    ending: Ending = "closed" if is_last else "kept"
    slices: Slices
    if method == _HEAD:
        slices = head_only(answer, closing=is_last)
    elif served.bandwidth is None or fault is not None:
        slices = answer.closing if is_last else answer.kept
    else:
        slices = paced(answer, served.bandwidth, closing=is_last)
    if fault is not None:
        body = b"" if method == _HEAD else answer.body
        spoilt = misdelivery(fault.kind, answer, body, is_last=is_last)
        if spoilt is not None:
            slices, ending, status = spoilt
        if spoilt is not None or answer is not visit[1].answer:
            kind = fault.kind
    return Delivery(served, status, slices, ending, arrival_s, next_s, country, attempt, delay_s, kind)


def refuse(served: ServedRound, status: int, arrival_s: float) -> Delivery:
    """Answer what is no proper request, and hang up."""
    return Delivery(served, status, refusal(status).closing, "refused", arrival_s, arrival_s)
