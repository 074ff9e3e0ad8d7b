"""What a request gets, decided before any byte of it is sent and whatever protocol carries it."""

from typing import NamedTuple

from bench.model.cases import Fault
from bench.server.fault_responses import fault_response
from bench.server.responses import Response
from bench.server.state import Visit


class ResponsePlan(NamedTuple):
    """What a request for a resource gets.

    Attributes:
        answer: what is sent: the resource, or its substitute. A fault of the transport spoils it on its way.
        country: whose resource it is; empty for what has neither weather nor attempts.
        attempt: how many requests of this round were for the same country before.
        delay_s: planned between arrival and start.
        fault: what goes wrong; ``None`` if nothing does.
    """

    answer: Response
    country: str = ""
    attempt: int = 0
    delay_s: float = 0.0
    fault: Fault | None = None


def plan_response(visit: Visit) -> ResponsePlan:
    """Decide what a request gets by the weather of its round; what is not there meets no fault."""
    served, resource = visit
    country = resource.country
    if not country:
        return ResponsePlan(resource.answer)
    attempt = served.count(country)
    delay_s, fault = served.forecast(country, attempt)
    if fault is None or not resource.is_found:
        return ResponsePlan(resource.answer, country, attempt, delay_s)
    answer = fault_response(fault, resource) or resource.answer
    return ResponsePlan(answer, country, attempt, delay_s, fault)
