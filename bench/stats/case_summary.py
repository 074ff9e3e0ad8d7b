"""Summarize each case of a run: the figures of a table row.

Called by `ranking` for every case.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import get_args

from bench.api.outcomes import FetchOutcome
from bench.model.cases import Case
from bench.model.results import Leak, Measurement, Round, ServerRound
from bench.stats.fairness import Fairness, summarize_fairness
from bench.stats.intervals import Interval, block_value, faster_half, median_interval
from bench.stats.pairwise import PairVerdict, Sample
from bench.stats.resource_usage import ResourceUsage, summarize_usage
from bench.stats.retries import final_attempts, is_final
from bench.stats.saturation import OpenLoopSummary, summarize_open_loop


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest count over all timed rounds."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a case's successful trials.

    Attributes:
        elapsed: median over blocks, in seconds.
        times_faster: baseline's elapsed ÷ this case's, paired by block and judged among all rows of the
            table; ``None`` for the baseline, and for a case that shares no block with it.
        efficiency: median over blocks of ideal ÷ elapsed, 0 to 1; ``None`` for a target, which has no ideal.
        in_flight: requests in flight at one instant by the server log, at most, per round.
        connections: connections on which the server answered, per round.
        verified: flags equal byte for byte to the server's, per round.
        not_found: fetches answered 404, per round.
        errors: fetches that ended neither ``ok`` nor ``not_found``, per round.
        outcomes: fetches of each outcome, per round, for the outcomes that occurred.
    """

    elapsed: Interval
    times_faster: PairVerdict | None
    efficiency: float | None
    in_flight: Range | None
    connections: Range | None
    verified: Range
    not_found: Range
    errors: Range
    outcomes: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """One row of a table: a case and its trials.

    Attributes:
        sample: values of the blocks in which the case succeeded.
        figures: ``None``, like ``costs``, if it never succeeded.
        failed: trials without a timing in the end, in block order, discarded ones included.
        repeated: disturbed trials that were discarded and repeated.
        disturbed: disturbed trials that count, as the config says ``disturbed: keep``.
        leaks: threads, descriptors and processes left by successful trials, if any.
        fairness: the conditions of the successful trials; ``None`` if there are none.
        open_loop: how it kept to the schedule of an open loop; ``None`` in a closed loop, or if it failed.
    """

    case: Case
    sample: Sample
    figures: Figures | None
    costs: ResourceUsage | None
    failed: tuple[Measurement, ...]
    repeated: tuple[Measurement, ...]
    disturbed: tuple[Measurement, ...]
    leaks: tuple[Leak, ...] = ()
    fairness: Fairness | None = None
    open_loop: OpenLoopSummary | None = None

    @property
    def discarded(self) -> tuple[Measurement, ...]:
        """The trials that were discarded in the end: no failure of the strategy."""
        return tuple(trial for trial in self.failed if trial.outcome == "invalid")

    @property
    def failures(self) -> tuple[Measurement, ...]:
        """The trials that failed because of the strategy."""
        return tuple(trial for trial in self.failed if trial.outcome != "invalid")

    @property
    def blocks(self) -> int:
        """Count the successful blocks of the case."""
        return len(self.sample)


def block_sample(trials: Sequence[Measurement]) -> Sample:
    """Reduce each successful trial of a case to one value."""
    return {
        trial.block: block_value([round_.elapsed_s for round_ in trial.rounds])
        for trial in sorted(trials, key=lambda trial: trial.block)
        if trial.outcome == "ok" and trial.rounds
    }


def block_efficiency(rounds: Sequence[Round]) -> float | None:
    """Return the mean ideal ÷ the mean time of the rounds that ``block_value`` averages, 0 to 1.

    The server may have been late in some rounds only, so each has an ideal of its own. Return None if any has
    none.
    """
    counted = faster_half(rounds, key=lambda round_: round_.elapsed_s)
    ideal_s = mean_ideal_s(counted)
    return None if ideal_s is None else ideal_s / fmean(round_.elapsed_s for round_ in counted)


def mean_ideal_s(rounds: Sequence[Round]) -> float | None:
    """Return the mean ideal of some rounds, or None if any has none."""
    ideals_s = [round_.ideal_s for round_ in rounds if round_.ideal_s is not None]
    return fmean(ideals_s) if ideals_s and len(ideals_s) == len(rounds) else None


def summarize_case(
    case: Case, trials: Sequence[Measurement], times_faster: PairVerdict | None
) -> CaseSummary:
    """Summarize the trials of a case, given its verdict against the baseline."""
    sample = block_sample(trials)
    good = [trial for trial in trials if trial.block in sample and trial.outcome == "ok"]
    final = sorted(final_attempts(trials), key=lambda trial: trial.block)
    failed = tuple(trial for trial in final if trial.outcome != "ok")
    repeated = tuple(trial for trial in trials if not is_final(trial))
    return CaseSummary(
        case=case,
        sample=sample,
        figures=_figures(good, sample, times_faster) if good else None,
        costs=summarize_usage(good) if good else None,
        failed=failed,
        repeated=repeated,
        disturbed=tuple(trial for trial in good if trial.detail),
        leaks=tuple(trial.leak for trial in good if trial.leak is not None and trial.leak != Leak()),
        fairness=summarize_fairness(case, good) if good else None,
        open_loop=summarize_open_loop(case.countries.count, good) if case.rate else None,
    )


def _figures(good: Sequence[Measurement], sample: Sample, times_faster: PairVerdict | None) -> Figures:
    rounds = [round_ for trial in good for round_ in trial.rounds]
    return Figures(
        elapsed=median_interval(list(sample.values())),
        times_faster=times_faster,
        efficiency=_efficiency(good),
        in_flight=_server_range(rounds, lambda server, _: server.max_in_flight),
        connections=_server_range(rounds, lambda server, round_: _per_call(server.connections, round_)),
        verified=_range([_per_call(round_.verified, round_) for round_ in rounds]),
        not_found=_range([_per_call(round_.fetches.get("not_found", 0), round_) for round_ in rounds]),
        errors=_range([_per_call(count_errors(round_), round_) for round_ in rounds]),
        outcomes=_outcomes(rounds),
    )


def _efficiency(good: Sequence[Measurement]) -> float | None:
    shares = [share for trial in good if (share := block_efficiency(trial.rounds)) is not None]
    return median(shares) if shares else None


def _outcomes(rounds: Sequence[Round]) -> Mapping[str, Range]:
    """Count the fetches of each outcome that occurred, in the order of ``FetchOutcome``."""
    seen = {outcome for round_ in rounds for outcome in round_.fetches}
    return {
        outcome: _range([_per_call(round_.fetches.get(outcome, 0), round_) for round_ in rounds])
        for outcome in get_args(FetchOutcome)
        if outcome in seen
    }


def count_errors(round_: Round) -> int:
    """Count the fetches of a round that ended neither ``ok`` nor ``not_found``."""
    return sum(count for outcome, count in round_.fetches.items() if outcome not in {"ok", "not_found"})


def _per_call(count: int, round_: Round) -> int:
    """Return a count for one call of the round, rounded up."""
    return math.ceil(count / round_.calls)


def _server_range(rounds: Sequence[Round], figure: Callable[[ServerRound, Round], int]) -> Range | None:
    figures = [figure(round_.server, round_) for round_ in rounds if round_.server is not None]
    return _range(figures) if figures else None


def _range(figures: Sequence[int]) -> Range:
    return Range(min(figures), max(figures))
