"""The shipped configs: they load, keep to the time that they state, and have blocks enough."""

from math import comb

import pytest

from bench.app.select import load_experiment
from bench.config.catalog import find_clients, find_strategies
from bench.config.compatibility import fits
from bench.config.loader import find_config, shipped_configs
from bench.model.cases import Fixed, Uniform
from bench.model.flags import all_flags
from bench.runner.time_estimate import USUAL_COSTS, expected_trial_s
from tests.config_catalog import experiment_of


def _expected_s(name: str) -> float:
    experiment = experiment_of(name)
    total_s = 0.0
    for case in experiment.cases:
        latency = case.profile.latency
        assert isinstance(latency, Fixed | Uniform)
        mean_s = latency.seconds if isinstance(latency, Fixed) else (latency.low_s + latency.high_s) / 2
        fetches = case.countries.count
        round_s = max(mean_s, fetches * mean_s / case.workers)
        total_s += expected_trial_s(case, round_s, experiment.rounds, USUAL_COSTS)
    return total_s * experiment.blocks


@pytest.mark.parametrize(
    ("name", "most_s"),
    [
        ("ci", 20),
        ("default", 45),
        ("delay", 240),
        ("error", 240),
        ("faults", 120),
        ("gate", 300),
        ("noise", 60),
        ("scale", 720),
        ("tls", 60),
    ],
)
def test_shipped_config_runs_completely_in_the_time_that_it_states(name: str, most_s: float) -> None:
    """The time is the estimate of ``check``; the command ``noise`` takes twice as long."""
    experiment = experiment_of(name)
    assert experiment.name == name
    assert experiment.notes == ()
    assert _expected_s(name) < most_s


@pytest.mark.parametrize("name", ["ci", "default", "delay", "error", "faults", "tls"])
def test_shipped_config_has_enough_blocks_for_a_verdict(name: str) -> None:
    """The smallest p of n blocks is 2 / 2ⁿ, and Holm's first step multiplies it by the number of pairs."""
    experiment = experiment_of(name)
    cases = len(experiment.cases) // len({case.profile for case in experiment.cases})
    assert 2 / 2**experiment.blocks * comb(cases, 2) <= 0.05


def test_config_scale_reaches_two_hundred_workers() -> None:
    experiment = experiment_of("scale")
    assert {case.workers for case in experiment.cases} == {1, 2, 5, 10, 20, 50, 100, 200}
    assert {case.countries.count for case in experiment.cases} == {1000}
    assert experiment.deadline_s > 2 * 1000 * 0.010 * 2


def test_config_cluster_has_enough_blocks_for_crossovers() -> None:
    """Holm corrects over every two series at each number of downloads; only the cluster needs an extra."""
    experiment = load_experiment("cluster")
    counts = {case.countries.count for case in experiment.cases}
    series = len(experiment.cases) // len(counts)
    assert (series, sorted(counts)) == (3, [5, 20, 100])
    assert 2 / 2**experiment.blocks * comb(series, 2) * len(counts) <= 0.05
    assert {case.strategy for case in experiment.cases} == {"threadpool_map", "asyncio_gather", "dask"}
    assert not experiment.pinning


def test_config_cpu_has_enough_blocks_for_crossovers_and_all_cores_for_processes() -> None:
    """Holm corrects over every two series at each amount of work."""
    experiment = load_experiment("cpu")
    works = {case.work for case in experiment.cases}
    series = len(experiment.cases) // len(works)
    assert (series, sorted(work.times for work in works)) == (3, [0, 12, 48])
    assert 2 / 2**experiment.blocks * comb(series, 2) * len(works) <= 0.05
    workers = {case.strategy: case.workers for case in experiment.cases}
    assert workers == {"threadpool_map": 20, "asyncio_gather": 20, "processpool_map": 4}
    assert not experiment.pinning


def test_config_cpu_keeps_to_the_time_that_it_states() -> None:
    """A byte takes 0.11 µs, and the processes of two cores work one and a half times as fast as one."""
    experiment, sizes = load_experiment("cpu"), {code: len(flag) for code, flag in all_flags().items()}
    total_s = 0.0
    for case in experiment.cases:
        work_s = case.work.times * sum(sizes[code] for code in case.countries.codes) * 1.1e-7
        waited_s = case.countries.count * 0.020 / case.workers
        round_s = waited_s + work_s / (1.5 if case.strategy == "processpool_map" else 1.0)
        total_s += expected_trial_s(case, round_s, experiment.rounds, USUAL_COSTS)
    assert 90 < total_s * experiment.blocks < 150


def test_config_noise_has_a_waiting_and_a_working_case() -> None:
    working, waiting = experiment_of("noise").cases
    assert working.profile.latency == Fixed(0.0)
    assert waiting.profile.latency == Fixed(0.020)
    assert waiting.countries.count * 0.0005 > 0.09
    assert waiting.countries.count * 0.020 / waiting.workers > 0.1


def test_shipped_configs_begin_with_the_schema_and_a_question() -> None:
    names = "catalogue ci cluster cpu default delay error faults gate noise scale tls"
    assert shipped_configs() == tuple(names.split())
    for name in shipped_configs():
        lines = find_config(name).read_text(encoding="utf-8").splitlines()
        assert lines[0] == "# yaml-language-server: $schema=schema.json"
        assert lines[2].startswith("# ")
        assert "?" in lines[2]


def test_config_catalogue_has_every_pair_that_can_be_run_here() -> None:
    """Strategies and clients that are added must be added to it, or are missed here.

    Those that download on a cluster are left out: each of their trials starts one, which takes seconds.
    """
    clients = {name: client for name, client in find_clients().items() if not client.requirements}
    experiment = load_experiment("catalogue")
    expected = {
        (strategy.name, client.name)
        for strategy in find_strategies().values()
        for client in clients.values()
        if not (strategy.unavailable or strategy.uses_cluster) and fits(strategy, client)
    }
    found = {(case.strategy, case.client) for case in experiment.cases}
    assert expected - found == set()
    assert not any(strategy.uses_cluster for strategy in experiment.strategies.values())
    assert {strategy.partition("+")[2] for strategy, _ in found - expected} == {
        "fork",
        "forkserver",
        "spawn",
        "trio",
        "uvloop",
    }
    assert all(note.startswith("Skipped: ") and " needs Python 3." in note for note in experiment.notes)
