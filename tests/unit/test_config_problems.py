"""Bad configs: each is rejected with the exact lines that say where the problem is and what to do."""

from pathlib import Path

import pytest

from bench.config import profiles
from bench.system.optional_dependencies import Extra, install_command
from tests.bad_configs import BAD_CONFIGS, FILE, KINDS
from tests.config_catalog import problems_of
from tests.program import call

SOUND = "strategies: [sequential]\n"
NO_PYCURL = "pycurl needs pycurl, which is not installed: pip install pycurl"
ADD_ASYNC = "add an asynchronous client such as httpx or aiohttp to 'clients'"
MOST_LINES = 51
LONGEST_LINE = 400


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_bad_config_is_rejected_with_exit_code_2_and_one_short_printable_line_per_problem(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bad = BAD_CONFIGS[name]
    bad.write(tmp_path / FILE)
    assert call(monkeypatch, "check", FILE) == 2
    output = capsys.readouterr()
    lines = output.err.splitlines()
    assert lines[0] == f"{FILE}:{bad.told}"
    assert len(lines) == 1 + bad.more <= MOST_LINES
    assert all(line.startswith(FILE) and line.isprintable() for line in lines)
    assert max(map(len, lines)) <= LONGEST_LINE
    assert output.out == ""


def test_names_of_bad_configs_are_unique() -> None:
    assert sum(map(len, KINDS.values())) == len(BAD_CONFIGS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "strategies: [broken.py]",
            "1:14 strategies[0]: broken.py is not Python: line 1; fix it",
        ),
        (
            "strategies: [no-module.py]",
            "1:14 strategies[0]: a strategy file must be named like a Python module, not 'no-module.py'",
        ),
        (
            "strategies: [mine.py, sub/mine.py]",
            "1:23 strategies[1]: another strategy file is also named mine.py; rename one",
        ),
        (
            "strategies: [{name: sequential, clients: pycurl}]",
            f"1:42 strategies[0].clients: {NO_PYCURL}",
        ),
        (
            "strategies: [{name: bare_sockets, clients: httpx}]",
            "1:44 strategies[0].clients: bare_sockets uses no client; remove the key",
        ),
        (
            "clients: pycurl\n" + SOUND,
            f"2:14 strategies[0]: sequential has no usable client: {NO_PYCURL}",
        ),
        (
            "clients: requests\nstrategies: [asyncio_gather]",
            f"2:14 strategies[0]: asyncio_gather has no usable client; {ADD_ASYNC}",
        ),
        (
            "flags_dir: mine.py\n" + SOUND,
            "1:12 flags_dir: no such folder 'mine.py'; paths are relative to the config's folder",
        ),
        (
            "strategies:\n- sequential\n- {name: sequential, clients: [httpx, aiohttp]}",
            "3:39 strategies[1].clients[1]: sequential needs a synchronous client, which aiohttp is not",
        ),
        (
            "profile: {faults: [stall, {kind: reset_mid_boody}]}\n" + SOUND,
            "1:34 profile.faults[1].kind: unknown fault 'reset_mid_boody'; did you mean 'reset_mid_body'?",
        ),
        (
            "countries: {codes: {a: b}}\n" + SOUND,
            "1:20 countries.codes: must be a single value, not a mapping",
        ),
        (
            "profile: {faults: [{kind: drip, rat: 5%}]}\n" + SOUND,
            "1:33 profile.faults[0].rat: unknown key; did you mean 'rate'?",
        ),
        ('profile: {"<custom>": {"<custom>": 1}}\n' + SOUND, "1:11 profile.'<custom>': unknown key"),
    ],
)
def test_problem_is_reported_with_place_path_and_near_miss(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("mine.py", "sub/mine.py", "broken.py", "no-module.py"):
        (tmp_path / name).touch()
    assert problems_in(tmp_path, text) == [f"c.yaml:{problem}"]


def problems_in(folder: Path, text: str) -> list[str]:
    """Write a config, and return its problems."""
    file = folder / "c.yaml"
    file.write_text(text)
    return problems_of(file)


def test_missing_extra_is_reported_at_the_profile_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "TLS", Extra("tls", ("no_such_module",)))
    assert problems_in(tmp_path, "strategies: sequential\nprofile: {tls: true}\n") == [
        f"c.yaml:2:16 profile.tls: needs no_such_module, which is not installed: {install_command('tls')}"
    ]


def test_problems_of_form_and_meaning_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "name: ../..\n"
        "blokcs: 3\n"
        "blocks: 010\n"
        "seed: !s 1\n"
        "countries: [BR, BR, x1]\n"
        "workers: [1, 1, -1]\n"
        "clients: requests\n"
        "strategies: [sequential, asyncio_gather]\n"
        "request_timeout: 1s\n"
        "profile: {latency: 2s}\n"
    )
    assert [problem.partition(": ")[0] for problem in problems_in(tmp_path, text)] == [
        "c.yaml:1:7 name",
        "c.yaml:2:1 blokcs",
        "c.yaml:3:9 blocks",
        "c.yaml:4:7 seed",
        "c.yaml:5:17 countries[1]",
        "c.yaml:5:21 countries[2]",
        "c.yaml:6:14 workers[1]",
        "c.yaml:6:17 workers[2]",
        "c.yaml:8:26 strategies[1]",
        "c.yaml:10:10 profile",
    ]


def test_keys_within_a_duplicate_are_not_reported_as_duplicates(tmp_path: Path) -> None:
    text = "profile: {latency: 5ms}\nprofile: {latency: 6ms}\n" + SOUND
    assert problems_in(tmp_path, text) == ["c.yaml:2:1 profile: duplicate key, first used on line 1"]


def test_problems_after_the_fiftieth_are_counted(tmp_path: Path) -> None:
    problems = problems_in(tmp_path, "".join(f"key{i}: 1\n" for i in range(100)) + SOUND)
    assert len(problems) == 51
    assert problems[-1] == "c.yaml: 50 more problems"
