"""What a round must look like if the strategy did its work, and what is wrong with one that does not.

The server's delays and errors are known beforehand, so how each fetch ends is known, too. A round that
ended otherwise is no measurement of downloading: whatever it took must not stand in a table.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.api.outcomes import FetchOutcome, outcome_of_status
from bench.model.cases import Case, Experiment, Fault
from bench.model.faults import is_total, outcome_of
from bench.model.lower_bound import ideal_s
from bench.model.planned_delays import plan_delay, service_s
from bench.model.results import ServerRound
from bench.model.trial_outcome import Outcome
from bench.worker.protocol import TimedRound

_NEAR_TIMEOUT: Final = 0.25
"""Share of the time-out below which a fetch is near it: the client's own work may make it late."""
_LEFT: Final[tuple[FetchOutcome, ...]] = ("timeout", "error", "local_resource")
"""Of a fetch that ended like this the server may not know that it had begun."""
_LEFT_EARLY: Final[tuple[FetchOutcome, ...]] = ("timeout", "too_large", "protocol")
"""A fetch that ended like this did not wait for the end of the answer."""


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
        faults: how many of the others meet which kind of fault.
    """

    ideal_s: float
    service_s: float
    workers: int
    fetches: Mapping[FetchOutcome, int]
    may_time_out: Mapping[FetchOutcome, int]
    unseen: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)


def expected_round(
    case: Case, experiment: Experiment, block: int, flag_sizes: Mapping[str, int]
) -> Expectation:
    """Work out how every fetch of a case will end, and the least that all of them can take."""
    profile, timeout_s = case.profile, experiment.request_timeout_s
    deviations = {} if profile.http2 else experiment.deviations.get(case.client, {})
    attempts: Counter[str] = Counter()
    outcomes: Counter[FetchOutcome] = Counter()
    borderline: Counter[FetchOutcome] = Counter()
    faults: Counter[str] = Counter()
    services_s = []
    unseen = 0
    for country in case.countries.fetches:
        weather = plan_delay(profile, experiment.seed, block, country, attempts[country])
        attempts[country] += 1
        if country not in flag_sizes and not is_total(weather.fault):
            weather = weather._replace(fault=None)
        services_s.append(service_s(weather, flag_sizes.get(country, 0), profile))
        planned = _planned(weather.fault, deviations, is_there=country in flag_sizes)
        outcome: FetchOutcome = "timeout" if services_s[-1] > timeout_s else planned
        if is_total(weather.fault):
            unseen += 1
        elif weather.fault is not None:
            faults[weather.fault.kind] += 1
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
        faults=faults,
    )


def check_round(
    timed: TimedRound, witness: ServerRound | None, expected: Expectation
) -> tuple[Outcome, str] | None:
    """Say what makes a round worthless, in a word and a line; ``None`` if nothing does.

    Where the server did not carry out what was planned, the strategy is not to blame for what came of it; but
    only one that asked as often as it should met what was planned for it.
    """
    miscounted = _miscounted(timed, witness, expected)
    if miscounted is None and (strayed := _strayed(timed, witness, expected)):
        return "invalid", strayed
    if surplus := surplus_of(timed, expected):
        ended = f"{_listed(timed.fetches)} instead of {_listed(expected.fetches)}"
        return "error", f"fetches: {ended}{_example(timed, surplus)}"
    return miscounted or _crowded(timed, witness, expected) or _too_fast(timed, expected)


def _miscounted(
    timed: TimedRound, witness: ServerRound | None, expected: Expectation
) -> tuple[Outcome, str] | None:
    """Hold the requests against the fetches; one may time out before its request is sent."""
    requests = 0 if witness is None else witness.requests
    fetches = sum(timed.fetches.values())
    what = f"the server saw {requests} requests for {fetches} fetches"
    if requests < fetches - timed.fetches.get("timeout", 0) - expected.unseen:
        return "missing", what
    return ("unexpected", what) if requests > fetches - expected.unseen else None


def _strayed(timed: TimedRound, witness: ServerRound | None, expected: Expectation) -> str:
    """Hold the faults that were carried out against the plan; a client may have left before its own began."""
    seen = Counter({} if witness is None else witness.faults)
    planned = Counter(expected.faults)
    left = sum(timed.fetches.get(outcome, 0) for outcome in _LEFT)
    if seen <= planned and (planned - seen).total() <= left:
        return ""
    return f"the server's faults: {_listed(seen)} instead of {_listed(planned)}"


def _crowded(
    timed: TimedRound, witness: ServerRound | None, expected: Expectation
) -> tuple[Outcome, str] | None:
    """Hold what was in flight against the workers; the server learns a little late that a client has left."""
    in_flight = 0 if witness is None else witness.max_in_flight
    if in_flight <= expected.workers or any(timed.fetches.get(outcome) for outcome in _LEFT_EARLY):
        return None
    return "unexpected", f"{in_flight} downloads were in flight, {expected.workers} workers are allowed"


def _too_fast(timed: TimedRound, expected: Expectation) -> tuple[Outcome, str] | None:
    if timed.elapsed_s >= expected.ideal_s:
        return None
    return "invalid", f"{timed.elapsed_s:.6f} s is less than the ideal of {expected.ideal_s:.6f} s"


def _planned(fault: Fault | None, deviations: Mapping[str, FetchOutcome], *, is_there: bool) -> FetchOutcome:
    """Name the class in which a fetch ends if it ends in time."""
    if fault is not None:
        return deviations.get(fault.kind) or outcome_of(fault)
    return outcome_of_status(200 if is_there else 404)


def surplus_of(timed: TimedRound, expected: Expectation) -> set[str]:
    """Return the classes in which more fetches ended than can have."""
    most: Counter[str] = Counter({str(name): count for name, count in expected.fetches.items()})
    most["timeout"] += sum(expected.may_time_out.values())
    return {outcome for outcome, count in timed.fetches.items() if count > most[outcome]}


def _example(timed: TimedRound, surplus: set[str]) -> str:
    """Quote a failure of a class of which there are too many."""
    quoted = next((line for line in timed.failures if set(line.split(": ")[1:2]) & surplus), "")
    return f" ({quoted})" if quoted else ""


def _listed(counts: Mapping[FetchOutcome, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
