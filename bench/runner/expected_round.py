"""The expected round of a case, and the checks of a round against it.

The server's delays and faults are known beforehand, so the outcome of each fetch is known, too. A round
with other outcomes is no measurement of downloading: its time must not stand in a table.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Final, NamedTuple

from bench.api.outcomes import FetchOutcome, outcome_of_status
from bench.model.cases import Case, Experiment, Fault
from bench.model.faults import is_total, outcome_of
from bench.model.lower_bound import Connecting, RoundWork, scheduled_bound_s
from bench.model.planned_bodies import sizes_of
from bench.model.planned_delays import least_connect_s, most_connect_s, plan_delay, service_s
from bench.model.results import ServerRound
from bench.model.served_trials import ObservedRound
from bench.model.trial_outcome import Invalid
from bench.runner.work_costs import KnownWork
from bench.worker.protocol import TimedRound

_NEAR_TIMEOUT: Final = 0.25
"""Share of the time-out below which a fetch is near it: the client's own work may make it late."""
_UNSEEN: Final[tuple[FetchOutcome, ...]] = ("timeout", "error", "local_resource")
"""Outcomes of fetches whose fault the server may not have begun."""
_UNSENT: Final[tuple[FetchOutcome, ...]] = ("refused", "reset", "tls", "error", "local_resource")
"""Outcomes of fetches other than time-outs that may have ended before their request was sent."""
_LEFT_EARLY: Final[tuple[FetchOutcome, ...]] = ("timeout", "too_large", "protocol")
"""Outcomes of fetches that did not wait for the end of the response."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected figures of each round of a case in one block.

    Attributes:
        ideal_s: the lower bound that no strategy can beat.
        service_s: seconds of the server for all fetches together, each limited to its time-out.
        workers: the most downloads that may be in flight at once.
        fetches: number of fetches by outcome.
        may_time_out: number of fetches by outcome that are so close to the time-out that they may miss it.
        unseen: number of fetches that fail before the server can see a request.
        faults: number of the other fetches that meet each kind of fault.
        is_planned: whether the server has planned delays and a log; else only workers and fetches count.
        connecting: the least waiting for connections, which is part of the bound.
        warm_up_ideal_s: the bound of the warm-up, which is no open loop; None: it is the same.
        has_work: whether CPU work is done on the flags, whatever is known of its time.
        work_s: CPU seconds of it that the ideal has, for all fetches together; 0 if nothing is known.
        slot_work_s: the part of it during which a fetch surely keeps its slot.
        has_bounded_log: whether the service times in the server's log must be shared by the slots; not where
            fetches may time out that have waited for a connection of the client beside the others.
    """

    ideal_s: float
    service_s: float
    workers: int
    fetches: Mapping[FetchOutcome, int]
    may_time_out: Mapping[FetchOutcome, int]
    unseen: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    is_planned: bool = True
    connecting: Connecting = field(default_factory=Connecting)
    warm_up_ideal_s: float | None = None
    has_work: bool = False
    work_s: float = 0.0
    slot_work_s: float = 0.0
    has_bounded_log: bool = True


def expected_round(
    case: Case,
    experiment: Experiment,
    block: int,
    flag_sizes: Mapping[str, int],
    known_work: KnownWork | None = None,
) -> Expectation:
    """Compute the outcome of every fetch of a case, and the least time of them all.

    A target is expected to send every file; nothing else is known of it. Without knowledge of the CPU work,
    the ideal leaves it out. ``flag_sizes`` are those of the flags, in place of which a profile may have sizes
    of its own.
    """
    if case.profile.server:
        files = case.countries.count
        scheduled_s = scheduled_bound_s([0.0] * files, case.rate) if case.rate else 0.0
        warm_up_s = 0.0 if case.rate else None
        return Expectation(
            scheduled_s, 0.0, case.workers, {"ok": files}, {}, is_planned=False, warm_up_ideal_s=warm_up_s
        )
    profile, timeout_s = case.profile, experiment.request_timeout_s
    deviations = {} if profile.http2 else experiment.deviations.get(case.client, {})
    attempts: Counter[str] = Counter()
    outcomes: Counter[FetchOutcome] = Counter()
    borderline: Counter[FetchOutcome] = Counter()
    faults: Counter[str] = Counter()
    connecting = _plan_connecting(case, experiment)
    most_s = most_connect_s(profile)
    services_s, processed, in_time = [], [], []
    unseen = 0
    sizes = sizes_of(profile, experiment.seed, flag_sizes)
    for country in case.countries.fetches:
        planned = plan_delay(profile, experiment.seed, block, country, attempts[country])
        attempts[country] += 1
        if country not in flag_sizes and not is_total(planned.fault):
            planned = planned._replace(fault=None)
        services_s.append(service_s(planned, sizes.get(country, 0), profile))
        outcome = _planned_outcome(planned.fault, deviations, has_flag=country in flag_sizes)
        least_s = services_s[-1] + (connecting.least_s if connecting.per_fetch else 0.0)
        if least_s > timeout_s:
            outcome = "timeout"
        if is_total(planned.fault):
            unseen += 1
        elif planned.fault is not None:
            faults[planned.fault.kind] += 1
        outcomes[outcome] += 1
        may_miss = timeout_s * (1 - _NEAR_TIMEOUT) < services_s[-1] + most_s
        if may_miss and least_s <= timeout_s:
            borderline[outcome] += 1
        processed.append(sizes[country] if outcome == "ok" and not may_miss else 0)
        in_time.append(outcome != "timeout" and not may_miss)
    work = None if known_work is None else known_work.of_round(case, processed)
    work_s = 0.0 if work is None else math.fsum(work.each_s)
    plan = _Plan(case.workers, timeout_s, connecting, services_s, work)
    if case.is_limited_by_client and not all(in_time):
        plan = plan._replace(in_time=in_time)
    return Expectation(
        ideal_s=plan.ideal_s(case.rate),
        service_s=math.fsum(min(each_s, timeout_s) for each_s in services_s),
        workers=case.workers,
        fetches=outcomes,
        may_time_out=borderline,
        unseen=unseen,
        faults=faults,
        connecting=connecting,
        warm_up_ideal_s=plan.ideal_s(0.0) if case.rate else None,
        has_work=bool(case.work.times),
        work_s=work_s,
        slot_work_s=work_s if work is not None and work.keeps_slots else 0.0,
        has_bounded_log=plan.in_time is None,
    )


