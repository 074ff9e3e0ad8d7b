"""Runs whose cases are measured with several numbers of downloads, or with several times CPU work."""

import random

from bench.model.cases import Case, Fixed, Profile, Selection
from bench.model.results import Run
from bench.model.work import Work
from tests.builders import run_of, trials

COUNTS = (20, 200, 2_000)
TIMES = (0, 5, 20, 50)
PROFILE = Profile("10ms", Fixed(0.010))


def case_of(strategy: str, workers: int, count: int, profile: Profile = PROFILE) -> Case:
    """Build a case that downloads twenty flags so often that it makes this number of downloads."""
    countries = Selection(f"pop20 repeat {count // 20}", ("BR",) * 20, count // 20, is_one_of_several=True)
    return Case(strategy, "http_client", min(workers, count), profile, countries)


def counted_run(blocks: int = 12, fixed_s: float = 0.100) -> Run:
    """Build a run in which one strategy is slow to start, and quicker than another once it has."""
    source = random.Random(7)
    costs_s = [
        ("sequential", 1, 0.0, 0.012),
        ("dask", 8, fixed_s, 0.0026),
        ("threadpool_map", 40, 0.010, 0.001),
    ]
    return run_of(
        {
            (each := case_of(strategy, workers, count)): trials(
                each, [(start_s + count * each_s) * source.lognormvariate(0, 0.01) for _ in range(blocks)]
            )
            for strategy, workers, start_s, each_s in costs_s
            for count in COUNTS
        }
    )


def worked_case(strategy: str, times: int, workers: int = 2) -> Case:
    """Build a case that downloads twenty flags, and does work on each so often."""
    countries = Selection("pop20", ("BR",) * 20)
    return Case(
        strategy, "http_client", workers, PROFILE, countries, work=Work("json", times, is_one_of_several=True)
    )


def worked_run(blocks: int = 12, start_s: float = 0.030) -> Run:
    """Build a run in which processes are slow to start, and work on two processors once they have."""
    source = random.Random(8)
    costs_s = [("threadpool_map", 20, 0.006, 0.003), ("processpool_map", 2, start_s, 0.001)]
    return run_of(
        {
            (each := worked_case(strategy, times, workers)): trials(
                each, [(first_s + times * each_s) * source.lognormvariate(0, 0.01) for _ in range(blocks)]
            )
            for strategy, workers, first_s, each_s in costs_s
            for times in TIMES
        }
    )
