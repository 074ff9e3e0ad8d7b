"""Runs of open loops, whose fetches wait as a simple model has it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.model.cases import Case, Fixed, Profile, Selection
from bench.model.comparison import Bound
from bench.model.json_codec import to_json_value
from bench.model.latency_histogram import encode_histogram
from bench.model.open_loop import OpenLoop
from bench.model.results import Measurement, Run
from bench.worker.fetch_times import bucket_us
from tests.builders import run_of, trials

FETCHES = 100
PROFILE = Profile("20ms", Fixed(0.020))
SELECTION = Selection("pop20 repeat 5", ("BR",) * 20, 5)


def rated(strategy: str, workers: int, rate: float, *, others: bool = True) -> Case:
    """Build a case of a hundred fetches at a rate."""
    client = "aiohttp" if strategy.startswith("asyncio") else "urllib3"
    return Case(strategy, client, workers, PROFILE, SELECTION, rate=rate, has_other_rates=others)


def open_trials(of: Case, capacity: float, blocks: int = 8) -> list[Measurement]:
    """Build a trial of each block of a case that does so many fetches a second at most.

    Every fetch takes 20 ms, and those behind the capacity wait as long as they are behind. Blocks differ by
    up to 1 %.
    """
    return [
        _with_open_loop(trial, of.rate, capacity * (1 + trial.block / 700))
        for trial in trials(of, [FETCHES / min(of.rate, capacity) + 0.02] * blocks)
    ]


def _with_open_loop(trial: Measurement, rate: float, capacity: float) -> Measurement:
    done = min(rate, capacity)
    waits_s = [number / done - number / rate for number in range(FETCHES)]
    waiting = float(round((FETCHES - 1) * (1 - done / rate)))
    figures = OpenLoop(rate, FETCHES / ((FETCHES - 1) / done + 0.02), waiting, waiting, waits_s[-2] + 0.0002)
    counts: dict[str, int] = {}
    for wait_s in waits_s:
        bucket = str(bucket_us(0.020 + wait_s))
        counts[bucket] = counts.get(bucket, 0) + 1
    (round_,) = trial.rounds
    return replace(
        trial, rounds=(replace(round_, open_loop=figures, gap=None),), latency=encode_histogram([counts])
    )


def rated_run(
    capacities: Mapping[tuple[str, int], float],
    rates: Sequence[float],
    *,
    bounds: Sequence[Bound] = (),
    blocks: int = 8,
) -> Run:
    """Build a run of strategies and workers with their capacities, at some rates."""
    several = len(rates) > 1
    cases = {
        rated(strategy, workers, rate, others=several): capacity
        for (strategy, workers), capacity in capacities.items()
        for rate in rates
    }
    run = run_of({case: open_trials(case, capacity, blocks) for case, capacity in cases.items()})
    return replace(run, config={**run.config, **({"bounds": to_json_value(tuple(bounds))} if bounds else {})})
