"""The time estimate of a run before it starts: the ideal of each case, and the duration of its trials.

What a strategy with its client costs on this machine is measured by pilots: trials with short delays, of as
few fetches as tell it.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean, median
from typing import Final, NamedTuple, TypeAlias

from bench.errors import SetupError
from bench.model.body_sizes import BodySizes
from bench.model.cases import (
    LOOPBACK,
    Case,
    Experiment,
    Fixed,
    Latency,
    LogNormal,
    Profile,
    Sampled,
    Selection,
    Uniform,
    Unknown,
)
from bench.model.lower_bound import CaseForecast, Connecting
from bench.model.planned_bodies import sizes_of
from bench.model.planned_delays import least_connect_s
from bench.model.results import Measurement
from bench.model.scheduler import EMBEDDED
from bench.model.work import Work
from bench.runner.context import RunContext, run_context
from bench.runner.expected_round import expected_round
from bench.runner.trial import measure_entry
from bench.stats.schedule import ScheduledTrial, ScheduleEntry
from bench.system.cpu_affinity import Pinning
from bench.system.paths import is_shipped
from bench.worker.protocol import AUTO_ROUNDS, AUTO_TIMED_S, FIXED_ROUNDS, FIXED_TIMED_S

_HANDLING_S: Final = 0.006
"""Seconds to prepare and tidy up a round, roughly."""
_HANDLING_PER_FETCH_S: Final = 0.0006
"""Seconds on top for each of the first fetches: their files, and the start of their threads or tasks."""
_FIRST_FETCHES: Final = 20
_FEW, _MANY = 20, 120
"""Least fetches of the two pilots of a case that has more; both have more where there are more workers."""
_FETCHES_PER_WORKER: Final = 5
"""Fetches of the larger pilot for each worker, so that it is not all about opening connections."""
_PILOTS_PER_ROUND: Final = 10
"""A round has so many times the fetches of the larger pilot: the first fetches of some clients are slow."""
_MOST_DELAYED_S: Final = 1.0
"""Seconds of planned delays in the larger pilot, at most: they tell nothing about a client."""
_LONGEST_DELAY_S: Final = 0.02
_PILOT_BLOCK: Final = 1_000_001
"""A block that no run has."""
_PILOT_DEADLINE_S: Final = 20.0
_SHORT_BLOCKS: Final = 2
_FAR_OFF: Final = 10.0
"""The usual costs are wrong by at most this factor."""
_UNCERTAINTY: Final = 2.0
"""A forecast may be wrong by this factor, the ideal excepted, which no trial can beat."""

Pair: TypeAlias = tuple[str, str, str, str, bool, bool, bool, Work, BodySizes | None]
"""Key of the costs, beside the workers: variant, strategy, cluster, client, keep-alive, TLS, HTTP/2, work and
sizes."""


class _Pilot(NamedTuple):
    fetches: int
    round_s: float
    ideal_s: float
    work_s: float
    other_s: float
    start_s: float
    opened: int


class Costs(NamedTuple):
    """The costs of a trial with some strategy, client and workers on this machine, in seconds.

    Attributes:
        start_s: from the start of the process until its imports are done.
        call_s: of a call of ``download_many``, whatever it downloads.
        per_fetch_s: of a fetch, while no other one makes progress.
        handling_s: to prepare and tidy up a call, and of the end of the process.
        handling_per_fetch_s: of this for each fetch.
        opened_per_fetch: connections that each fetch needs, after the first ones; no time.
    """

    start_s: float
    call_s: float
    per_fetch_s: float
    handling_s: float
    handling_per_fetch_s: float
    opened_per_fetch: float = 0.0

    def mix(self, other: "Costs", share: float) -> "Costs":
        """Return costs between these and others."""
        return Costs(*(one + share * (two - one) for one, two in zip(self, other, strict=True)))

    def times(self, factor: float) -> "Costs":
        """Return these costs, multiplied."""
        return Costs(*(factor * each for each in self))


class MeasuredCosts(NamedTuple):
    """What the pilots of a run have measured.

    Attributes:
        costs: by pair and workers; None where a pilot failed.
        work_s_per_byte: by its kind, the least CPU time of work on this machine.
    """

    costs: Mapping[Pair, Mapping[int, Costs | None]]
    work_s_per_byte: Mapping[str, float]


USUAL_COSTS: Final = Costs(0.3, 0.0, 0.0007, 0.016, 0.0001)
"""Rough costs of a Python HTTP client, for a strategy whose pilot fails."""
_USUAL_PER_BYTE_S: Final = 2e-9
"""Rough seconds to receive and save a byte of a large body, and again as many to compare it."""


def usual_costs(case: Case, seed: int, flag_sizes: Mapping[str, int], work_s_per_byte: float = 0.0) -> Costs:
    """Return the usual costs, with bodies as large as those of a case and CPU work on each of them.

    Args:
        case: the case.
        seed: that of the run, which draws the sizes of bodies.
        flag_sizes: those of the flags, by country.
        work_s_per_byte: CPU time of its kind of work, done once; 0: unknown.
    """
    sizes = sizes_of(case.profile, seed, flag_sizes)
    mean_bytes = fmean(sizes.get(code, 0) for code in case.countries.codes)
    # receiving and saving a flag is in the usual costs already
    more_s = 0.0 if case.profile.sizes is None else _USUAL_PER_BYTE_S * mean_bytes
    work_s = case.work.times * mean_bytes * work_s_per_byte
    return USUAL_COSTS._replace(
        per_fetch_s=USUAL_COSTS.per_fetch_s + more_s + work_s,
        handling_per_fetch_s=USUAL_COSTS.handling_per_fetch_s + more_s,
    )


def forecast_run(
    experiment: Experiment,
    flags: Mapping[str, bytes],
    pinning: Pinning,
    progress: Callable[[str], None],
    *,
    shipped_only: bool = False,
) -> tuple[CaseForecast, ...]:
    """Estimate every case, in the order of the config, by pilots on this machine.

    The pilots have processes and a server of their own, so that a strategy that ends them harms no run.

    Args:
        experiment: the cases.
        flags: every flag as the server serves it, by country.
        pinning: processors of the server, the workers and the harness.
        progress: prints a line about a step that takes a while.
        shipped_only: run no code of the user's, build no environment, and use no other machine; the cases
            that need it are guessed.
    """
    if shipped_only:
        experiment = replace(experiment, host=LOOPBACK)
    flag_sizes = {code: len(flag) for code, flag in flags.items()}
    if not needs_pilots(experiment, flag_sizes):
        return tuple(
            forecast_case(case, experiment, flag_sizes, usual_costs(case, experiment.seed, flag_sizes))
            for case in experiment.cases
        )
    reasons = {case: _why_not_run(case, experiment) for case in experiment.cases} if shipped_only else {}
    unread = {case: why for case, why in reasons.items() if why is not None}
    piloted = [case for case in experiment.cases if case not in unread]
    measured = MeasuredCosts({}, {})
    if piloted:
        progress("a pilot of each strategy and client tells how long trials take")
        measured = _measure_costs(experiment, piloted, flags, pinning, progress)
    forecasts = []
    for case in experiment.cases:
        found = measured.costs.get(pair_of(case), {case.workers: None})
        known = {workers: each for workers, each in found.items() if each is not None}
        work_s_per_byte = measured.work_s_per_byte.get(case.work.kind, 0.0)
        usual = {case.workers: usual_costs(case, experiment.seed, flag_sizes, work_s_per_byte)}
        forecast = forecast_case(case, experiment, flag_sizes, costs_of(case, known or usual))
        if len(known) < len(found):
            forecast = replace(forecast, guess=unread.get(case, "its pilot failed"))
        forecasts.append(forecast)
    return tuple(forecasts)


def _why_not_run(case: Case, experiment: Experiment) -> str | None:
    """Return why a case cannot be tried without the user's code, an environment or a cluster, or None."""
    if not is_shipped(experiment.strategies[case.strategy].file):
        return "a strategy of yours is not run here"
    if case.client in experiment.own_clients:
        return "a client of yours is not run here"
    if case.client in experiment.separate_clients.keys() - experiment.environments.keys():
        return "the environment of a client is not built here"
    if case.scheduler != EMBEDDED:
        return "its cluster is not asked here"
    return None


