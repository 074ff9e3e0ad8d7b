"""Runs to make reports of: one with everything that a report can show, and comparisons."""

from collections.abc import Sequence
from dataclasses import replace

from bench.model.cases import Case
from bench.model.comparison import Bound
from bench.model.results import Measurement, Run
from bench.model.round_spans import FetchSpan, RequestSpan, RoundSpans, pack_spans
from tests.builders import case, failed, round_of, run_of, trials
from tests.comparisons import CANDIDATE, comparison_run, new_comparison

BLOCKS = 10
WORKERS = (1, 2, 4, 8)
BOUNDS = (Bound("*", "elapsed", "<", 0.05), Bound("asyncio*", "elapsed", "<", 0.02))
SPANS = ((0.0, "BR"), (0.02, "CN"), (0.04, "IN"))
ENVIRONMENT = {
    "python": {"version": "3.11.7"},
    "processor": {"cores": 2, "model": "Example"},
    "git": {"commit": "0" * 40, "dirty": False},
}


def full_run() -> Run:
    """Build a run of two series with a knee, failures of each kind, and a discarded trial."""
    measured = {}
    for strategy, client, floor_s in (
        ("threadpool_map", "requests", 0.05),
        ("asyncio_gather", "aiohttp", 0.03),
    ):
        for workers in WORKERS:
            each = case(strategy, client, workers)
            measured[each] = with_spans(trials(each, _times(max(0.2 / workers, floor_s))))
    broken = case("processpool_map", "requests", 4)
    measured[broken] = [*trials(broken, _times(0.3)[:-1]), failed(broken, BLOCKS - 1, "crash", "signal 9")]
    slow = case("sequential", "requests", 1)
    first, *rest = trials(slow, _times(0.4))
    lossy = replace(first, rounds=(round_of(0.4, 1, ok=2, timeout=1),))
    discarded = replace(failed(slow, 1, "invalid", "the machine slept for 2 s"), attempt=0)
    measured[slow] = [lossy, discarded, *(replace(each, attempt=int(each.block == 1)) for each in rest)]
    return replace(run_of(measured), environment=ENVIRONMENT)


def with_spans(measured: Sequence[Measurement]) -> list[Measurement]:
    """Return trials of which the first has the spans of three fetches, one after the other."""
    fetches = tuple(FetchSpan(code, "ok", at, at + 0.018, at + 0.019) for at, code in SPANS)
    requests = tuple(RequestSpan(code, 1, 200, "", at + 0.002, at + 0.015, at + 0.016) for at, code in SPANS)
    first, *rest = measured
    return [replace(first, spans=pack_spans(RoundSpans(0.06, fetches, requests, 3, 3))), *rest]


def _times(middle_s: float) -> list[float]:
    return [middle_s * (1 + 0.004 * (block * 7 % BLOCKS - 4)) for block in range(BLOCKS)]


def small_run(factor: float = 1.0) -> Run:
    """Build a run of two cases; the factor is that of its times."""
    measured = {
        each: trials(each, [factor * middle_s * (1 + 0.01 * block) for block in range(6)])
        for each, middle_s in ((case(), 0.03), (case("asyncio_gather", "aiohttp"), 0.025))
    }
    return replace(run_of(measured), environment=ENVIRONMENT)


def compared_run(*bounds: Bound) -> Run:
    """Build a comparison with a case that is slower, one that is equal, and thresholds."""
    cases = (case("threadpool_map"), case("asyncio_gather", "aiohttp"))
    comparison = new_comparison(*cases, metrics=("elapsed", "p99"))
    comparison = replace(comparison, bounds=bounds or BOUNDS)

    def elapsed_s(of: Case, block: int) -> float:
        is_slower = of.variant == CANDIDATE and of.strategy == "threadpool_map"
        return (0.036 if is_slower else 0.03) * (1 + 0.002 * (block * 5 % 7))

    return replace(
        comparison_run(*cases, elapsed_s=elapsed_s, comparison=comparison), environment=ENVIRONMENT
    )


def run_named(names: Sequence[str]) -> Run:
    """Build a run with these names for strategies, clients, profiles, the config and all facts."""
    measured = {}
    for place, name in enumerate(names):
        each = case(name, name, 3)
        each = replace(each, profile=replace(each.profile, name=names[0]))
        measured[each] = [*trials(each, [0.02 + 0.001 * place] * 6), failed(each, 6, "error", name)]
    facts = {"git": {"commit": names[0]}, "processor": {"model": names[0], "cores": 2}}
    run = run_of(measured, names[0])
    return replace(run, name=names[0], environment=facts, config={**run.config, "source": {"name": names[0]}})
