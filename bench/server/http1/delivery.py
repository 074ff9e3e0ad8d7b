"""One answer on its way: what a request gets, when each slice may go, and what is logged of it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from bench.server.answers import Slice, refusal
from bench.server.decision import decide
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
    slices: tuple[Slice, ...]
    is_last: bool
    arrival_s: float
    next_s: float
    country: str = ""
    attempt: int = 0
    delay_s: float = 0.0
    fault: str = ""
    start_s: float = 0.0
    sent: int = 0
    is_sent: bool = False
    is_refusal: bool = False

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
        """Log that the whole answer is with the kernel."""
        self._log(entry, self.start_s, end_s, self.status)

    def abandoned(self, entry: Entry, end_s: float) -> None:
        """Log that there is nobody to answer any more since ``end_s``."""
        start_s = min(self.start_s, end_s) if self.sent else end_s
        self._log(entry, start_s, end_s, UNANSWERED)

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


def respond(visit: Visit, method: bytes, arrival_s: float, *, is_last: bool) -> Delivery:
    """Decide what a request gets and when: its resource, or the error its weather has for it."""
    served = visit[0]
    if method not in METHODS:
        return refuse(served, HTTPStatus.METHOD_NOT_ALLOWED, arrival_s)
    answer, country, attempt, delay_s, fault = decide(visit)
    if method == _HEAD:
        slices = head_only(answer, closing=is_last)
    elif served.bandwidth is None:
        slices = answer.closing if is_last else answer.kept
    else:
        slices = paced(answer, served.bandwidth, closing=is_last)
    next_s = arrival_s + delay_s
    kind = "" if fault is None else fault.kind
    return Delivery(
        served, answer.status, slices, is_last, arrival_s, next_s, country, attempt, delay_s, kind
    )


def refuse(served: ServedRound, status: int, arrival_s: float) -> Delivery:
    """Answer what is no proper request, and hang up."""
    slices = refusal(status).closing
    return Delivery(
        served, status, slices, is_last=True, arrival_s=arrival_s, next_s=arrival_s, is_refusal=True
    )
