"""What a round must look like if the strategy did its work, and what is wrong with one that does not.

The server's delays and errors are known beforehand, so how each fetch ends is known, too. A round that
ended otherwise is no measurement of downloading: whatever it took must not stand in a table.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bench.ideal import ideal_s
from bench.model import Case, Experiment, Outcome, Witness
from bench.outcomes import FetchOutcome, outcome_of_status
from bench.server.weather import forecast, service_s
from bench.worker.protocol import TimedRound


@dataclass(frozen=True, slots=True)
class Expectation:
    """What awaits a case in each round of a block.

    Attributes:
        ideal_s: the bound that no strategy can beat.
        fetches: how many fetches will end in each class.
    """

    ideal_s: float
    fetches: Mapping[FetchOutcome, int]


def expect(case: Case, experiment: Experiment, block: int, flag_sizes: Mapping[str, int]) -> Expectation:
    """Work out how every fetch of a case will end, and the least that all of them can take."""
    profile, timeout_s = case.profile, experiment.request_timeout_s
    attempts: Counter[str] = Counter()
    outcomes: Counter[FetchOutcome] = Counter()
    services_s = []
    for country in case.countries.fetches:
        weather = forecast(profile, experiment.seed, block, country, attempts[country])
        attempts[country] += 1
        services_s.append(service_s(weather, flag_sizes.get(country, 0), profile))
        if services_s[-1] > timeout_s:
            outcomes["timeout"] += 1
        elif country not in flag_sizes:
            outcomes["not_found"] += 1
        else:
            outcomes[outcome_of_status(weather.error_status or 200)] += 1
    return Expectation(ideal_s(services_s, case.workers, timeout_s), outcomes)


def flaw(timed: TimedRound, witness: Witness | None, expected: Expectation) -> tuple[Outcome, str] | None:
    """Say what makes a round worthless, in a word and a line; ``None`` if nothing does."""
    fetches = sum(timed.fetches.values())
    requests = 0 if witness is None else witness.requests
    if requests < fetches:
        return "missing", f"the server saw {requests} requests for {fetches} fetches"
    if requests > fetches:
        return "unexpected", f"the server saw {requests} requests for {fetches} fetches: hidden retries?"
    if timed.fetches != expected.fetches:
        example = f" ({timed.failures[0]})" if timed.failures else ""
        return "error", f"fetches: {_listed(timed.fetches)} instead of {_listed(expected.fetches)}{example}"
    if timed.elapsed_s < expected.ideal_s:
        return "invalid", f"{timed.elapsed_s:.6f} s is less than the ideal of {expected.ideal_s:.6f} s"
    return None


def _listed(fetches: Mapping[FetchOutcome, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(fetches.items())) or "none"
