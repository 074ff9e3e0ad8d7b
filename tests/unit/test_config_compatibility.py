"""Profiles with TLS and HTTP/2: the clients that speak them, and shared connections."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.model.cases import Strategy
from tests.config_catalog import CLIENTS, STRATEGIES, experiment_of, problems_of

HTTP2 = "profile: {name: h2, tls: true, http2: true}\n"
GOAWAY = "profile: {tls: true, http2: true, faults: goaway}\n"


def written(folder: Path, text: str) -> Path:
    """Write a config."""
    file = folder / "c.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "ids", "notes"),
    [
        (
            (
                "strategies: sequential\nclients: [requests, httpx]\nprofiles: [local, {name: h2, tls: true, "
                "http2: true}]\n"
            ),
            ["requests/1/local", "httpx/1/local", "httpx/1/h2"],
            ["Skipped: requests in profile h2, because it does not speak HTTP/2."],
        ),
        (
            "strategies: sequential\nclients: [requests, urllib3]\nprofile: {name: safe, tls: true}\n",
            ["requests/1/safe"],
            ["Skipped: urllib3 in profile safe, because it does not speak TLS."],
        ),
        ("strategies: {name: sequential, clients: httpx}\n" + HTTP2, ["httpx/1/h2"], []),
        ("strategies: bare_sockets\nworkers: 2\n" + HTTP2, ["-/2/h2"], []),
    ],
)
def test_client_that_does_not_speak_the_protocol_is_skipped_with_a_note(
    tmp_path: Path, text: str, ids: list[str], notes: list[str]
) -> None:
    experiment = experiment_of(written(tmp_path, text))
    assert [case.id.partition("/")[2] for case in experiment.cases] == ids
    assert [note for note in experiment.notes if note.startswith("Skipped")] == notes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "strategies:\n- {name: sequential, clients: [httpx, requests]}\n" + HTTP2,
            "3:10 profile: requests, named by sequential, does not speak HTTP/2",
        ),
        (
            "strategies: {name: sequential, clients: [urllib3]}\nprofiles:\n- local\n- {tls: true}\n",
            "4:3 profiles[1]: urllib3, named by sequential, does not speak TLS",
        ),
        (
            "strategies: sequential\nclients: requests\n" + HTTP2,
            "3:10 profile: no usable client speaks HTTP/2; add httpx to 'clients'",
        ),
        (
            "strategies: sequential\nclients: urllib3\nprofile: {tls: true}\n",
            ("3:10 profile: no usable client speaks TLS; add aiohttp, httpx or requests to 'clients'"),
        ),
        (
            "strategies: asyncio_gather\nclients: httpx\nworkers: [1, 5]\n" + GOAWAY,
            (
                "4:43 profile.faults: goaway affects all downloads on its HTTP/2 connection, "
                "so it needs 'workers: 1', and asyncio_gather has 5"
            ),
        ),
        (
            (
                "strategies: [sequential, {name: asyncio_gather, workers: 3}]\nclients: httpx\nworkers: 1\n"
                "profiles:\n- local\n- tls: true\n  http2: true\n  faults:\n"
                "  - {kind: reset_mid_body, rate: 5%}\n  - {kind: bad_length, rate: 5%}\n"
            ),
            (
                "10:5 profiles[1].faults[1]: bad_length affects all downloads on its HTTP/2 connection, "
                "so it needs 'workers: 1', and asyncio_gather has 3"
            ),
        ),
        (
            (
                "strategies: [{name: asyncio_gather, keep_alive: [true, false]}]\nclients: httpx\n"
                "profiles: [local, {tls: true, http2: true}]\n"
            ),
            (
                "3:19 profiles[1]: asyncio_gather has 'keep_alive: false', but its downloads share an "
                "HTTP/2 connection; use true"
            ),
        ),
    ],
)
def test_profile_that_no_client_can_serve_is_rejected(tmp_path: Path, text: str, problem: str) -> None:
    assert problems_of(written(tmp_path, text)) == [f"c.yaml:{problem}"]


@pytest.mark.parametrize(
    "text",
    [
        "strategies: sequential\nclients: httpx\nworkers: 20\n" + GOAWAY,
        "strategies: asyncio_gather\nclients: httpx\nworkers: 1\n" + GOAWAY,
        "strategies: asyncio_gather\nclients: httpx\nworkers: 20\ncountries: [BR]\n" + GOAWAY,
        "strategies: asyncio_gather\nclients: httpx\nprofile: {tls: true, http2: true, faults: not_found}\n",
        "strategies: asyncio_gather\nclients: httpx\nprofile: {tls: true, faults: bad_length}\n",
        "strategies: [threadpool_map, processpool_map]\nclients: httpx\nkeep_alive: false\n" + GOAWAY,
        "strategies: asyncio_gather\nclients: httpx\nworkers: 1\nkeep_alive: false\n" + HTTP2,
        "strategies: {name: asyncio_gather, clients: httpx}\n" + HTTP2,
    ],
)
def test_http2_profile_without_shared_connections_is_valid(tmp_path: Path, text: str) -> None:
    assert problems_of(written(tmp_path, text)) == []


def test_profile_is_not_blamed_for_an_unknown_strategy(tmp_path: Path) -> None:
    text = "strategies: sequentail\nclients: requests\n" + GOAWAY
    assert [problem.split()[1] for problem in problems_of(written(tmp_path, text))] == ["strategies:"]


@pytest.mark.parametrize(
    ("text", "ids", "notes"),
    [
        (
            "strategies: sequential\nclients: [requests, closing]\n",
            ["sequential/requests/1/local"],
            ["Skipped: closing with 'keep_alive: true', because it cannot keep connections alive."],
        ),
        (
            "strategies: sequential\nclients: [requests, closing]\nkeep_alive: [true, false]\n",
            [
                "sequential/requests/1/local",
                "sequential/requests/1/local/close",
                "sequential/closing/1/local/close",
            ],
            ["Skipped: closing with 'keep_alive: true', because it cannot keep connections alive."],
        ),
        (
            "strategies: sequential\nclients: closing\nkeep_alive: false\n",
            ["sequential/closing/1/local/close"],
            [],
        ),
        (
            "strategies: [{name: sequential, keep_alive: false}]\nclients: closing\n",
            ["sequential/closing/1/local/close"],
            [],
        ),
        (
            (
                "strategies: [{name: sequential, clients: closing, keep_alive: false}, asyncio_gather]\n"
                "clients: [aiohttp, closing]\n"
            ),
            ["sequential/closing/1/local/close", "asyncio_gather/aiohttp/20/local"],
            [],
        ),
    ],
)
def test_client_that_closes_its_connections_makes_cases_without_keep_alive_only(
    tmp_path: Path, text: str, ids: list[str], notes: list[str]
) -> None:
    experiment = experiment_of(written(tmp_path, text))
    assert [case.id for case in experiment.cases] == ids
    assert [note for note in experiment.notes if note.startswith("Skipped")] == notes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "strategies:\n- {name: sequential, clients: [requests, closing]}\n",
            (
                "2:31 strategies[0].clients: closing cannot keep connections alive; "
                "add 'keep_alive: false' to its entry"
            ),
        ),
        (
            (
                "keep_alive: false\nstrategies:\n"
                "- {name: sequential, keep_alive: [true, false], clients: closing}\n"
            ),
            (
                "3:58 strategies[0].clients: closing cannot keep connections alive; "
                "add 'keep_alive: false' to its entry"
            ),
        ),
        (
            "strategies: sequential\nclients: [closing, pycurl]\n",
            (
                "1:13 strategies: sequential has no usable client: closing cannot keep connections alive; "
                "add 'keep_alive: false'; pycurl needs pycurl, which is not installed: pip install pycurl"
            ),
        ),
        (
            "strategies: sequential\nclients: [closing, urllib3]\nprofile: {tls: true}\n",
            "3:10 profile: no usable client speaks TLS; add aiohttp, httpx or requests to 'clients'",
        ),
    ],
)
def test_client_that_closes_its_connections_is_no_client_for_keep_alive(
    tmp_path: Path, text: str, problem: str
) -> None:
    assert problems_of(written(tmp_path, text)) == [f"c.yaml:{problem}"]


NEWER = Strategy("newer", Path("n.py"), "", "sync", takes_workers=True, unavailable="needs Python 3.99")


def test_strategy_that_cannot_be_run_here_is_skipped_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "newer", NEWER)
    experiment = experiment_of(written(tmp_path, "strategies: [newer, sequential]\nclients: requests\n"))
    assert [case.strategy for case in experiment.cases] == ["sequential"]
    assert experiment.notes[0] == "Skipped: newer needs Python 3.99."


def test_config_without_a_strategy_that_can_be_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "newer", NEWER)
    problems = problems_of(written(tmp_path, "strategies: [newer]\nclients: requests\n"))
    assert problems == ["c.yaml:1:14 strategies[0]: newer needs Python 3.99"]


def test_strategy_with_needs_says_them_if_no_client_of_the_config_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = Strategy(
        "limited", Path("l.py"), "", "async", takes_workers=True, needs=frozenset({"connection_limit"})
    )
    monkeypatch.setitem(STRATEGIES, "limited", limited)
    problems = problems_of(written(tmp_path, "strategies: limited\nclients: aiohttp\n"))
    reason = "add an asynchronous client that limits its connections to 'clients'"
    assert problems == [f"c.yaml:1:13 strategies: limited has no usable client; {reason}"]


def test_option_of_a_strategy_follows_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Strategy("pool", Path("p.py"), "", "sync", takes_workers=True, options=("fork", "spawn"))
    monkeypatch.setitem(STRATEGIES, "pool", pool)
    text = "strategies: [pool, pool+fork, {name: pool+spawn, workers: 2}]\nclients: requests\nworkers: 4\n"
    experiment = experiment_of(written(tmp_path, text))
    assert [(case.strategy, case.workers) for case in experiment.cases] == [
        ("pool", 4),
        ("pool+fork", 4),
        ("pool+spawn", 2),
    ]
    assert {name: each.option for name, each in experiment.strategies.items()} == {
        "pool": "",
        "pool+fork": "fork",
        "pool+spawn": "spawn",
    }
    assert problems_of(written(tmp_path, "strategies: pool+thread\nclients: requests\n")) == [
        "c.yaml:1:13 strategies: pool has no option 'thread'; it has fork or spawn"
    ]
    assert problems_of(written(tmp_path, "strategies: pol+fork\nclients: requests\n")) == [
        "c.yaml:1:13 strategies: unknown strategy 'pol'; did you mean 'pool'?"
    ]


def test_limit_of_connections_makes_cases_of_clients_that_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CLIENTS, "aiohttp", replace(CLIENTS["aiohttp"], limits=frozenset({"async"})))
    text = (
        "strategies: [asyncio_gather, threadpool_map, bare_sockets]\nclients: [aiohttp, requests]\n"
        "workers: [5, 20]\nconnection_limit: [10, auto, 20]\n"
    )
    experiment = experiment_of(written(tmp_path, text))
    assert [case.id for case in experiment.cases] == [
        "asyncio_gather/aiohttp/5/local",
        "asyncio_gather/aiohttp/20/local/10conn",
        "asyncio_gather/aiohttp/20/local",
        "threadpool_map/requests/5/local",
        "threadpool_map/requests/20/local",
        "bare_sockets/-/5/local",
        "bare_sockets/-/20/local",
    ], "a limit of as many as there are workers, or more, is none"
    assert list(experiment.notes) == [
        f"Skipped: {reason}, so 'connection_limit: 10' is left out."
        for reason in (
            "threadpool_map with requests has no such limit",
            "bare_sockets opens connections of its own",
        )
    ]
    text = "strategies: threadpool_map\nclients: [requests]\nworkers: 20\nconnection_limit: 10\n"
    assert problems_of(written(tmp_path, text)) == [
        "c.yaml:1:1: has no case, as no client limits its connections; over HTTP/2 none does"
    ]


def test_over_http2_no_client_limits_what_shares_its_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CLIENTS, "httpx", replace(CLIENTS["httpx"], limits=frozenset({"async", "sync"})))
    limited = replace(
        STRATEGIES["asyncio_gather"], name="limited", needs=frozenset({"connection_limit"}), file=Path("l.py")
    )
    monkeypatch.setitem(STRATEGIES, "limited", limited)
    limits = "connection_limit: [2, auto]\nworkers: 5\n"
    text = f"strategies: [limited, threadpool_map]\nclients: httpx\n{limits}{HTTP2}"
    experiment = experiment_of(written(tmp_path, text))
    assert [case.id for case in experiment.cases] == ["threadpool_map/httpx/5/h2"]
    reason = "has all downloads of a client on one connection over HTTP/2"
    assert list(experiment.notes) == [
        f"Skipped: limited {reason}, so its cases are left out.",
        f"Skipped: threadpool_map {reason}, so 'connection_limit: 2' is left out.",
    ]


def test_limit_of_as_many_connections_as_workers_leaves_nothing_out(tmp_path: Path) -> None:
    text = "strategies: threadpool_map\nclients: requests\nworkers: 5\nconnection_limit: 20\n"
    assert experiment_of(written(tmp_path, text)).notes == ()