class _Plan(NamedTuple):
    """What is planned for the fetches of a round.

    Attributes:
        in_time: whether each of them surely ends in time, where the others may have waited in the client for
            a connection, and so beside all others; None where each that is in flight keeps a slot.
    """

    workers: int
    timeout_s: float
    connecting: Connecting
    services_s: Sequence[float]
    work: RoundWork | None
    in_time: Sequence[bool] | None = None

    def ideal_s(self, rate: float) -> float:
        """Return the lower bound, in an open loop of this rate or, with 0, in a closed one."""
        bound, services_s, work = self.connecting.ideal_s, self.services_s, self.work
        if self.in_time is None:
            return bound(services_s, self.workers, self.timeout_s, rate, work)
        side_by_side_s = bound(services_s, len(services_s), self.timeout_s, rate, work)
        if not any(self.in_time):
            return side_by_side_s
        if work is not None:
            work = replace(work, each_s=tuple(compress(work.each_s, self.in_time)))
        sharing = list(compress(services_s, self.in_time))
        return max(side_by_side_s, bound(sharing, self.workers, self.timeout_s, work=work))


def _plan_connecting(case: Case, experiment: Experiment) -> Connecting:
    """Return the least waiting for connections in each round of a case.

    Code of the user's may keep connections between its calls. Refused connections are never accepted.
    """
    is_refused = any(fault.kind == "refused" for fault in case.profile.faults)
    if is_refused or not case.has_settings or case.client in experiment.own_clients:
        return Connecting()
    return Connecting(
        least_connect_s(case.profile), per_fetch=not case.keep_alive, is_shared=case.profile.http2
    )


def expected_call(expected: Expectation, number: int) -> Expectation:
    """Return the expectation of a call of a trial; the warm-up has number 0, and follows no schedule."""
    if number or expected.warm_up_ideal_s is None:
        return expected
    return replace(expected, ideal_s=expected.warm_up_ideal_s)


def actual_ideal_s(seen: ObservedRound | None, expected: Expectation) -> float:
    """Return the lower bound by the service times in the server log, which may have begun late, in seconds.

    Requests that the server did not see are missing there, so the planned bound may be the larger one.
    """
    if seen is None or not expected.has_bounded_log:
        return expected.ideal_s
    requests, busy_s = seen.server_round.requests, seen.service_s + expected.slot_work_s
    bound_s = expected.connecting.bound_s(seen.longest_service_s, busy_s, requests, expected.workers)
    return max(expected.ideal_s, bound_s)


def compare_with_plan(timed: TimedRound, seen: ServerRound | None, expected: Expectation) -> Invalid | None:
    """Return why a round cannot count; ``None`` if it can.

    Where the server did not carry out the planned faults, the strategy is not to blame for the outcomes; but
    only a strategy that sent as many requests as it should met the faults that were planned for it. A target
    has no log, so only the outcomes are compared.
    """
    if not expected.is_planned:
        return _find_wrong_outcomes(timed, seen, expected)
    miscount = _find_miscount(timed, seen, expected)
    if miscount is None and (wrong_faults := _find_wrong_faults(timed, seen, expected)):
        return wrong_faults
    return (
        _find_wrong_outcomes(timed, seen, expected)
        or miscount
        or _find_excess_in_flight(timed, seen, expected)
        or _find_impossible_speed(timed, expected)
    )


