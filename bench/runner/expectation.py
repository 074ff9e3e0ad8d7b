"""What a round must look like if the strategy did its work, and what is wrong with one that does not.

The server's delays and errors are known beforehand, so how each fetch ends is known, too. A round that
ended otherwise is no measurement of downloading: whatever it took must not stand in a table.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.faults import is_total, outcome_of
from bench.ideal import ideal_s
from bench.measurement import Outcome, Witness
from bench.model import Case, Experiment, Fault
from bench.outcomes import FetchOutcome, outcome_of_status
from bench.server.weather import forecast, service_s
from bench.worker.protocol import TimedRound

_NEAR_TIMEOUT: Final = 0.25
"""Share of the time-out below which a fetch is near it: the client's own work may make it late."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What awaits a case in each round of a block.

    Attributes:
        ideal_s: the bound that no strategy can beat.
        service_s: what the server takes for all fetches together, none of them longer than its time-out.
        workers: how many downloads may be in flight at once.
        fetches: how many fetches will end in each class.
        may_time_out: how many of each class are so close to the time-out that they may miss it.
        unseen: how many fetches fail before the server can see a request.
    """

    ideal_s: float
    service_s: float
    workers: int
    fetches: Mapping[FetchOutcome, int]
    may_time_out: Mapping[FetchOutcome, int]
    unseen: int = 0


def expect(case: Case, experiment: Experiment, block: int, flag_sizes: Mapping[str, int]) -> Expectation:
    """Work out how every fetch of a case will end, and the least that all of them can take."""
    profile, timeout_s = case.profile, experiment.request_timeout_s
    deviations = {} if profile.http2 else experiment.deviations.get(case.client, {})
    attempts: Counter[str] = Counter()
    outcomes: Counter[FetchOutcome] = Counter()
    borderline: Counter[FetchOutcome] = Counter()
    services_s = []
    unseen = 0
    for country in case.countries.fetches:
        weather = forecast(profile, experiment.seed, block, country, attempts[country])
        attempts[country] += 1
        if country not in flag_sizes and not is_total(weather.fault):
            weather = weather._replace(fault=None)
        services_s.append(service_s(weather, flag_sizes.get(country, 0), profile))
        planned = _planned(weather.fault, deviations, is_there=country in flag_sizes)
        outcome: FetchOutcome = "timeout" if services_s[-1] > timeout_s else planned
        unseen += is_total(weather.fault)
        outcomes[outcome] += 1
        if timeout_s * (1 - _NEAR_TIMEOUT) < services_s[-1] <= timeout_s:
            borderline[outcome] += 1
    return Expectation(
        ideal_s=ideal_s(services_s, case.workers, timeout_s),
        service_s=math.fsum(min(each_s, timeout_s) for each_s in services_s),
        workers=case.workers,
        fetches=outcomes,
        may_time_out=borderline,
        unseen=unseen,
    )


def flaw(timed: TimedRound, witness: Witness | None, expected: Expectation) -> tuple[Outcome, str] | None:
    """Say what makes a round worthless, in a word and a line; ``None`` if nothing does."""
    if surplus := _surplus(timed, expected):
        ended = f"{_listed(timed.fetches)} instead of {_listed(expected.fetches)}"
        return "error", f"fetches: {ended}{_example(timed, surplus)}"
    fetches, timeouts = sum(timed.fetches.values()), timed.fetches.get("timeout", 0)
    requests, in_flight = (0, 0) if witness is None else (witness.requests, witness.max_in_flight)
    if requests < fetches - timeouts - expected.unseen:  # a fetch may time out before its request is sent
        return "missing", f"the server saw {requests} requests for {fetches} fetches"
    if requests > fetches - expected.unseen:
        return "unexpected", f"the server saw {requests} requests for {fetches} fetches"
    # the server learns a little late that a client has given up
    has_left = timeouts or timed.fetches.get("too_large", 0)
    if in_flight > expected.workers and not has_left:
        return "unexpected", f"{in_flight} downloads were in flight, {expected.workers} workers are allowed"
    if timed.elapsed_s < expected.ideal_s:
        return "invalid", f"{timed.elapsed_s:.6f} s is less than the ideal of {expected.ideal_s:.6f} s"
    return None


def _planned(fault: Fault | None, deviations: Mapping[str, FetchOutcome], *, is_there: bool) -> FetchOutcome:
    """Name the class in which a fetch ends if it ends in time."""
    if fault is not None:
        return deviations.get(fault.kind) or outcome_of(fault)
    return outcome_of_status(200 if is_there else 404)


def _surplus(timed: TimedRound, expected: Expectation) -> set[str]:
    """Return the classes in which more fetches ended than can have."""
    most: Counter[str] = Counter({str(name): count for name, count in expected.fetches.items()})
    most["timeout"] += sum(expected.may_time_out.values())
    return {outcome for outcome, count in timed.fetches.items() if count > most[outcome]}


def _example(timed: TimedRound, surplus: set[str]) -> str:
    """Quote a failure of a class of which there are too many."""
    quoted = next((line for line in timed.failures if line.split(": ")[1] in surplus), "")
    return f" ({quoted})" if quoted else ""


def _listed(fetches: Mapping[FetchOutcome, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(fetches.items())) or "none"