def needs_pilots(experiment: Experiment, flag_sizes: Mapping[str, int]) -> bool:
    """Tell whether pilots are worth their time.

    One or two blocks of few fetches take little longer than their pilots, unless trials may exceed their
    deadline, or do CPU work, whose time is unknown.
    """
    return experiment.blocks > _SHORT_BLOCKS or any(
        case.countries.count > _MANY
        or case.work.times
        or forecast_case(case, experiment, flag_sizes, usual.times(_FAR_OFF)).may_miss_deadline
        for case in experiment.cases
        for usual in [usual_costs(case, experiment.seed, flag_sizes)]
    )


def forecast_case(
    case: Case, experiment: Experiment, flag_sizes: Mapping[str, int], costs: Costs
) -> CaseForecast:
    """Estimate a case from its ideals and the costs of its fetches."""
    blocks = range(experiment.blocks)
    expected = [expected_round(case, experiment, block, flag_sizes) for block in blocks]
    more_s = reconnecting_s(case, expected[0].connecting, costs)
    waits_s = [each.ideal_s + more_s for each in expected]
    warm_ups_s = [
        None if each.warm_up_ideal_s is None else each.warm_up_ideal_s + more_s for each in expected
    ]
    trials_s = tuple(
        expected_trial_s(case, wait_s, experiment.rounds, costs, warm_up_s)
        for wait_s, warm_up_s in zip(waits_s, warm_ups_s, strict=True)
    )
    slowly = costs.times(_UNCERTAINTY)
    longest_warm_up_s = max((each for each in warm_ups_s if each is not None), default=None)
    longest_s = expected_trial_s(case, max(waits_s), experiment.rounds, slowly, longest_warm_up_s)
    ideal_s = median(each.ideal_s for each in expected)
    may_miss = max(longest_s, *trials_s) > experiment.deadline_s
    round_s = expected_round_s(case, ideal_s + more_s, costs)
    rounds = expected_rounds(experiment.rounds, round_s)
    return CaseForecast(case, ideal_s, trials_s, may_miss, round_s, rounds)