def surplus_outcomes(timed: TimedRound, expected: Expectation) -> set[str]:
    """Return the outcomes that more fetches had than can have."""
    most: Counter[str] = Counter({str(name): count for name, count in expected.fetches.items()})
    most["timeout"] += sum(expected.may_time_out.values())
    return {outcome for outcome, count in timed.fetches.items() if count > most[outcome]}


def _find_miscount(timed: TimedRound, seen: ServerRound | None, expected: Expectation) -> Invalid | None:
    """Compare requests with fetches; a fetch may time out before its request is sent."""
    requests = 0 if seen is None else seen.requests
    fetches = sum(timed.fetches.values())
    detail = f"the server saw {requests} requests for {fetches} fetches"
    if requests < fetches - timed.fetches.get("timeout", 0) - expected.unseen:
        return Invalid("missing", detail)
    return Invalid("unexpected", detail) if requests > fetches - expected.unseen else None


def _find_wrong_faults(timed: TimedRound, seen: ServerRound | None, expected: Expectation) -> Invalid | None:
    """Compare the faults of the server with the plan.

    Some may be missing: a client may have left before its own fault began.
    """
    met = Counter({} if seen is None else seen.faults)
    planned = Counter(expected.faults)
    unseen = sum(timed.fetches.get(outcome, 0) for outcome in _UNSEEN)
    if met <= planned and (planned - met).total() <= unseen:
        return None
    return Invalid("invalid", f"the server's faults: {_listed(met)} instead of {_listed(planned)}")


def _find_wrong_outcomes(
    timed: TimedRound, seen: ServerRound | None, expected: Expectation
) -> Invalid | None:
    surplus = surplus_outcomes(timed, expected)
    if not surplus:
        return None
    example = next((line for line in timed.failures if set(line.split(": ")[1:2]) & surplus), None)
    quote = "" if example is None else f" ({example})"
    cause = f"; {_describe_timeouts(timed, seen, expected)}" if "timeout" in surplus else ""
    return Invalid(
        "error", f"fetches: {_listed(timed.fetches)} instead of {_listed(expected.fetches)}{cause}{quote}"
    )


def _describe_timeouts(timed: TimedRound, seen: ServerRound | None, expected: Expectation) -> str:
    """Say how long the fetches waited that timed out, and how many of them the server never saw.

    Where other fetches failed that the server may not have seen either, that number is an upper limit.
    """
    count = timed.fetches["timeout"]
    times = dict.fromkeys(f"{wait_s:.2f}" for wait_s in timed.waited_s)
    waited = f" after {' to '.join(times)} s" if times else ""
    if not expected.is_planned:
        return f"{count} timed out{waited}"
    arrived = 0 if seen is None else seen.requests - seen.retries
    unseen = min(count, sum(timed.fetches.values()) - expected.unseen - arrived)
    if unseen <= 0 and expected.has_work:
        return (
            f"{count} timed out{waited}; the server had all their requests, so CPU work may have kept the "
            "program from reading its answers in time"
        )
    if unseen <= 0:
        return f"{count} timed out{waited}, all at the server"
    others = sum(timed.fetches.get(outcome, 0) for outcome in _UNSENT)
    limit = "up to " if others > expected.unseen else ""
    where = "for a connection" if expected.connecting.least_s else "in the client's own pool"
    where += " or for CPU work" * expected.has_work
    never = f"{limit}{unseen} of them never reached the server: they waited {where}"
    return f"{count} timed out{waited}, and {never}"


def _find_excess_in_flight(
    timed: TimedRound, seen: ServerRound | None, expected: Expectation
) -> Invalid | None:
    """Compare downloads in flight with workers; the server notices a little late that a client left."""
    in_flight = 0 if seen is None else seen.max_in_flight
    if in_flight <= expected.workers or any(timed.fetches.get(outcome) for outcome in _LEFT_EARLY):
        return None
    return Invalid(
        "unexpected", f"{in_flight} downloads were in flight, {expected.workers} workers are allowed"
    )


def _find_impossible_speed(timed: TimedRound, expected: Expectation) -> Invalid | None:
    if timed.elapsed_s >= expected.ideal_s:
        return None
    work = f" with {expected.work_s:.6f} s of CPU work" if expected.work_s else ""
    detail = f"{timed.elapsed_s:.6f} s is less than the ideal of {expected.ideal_s:.6f} s{work}"
    return Invalid("invalid", detail, of_trial=True)


def _planned_outcome(
    fault: Fault | None, deviations: Mapping[str, FetchOutcome], *, has_flag: bool
) -> FetchOutcome:
    """Return the outcome of a fetch that ends in time."""
    if fault is not None:
        return deviations.get(fault.kind) or outcome_of(fault)
    return outcome_of_status(200 if has_flag else 404)


def _listed(counts: Mapping[FetchOutcome, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
