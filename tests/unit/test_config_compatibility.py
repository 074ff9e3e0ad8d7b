"""Profiles with TLS and HTTP/2: the clients that speak them, and shared connections."""

from pathlib import Path

import pytest

from tests.config_catalog import experiment_of, problems_of

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
