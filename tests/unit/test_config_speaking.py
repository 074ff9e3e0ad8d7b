"""Encrypted profiles: who speaks what they need, and which faults bear no neighbours."""

from pathlib import Path

import pytest

from bench.config import profiles
from bench.system.optional_dependencies import Extra
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
            ["Left out: requests in profile h2, for it does not speak HTTP/2."],
        ),
        (
            "strategies: sequential\nclients: [requests, urllib3]\nprofile: {name: safe, tls: true}\n",
            ["requests/1/safe"],
            ["Left out: urllib3 in profile safe, for it does not speak TLS."],
        ),
        ("strategies: {name: sequential, clients: httpx}\n" + HTTP2, ["httpx/1/h2"], []),
        ("strategies: bare_sockets\nworkers: 2\n" + HTTP2, ["-/2/h2"], []),
    ],
)
def test_who_does_not_speak_what_a_profile_needs_is_left_out(
    tmp_path: Path, text: str, ids: list[str], notes: list[str]
) -> None:
    """With a note where the file names clients for all; a strategy without a client sees to itself."""
    experiment = experiment_of(written(tmp_path, text))
    assert [case.id.partition("/")[2] for case in experiment.cases] == ids
    assert [note for note in experiment.notes if note.startswith("Left out")] == notes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "strategies:\n- {name: sequential, clients: [httpx, requests]}\n" + HTTP2,
            "3:10 profile: requests, which sequential names, does not speak HTTP/2",
        ),
        (
            "strategies: {name: sequential, clients: [urllib3]}\nprofiles:\n- local\n- {tls: true}\n",
            "4:3 profiles[1]: urllib3, which sequential names, does not speak TLS",
        ),
        (
            "strategies: sequential\nclients: requests\n" + HTTP2,
            "3:10 profile: would have no case: none of the clients speaks HTTP/2; httpx would",
        ),
        (
            "strategies: sequential\nclients: urllib3\nprofile: {tls: true}\n",
            (
                "3:10 profile: would have no case: none of the clients speaks TLS; "
                "aiohttp, httpx or requests would"
            ),
        ),
        (
            "strategies: asyncio_gather\nclients: httpx\nworkers: [1, 5]\n" + GOAWAY,
            (
                "4:43 profile.faults: goaway ends or starves all that shares its connection: over HTTP/2 it "
                "goes only with 'workers: 1', and asyncio_gather has 5"
            ),
        ),
        (
            (
                "strategies: [sequential, {name: asyncio_gather, workers: 3}]\nclients: httpx\nworkers: 1\n"
                "profiles:\n- local\n- tls: true\n  http2: true\n  faults:\n"
                "  - {kind: reset_mid_body, rate: 5%}\n  - {kind: bad_length, rate: 5%}\n"
            ),
            (
                "10:5 profiles[1].faults[1]: bad_length ends or starves all that shares its connection: over "
                "HTTP/2 it goes only with 'workers: 1', and asyncio_gather has 3"
            ),
        ),
        (
            (
                "strategies: [{name: asyncio_gather, keep_alive: [true, false]}]\nclients: httpx\n"
                "profiles: [local, {tls: true, http2: true}]\n"
            ),
            (
                "3:19 profiles[1]: asyncio_gather has 'keep_alive: false', which means nothing where several "
                "downloads share an HTTP/2 connection"
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused_at_the_profile(tmp_path: Path, text: str, problem: str) -> None:
    """With its place, and what would do."""
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
def test_one_download_at_a_time_has_no_neighbours(tmp_path: Path, text: str) -> None:
    """Nor has one that has a connection to itself, or a fault that ends no more than its own stream."""
    assert problems_of(written(tmp_path, text)) == []


def test_a_fault_elsewhere_is_not_blamed_on_the_profile(tmp_path: Path) -> None:
    """What cannot be judged is left to the next look."""
    text = "strategies: sequentail\nclients: requests\n" + GOAWAY
    assert [problem.split()[1] for problem in problems_of(written(tmp_path, text))] == ["strategies:"]


def test_what_is_not_installed_is_named_at_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command, and before anything is run."""
    monkeypatch.setattr(profiles, "TLS", Extra("tls", ("no_such_module",)))
    assert problems_of(written(tmp_path, "strategies: sequential\nprofile: {tls: true}\n")) == [
        "c.yaml:2:16 profile.tls: needs no_such_module, which is not installed: pip install 'flagbench[tls]'"
    ]