def reconnecting_s(case: Case, connecting: Connecting, costs: Costs) -> float:
    """Estimate how much longer a round waits for connections than its ideal says, in seconds.

    A strategy may open a client for each download, and a function of the user's a connection.
    """
    fetches = case.countries.count
    opened = min(1.0, costs.opened_per_fetch) * fetches
    waits_s = opened * least_connect_s(case.profile) / case.workers
    return max(0.0, waits_s - connecting.waited_s(fetches, case.workers))


def expected_trial_s(
    case: Case, round_ideal_s: float, rounds: int | None, costs: Costs, warm_up_ideal_s: float | None = None
) -> float:
    """Estimate the seconds of a trial: process start, warm-up and timed rounds.

    The ideal of the warm-up is that of a round, unless it is given.
    """
    round_s = expected_round_s(case, round_ideal_s, costs)
    warm_up_s = round_s if warm_up_ideal_s is None else expected_round_s(case, warm_up_ideal_s, costs)
    handling = costs.handling_s + case.countries.count * costs.handling_per_fetch_s
    return costs.start_s + warm_up_s + handling + expected_rounds(rounds, round_s) * (round_s + handling)


def expected_round_s(case: Case, round_ideal_s: float, costs: Costs) -> float:
    """Estimate the seconds of a round.

    A worker computes between its fetches, and all of them share an interpreter.
    """
    work_s = case.countries.count * costs.per_fetch_s
    return costs.call_s + max(round_ideal_s + work_s / case.workers, work_s)


