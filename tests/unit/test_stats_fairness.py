"""The conditions of a case: settings, libraries, connections, and the work of the garbage collector."""

from dataclasses import replace

import pytest

from bench.model.cases import NO_CLIENT, Case, Profile
from bench.model.job_use import JobUse
from bench.model.results import Measurement, Round
from bench.model.worker_runtime import ImportedLibrary, WorkerRuntime
from bench.stats.fairness import ClientTerms, fairness_records, summarize_fairness
from tests.builders import case, failed, round_of, run_of, server_round, trials

LOOP = case("asyncio_gather", "aiohttp", workers=20)
LIBRARY = ImportedLibrary("aiohttp", "client", "aiohttp", "3.14.5", "~/v/site-packages/aiohttp/__init__.py")
RUNTIME = WorkerRuntime("CPython 3.13.0", has_gil=True, libraries=(LIBRARY,))


def a_round(fetches: int, opened: int, used: int, calls: int = 1, **probes: float) -> Round:
    """Build a round of so many fetches on so many connections."""
    seen = replace(server_round(), requests=fetches, connections=used, opened=opened)
    return replace(round_of(0.1, ok=fetches), server=seen, calls=calls, probes=probes)


def measured(*rounds: Round, of: Case = LOOP) -> Measurement:
    (trial,) = trials(of, [0.1])
    return replace(trial, rounds=rounds)


def test_connections_are_medians_over_rounds() -> None:
    found = summarize_fairness(LOOP, [measured(a_round(20, 5, 5), a_round(20, 5, 5), a_round(20, 20, 20))])
    assert (found.connections_opened, found.fetches_per_connection) == (5, 4.0)


def test_connections_kept_from_an_earlier_round_are_reused_and_not_opened() -> None:
    found = summarize_fairness(LOOP, [measured(a_round(20, 0, 5))])
    assert (found.connections_opened, found.fetches_per_connection) == (0, 4.0)


def test_connections_opened_are_those_of_one_call() -> None:
    found = summarize_fairness(LOOP, [measured(a_round(60, 15, 15, calls=3))])
    assert (found.connections_opened, found.fetches_per_connection) == (5, 4.0)


def test_figures_per_1000_fetches_are_sums_over_all_rounds() -> None:
    """A round with several calls has their mean."""
    rounds = (
        a_round(20, 1, 1, gc_collections=1.0, blocks_grown=100.0),
        a_round(60, 1, 1, calls=3, gc_collections=1.0, blocks_grown=-20.0),
        a_round(500, 1, 1),  # not measured
    )
    found = summarize_fairness(LOOP, [measured(*rounds)])
    assert found.gc_collections == pytest.approx(1000 * (1 + 3) / 80)
    assert found.blocks_grown == pytest.approx(1000 * (100 - 60) / 80)


def test_what_was_not_measured_is_unknown() -> None:
    silent = replace(round_of(0.1), server=None, probes={})
    found = summarize_fairness(LOOP, [measured(silent)])
    assert (found.connections_opened, found.fetches_per_connection) == (None, None)
    assert (found.gc_collections, found.blocks_grown, found.has_gil) == (None, None, None)
    assert (found.python, found.event_loops, found.libraries) == ((), (), ())


def test_settings_are_those_of_the_case() -> None:
    assert summarize_fairness(LOOP, []).settings == ClientTerms(
        keep_alive=True, http="1.1", tls=False, connection_limit=20
    )
    other = replace(LOOP, keep_alive=False, profile=Profile("h2", tls=True, http2=True))
    assert summarize_fairness(other, []).settings == ClientTerms(
        keep_alive=False, http="2", tls=True, connection_limit=20
    )


def test_a_strategy_with_a_library_of_its_own_has_no_settings() -> None:
    assert summarize_fairness(replace(LOOP, client=NO_CLIENT), []).settings is None


def test_a_library_that_changed_between_trials_shows_both_versions() -> None:
    newer = replace(RUNTIME, libraries=(replace(LIBRARY, version="3.14.6"),))
    found = summarize_fairness(
        LOOP,
        [
            replace(trial, runtime=each)
            for trial, each in zip(trials(LOOP, [0.1] * 3), [RUNTIME, newer, RUNTIME], strict=True)
        ],
    )
    assert [each.version for each in found.libraries] == ["3.14.5", "3.14.6"]
    assert found.python == ("CPython 3.13.0",)


def test_records_have_the_settings_of_the_run_and_no_failed_trial() -> None:
    good = replace(
        measured(a_round(20, 5, 5, gc_collections=2.0, blocks_grown=10.0)),
        runtime=RUNTIME,
        job_use=JobUse(("async",), workers=True, event_loops=("uvloop.Loop",)),
    )
    run = run_of({LOOP: [good, failed(LOOP, 1, "crash", "killed")]})
    run = replace(run, config={**run.config, "request_timeout_s": 5.0, "largest_bytes": 1 << 23})
    assert fairness_records(run) == [
        {
            "case": LOOP.id,
            "settings": {
                "keep_alive": True,
                "http": "1.1",
                "tls": False,
                "connection_limit": 20,
                "request_timeout_s": 5.0,
                "largest_bytes": 1 << 23,
            },
            "python": ["CPython 3.13.0"],
            "has_gil": True,
            "event_loops": ["uvloop.Loop"],
            "libraries": [
                {
                    "module": "aiohttp",
                    "importer": "client",
                    "distribution": "aiohttp",
                    "version": "3.14.5",
                    "file": "~/v/site-packages/aiohttp/__init__.py",
                }
            ],
            "connections_opened": 5.0,
            "fetches_per_connection": 4.0,
            "gc_collections": 100.0,
            "blocks_grown": 500.0,
        }
    ]