def handling_s(fetches: int) -> float:
    """Estimate the seconds that a worker takes to prepare and tidy up a call of ``download_many``."""
    return _HANDLING_S + min(fetches, _FIRST_FETCHES) * _HANDLING_PER_FETCH_S


def expected_rounds(asked: int | None, round_s: float) -> int:
    """Estimate the number of timed rounds of a trial from the seconds of one."""
    if asked is None:
        return min(AUTO_ROUNDS, max(1, math.ceil(AUTO_TIMED_S / round_s)))
    return max(asked, min(FIXED_ROUNDS, math.ceil(FIXED_TIMED_S / round_s)))


def costs_of(case: Case, known: Mapping[int, Costs]) -> Costs:
    """Return the costs with as many workers as a case has, between those of the fewest and of the most."""
    low, high = min(known), max(known)
    share = (case.workers - low) / (high - low) if high > low else 0.0
    return known[low].mix(known[high], share)


def fit_costs(pilots: Sequence[tuple[int, Measurement]], workers: int = 1) -> Costs | None:
    """Derive costs from one or two pilots and their fetches, fewer first; None if a pilot has no call.

    A pilot that exceeds its deadline in its first call costs that much at least. The work of its fetches is
    the time beyond the ideal of all workers, but no more than the whole round: they share an interpreter.
    The difference of two tells the costs of a call from those of its fetches.
    """
    points = []
    for fetches, trial in pilots:
        calls = [*([trial.warm_up] if trial.warm_up else []), *trial.rounds]
        calls_s = [each.elapsed_s for each in calls]
        ideal_s = (
            (calls[-1].ideal_as_planned_s or 0.0) if calls else 0.0
        )  # a late server takes time in the run, too
        if not calls_s and trial.outcome == "timeout":
            calls_s = [trial.took_s]  # at least
        if not calls_s:
            return None
        start_s = trial.cold_start_s or 0.0
        other_s = max(0.0, trial.took_s - start_s - math.fsum(calls_s)) / len(calls_s)
        round_s = median(calls_s[1:] or calls_s)
        work_s = min(round_s, max(0.0, round_s - ideal_s) * workers)
        log = calls[-1].server if calls else None
        opened = 0 if log is None else log.opened
        points.append(_Pilot(fetches, round_s, ideal_s, work_s, other_s, start_s, opened))
    if not points:
        return None
    short, long = points[0], points[-1]
    start_s = min(each.start_s for each in points)
    if len(points) == 1:
        opened_per_fetch = long.opened / long.fetches
        return Costs(start_s, 0.0, long.work_s / long.fetches, long.other_s, 0.0, opened_per_fetch)
    more = long.fetches - short.fetches
    # noise may hide the difference: at least a third of the mean is of the fetches, and at most all of it
    mean_s = long.work_s / long.fetches
    per_fetch_s = min(max((long.work_s - short.work_s) / more, mean_s / 3), mean_s)
    work_s = long.fetches * per_fetch_s
    call_s = max(0.0, long.round_s - max(long.ideal_s + work_s / workers, work_s))
    per_other_s = min(max((long.other_s - short.other_s) / more, 0.0), long.other_s / long.fetches)
    opened_per_fetch = max(0, long.opened - short.opened) / more
    handling_s = long.other_s - long.fetches * per_other_s
    return Costs(start_s, call_s, per_fetch_s, handling_s, per_other_s, opened_per_fetch)


def pilot_cases(case: Case) -> tuple[Case, ...]:
    """Return the case without faults, long delays and rate: whole if short, else with two numbers of fetches.

    A short delay stays, since without any the workers would hardly be in flight together.
    """
    of = case.profile
    delay = Fixed(min(_typical_s(of.latency), _LONGEST_DELAY_S))
    profile = Profile("pilot", delay, tls=of.tls, http2=of.http2, sizes=of.sizes)
    quick = replace(case, profile=profile, rate=0.0)
    fetches = case.countries.count
    delayed = math.floor(_MOST_DELAYED_S * case.workers / delay.seconds) if delay.seconds else fetches
    many = max(_MANY, _FETCHES_PER_WORKER * case.workers, min(fetches // _PILOTS_PER_ROUND, delayed))
    if fetches <= many:
        return (quick,)
    return tuple(
        replace(quick, countries=_shorten(case.countries, few_or_many))
        for few_or_many in (max(_FEW, case.workers), many)
    )


def _typical_s(latency: Latency) -> float:
    match latency:
        case Fixed(seconds):
            return seconds
        case Uniform(low_s, high_s):
            return (low_s + high_s) / 2
        case LogNormal(median_s):
            return median_s
        case Sampled(values_s):
            return fmean(values_s)
        case Unknown():
            return 0.0


def _shorten(countries: Selection, fetches: int) -> Selection:
    """Return a selection with about so many fetches of the same countries."""
    codes = countries.codes[:fetches]
    return Selection("pilot", codes, max(1, math.ceil(fetches / len(codes))))


def pair_of(case: Case) -> Pair:
    """Return the key of the costs of a case."""
    profile = case.profile
    return (
        case.variant,
        case.strategy,
        case.scheduler,
        case.client,
        case.keep_alive,
        profile.tls,
        profile.http2,
        case.work,
        profile.sizes,
    )


def _measure_costs(
    experiment: Experiment,
    cases: Iterable[Case],
    flags: Mapping[str, bytes],
    pinning: Pinning,
    progress: Callable[[str], None],
) -> MeasuredCosts:
    """Run the pilots of each pair of these cases, with the fewest and with the most workers."""
    by_workers: dict[Pair, dict[int, Case]] = {}
    for case in cases:
        by_workers.setdefault(pair_of(case), {}).setdefault(case.workers, case)
    costs: dict[Pair, dict[int, Costs | None]] = {}
    work_s: dict[str, float] = {}
    short = replace(experiment, rounds=1, deadline_s=min(experiment.deadline_s, _PILOT_DEADLINE_S))
    with run_context(short, pinning, flags) as context:
        for number, (pair, of_pair) in enumerate(by_workers.items(), 1):
            progress(f"pilot {number} of {len(by_workers)}: {next(iter(of_pair.values())).id}")
            costs[pair] = {}
            for workers in sorted({min(of_pair), max(of_pair)}):
                case = of_pair[workers]
                pilots = tuple(_run_pilots(context, case))
                costs[pair][workers] = fit_costs(pilots, workers)
                times_s = [trial.work_s_per_byte for _, trial in pilots]
                for each_s in filter(None, times_s if case.scheduler == EMBEDDED else ()):
                    work_s[case.work.kind] = min(each_s, work_s.get(case.work.kind, each_s))
    return MeasuredCosts(costs, work_s)


def _run_pilots(context: RunContext, case: Case) -> Iterator[tuple[int, Measurement]]:
    """Run the pilots of a case, as far as they can be run; what prevents one will be reported by the run.

    Their ideals leave CPU work out, as forecasts do: it counts among the costs of a fetch.
    """
    for pilot in pilot_cases(case):
        entry = ScheduleEntry(pilot.id, (ScheduledTrial(pilot, _PILOT_BLOCK, 0),))
        try:
            (trial,) = measure_entry(context, entry)
        except SetupError:
            return
        if pilot.work.times:
            plan = expected_round(pilot, context.experiment, _PILOT_BLOCK, context.flag_sizes)
            trial = _with_ideal(trial, plan.ideal_s)
        yield pilot.countries.count, trial


def _with_ideal(trial: Measurement, ideal_s: float) -> Measurement:
    """Return a measurement whose rounds have another planned ideal."""
    warm_up = None if trial.warm_up is None else replace(trial.warm_up, planned_ideal_s=ideal_s)
    rounds = tuple(replace(each, planned_ideal_s=ideal_s) for each in trial.rounds)
    return replace(trial, warm_up=warm_up, rounds=rounds)
