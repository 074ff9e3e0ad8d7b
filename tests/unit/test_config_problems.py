"""Faults of meaning: all at once, each with its place, its path and the near miss."""

from pathlib import Path

import pytest

from tests.config_catalog import problems_of

SOUND = "strategies: [sequential]\n"
TOTAL = "happens before there is a request: all fetches meet it; leave the rate out"
NO_CASE = "would have no case"
NO_PYCURL = "pycurl needs pycurl, which is not installed: pip install pycurl"
NO_SHARE = "must be from 0% to 100%, not '3'; did you mean '3%'?"
PROBES = "cpu, gc, loop_lag, queue_wait, memory or handles"
ASYNC = "an asynchronous client such as httpx or aiohttp"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: x\n", "1:1 strategies: is missing"),
        ("blokcs: 3\n" + SOUND, "1:1 blokcs: unknown key; did you mean 'blocks'?"),
        ("zzz: 3\n" + SOUND, "1:1 zzz: unknown key"),
        ("countries: {cods: all}\n" + SOUND, "1:13 countries.cods: unknown key; did you mean 'codes'?"),
        (
            "strategies: [sequentail]",
            "1:14 strategies[0]: unknown strategy 'sequentail'; did you mean 'sequential'?",
        ),
        (
            "strategies:\n- sequential\n- {name: threadpool_mpa}",
            "3:10 strategies[1].name: unknown strategy 'threadpool_mpa'; did you mean 'threadpool_map'?",
        ),
        (
            "strategies: [{name: sequential, worker: 1}]",
            "1:33 strategies[0].worker: unknown key; did you mean 'workers'?",
        ),
        ("strategies: [{workers: 1}]", "1:14 strategies[0].name: is missing"),
        ("strategies: []", "1:13 strategies: must not be empty"),
        ("strategies: [sequential, sequential]", "1:26 strategies[1]: is there twice"),
        ("strategies: [[sequential]]", "1:14 strategies[0]: must be a mapping of keys, not a list"),
        ("strategies: [../../etc/passwd]", "1:14 strategies[0]: unknown strategy '../../etc/passwd'"),
        (
            "strategies: [sequential.py]",
            "1:14 strategies[0]: 'sequential.py' has the name of a strategy that ships; rename the file",
        ),
        (
            "strategies: [nope.py]",
            "1:14 strategies[0]: no such file, counted from the config's folder: 'nope.py'",
        ),
        (
            "strategies: [no-module.py]",
            "1:14 strategies[0]: a strategy file is named like a Python module, not 'no-module.py'",
        ),
        ("strategies: [broken.py]", "1:14 strategies[0]: broken.py is not Python: line 1; mend it"),
        (
            "strategies: [mine.py, sub/mine.py]",
            "1:23 strategies[1]: another file is called mine.py too; rename one",
        ),
        (
            "clients: [reqests]\n" + SOUND,
            "1:11 clients[0]: unknown client 'reqests'; did you mean 'requests'?",
        ),
        ("clients: []\n" + SOUND, "1:10 clients: must not be empty"),
        (
            "strategies: [{name: sequential, clients: [httpx, aiohttp]}]",
            "1:50 strategies[0].clients[1]: sequential needs a synchronous client, which aiohttp is not",
        ),
        (
            "strategies: [{name: sequential, clients: pycurl}]",
            f"1:42 strategies[0].clients: {NO_PYCURL}",
        ),
        (
            "strategies: [{name: bare_sockets, clients: httpx}]",
            "1:44 strategies[0].clients: bare_sockets uses no client; leave the key out",
        ),
        (
            "clients: requests\nstrategies: [asyncio_gather]",
            f"2:14 strategies[0]: asyncio_gather {NO_CASE}: it needs {ASYNC} in 'clients'",
        ),
        (
            "clients: pycurl\n" + SOUND,
            f"2:14 strategies[0]: sequential {NO_CASE}: {NO_PYCURL}",
        ),
        (
            "strategies: [{name: sequential, workers: 5}]",
            "1:42 strategies[0].workers: sequential takes no workers; leave the key out",
        ),
        ("workers: 0\n" + SOUND, "1:10 workers: must be a whole number from 1 to 10000, not '0'"),
        (
            "workers: [5, 1000000000]\n" + SOUND,
            "1:14 workers[1]: must be a whole number from 1 to 10000, not '1000000000'",
        ),
        ("workers: [5, 5]\n" + SOUND, "1:14 workers[1]: is there twice"),
        ("workers: 2.0\n" + SOUND, "1:10 workers: must be a whole number from 1 to 10000, not '2.0'"),
        ("workers: true\n" + SOUND, "1:10 workers: must be a whole number from 1 to 10000, not 'true'"),
        ("workers: {a: 1}\n" + SOUND, "1:10 workers: must be a single value, not a mapping"),
        ("keep_alive: yes\n" + SOUND, "1:13 keep_alive: must be true or false, not 'yes'"),
        (
            "keep_alive: [True]\n" + SOUND,
            "1:14 keep_alive[0]: must be true or false, not 'True'; did you mean 'true'?",
        ),
        ("countries: []\n" + SOUND, "1:12 countries: must not be empty"),
        ("countries: [BR, NO, BR]\n" + SOUND, "1:21 countries[2]: is there twice"),
        (
            "countries: [br]\n" + SOUND,
            "1:13 countries[0]: must be a code of two capital letters, not 'br'; did you mean 'BR'?",
        ),
        ("countries: {codes: {a: b}}\n" + SOUND, "1:20 countries.codes: must be a list, not a mapping"),
        (
            "countries: {codes: all, repeat: 1000000}\n" + SOUND,
            "1:12 countries: makes 194,000,000 fetches a round, at most 1,000,000",
        ),
        ("profile: dely\n" + SOUND, "1:10 profile: unknown profile 'dely'; did you mean 'delay'?"),
        ("profile: x\n" + SOUND, "1:10 profile: unknown profile 'x'; the presets are local, delay or error"),
        ("profile: [local]\n" + SOUND, "1:10 profile: must be a mapping of keys, not a list"),
        ("profile: {scale: 2}\n" + SOUND, "1:18 profile.scale: goes only with 'preset'"),
        ("profile: {preset: delay, jitter: 1ms}\n" + SOUND, "1:34 profile.jitter: does not go with 'preset'"),
        (
            "profile: {name: delay}\n" + SOUND,
            "1:17 profile.name: 'delay' is the name of a preset; call these figures otherwise",
        ),
        (
            "profile: {latency: {}}\n" + SOUND,
            "1:20 profile.latency: must have exactly one of the keys fixed, uniform and lognormal",
        ),
        (
            "profile: {latency: {uniform: [2s, 1s]}}\n" + SOUND,
            "1:30 profile.latency.uniform: the lowest latency is above the highest",
        ),
        (
            "profile: {latency: {uniform: [2s]}}\n" + SOUND,
            "1:30 profile.latency.uniform: must be two durations, the lowest and the highest",
        ),
        (
            "profile: {latency: {lognormal: {median: 1s, p99: 1ms}}}\n" + SOUND,
            "1:32 profile.latency.lognormal: p99 is below the median",
        ),
        (
            "profile: {latency: {lognormal: {median: 1s}}}\n" + SOUND,
            "1:32 profile.latency.lognormal.p99: is missing",
        ),
        (
            "profile: {error_rate: 1.5}\n" + SOUND,
            "1:23 profile.error_rate: must be from 0% to 100%, not '1.5'; did you mean '1.5%'?",
        ),
        (
            "profile: {faults: [stall, {kind: reset_mid_boody}]}\n" + SOUND,
            "1:34 profile.faults[1].kind: unknown fault 'reset_mid_boody'; did you mean 'reset_mid_body'?",
        ),
        (
            "profile: {faults: [{kind: zzz}]}\n" + SOUND,
            "1:27 profile.faults[0].kind: unknown fault 'zzz'; see `flagbench list faults`",
        ),
        (
            "profile: {faults: [{kind: drip, rat: 5%}]}\n" + SOUND,
            "1:33 profile.faults[0].rat: unknown key; did you mean 'rate'?",
        ),
        (
            "profile: {faults: [{kind: status}]}\n" + SOUND,
            "1:20 profile.faults[0]: kind 'status' needs the key status, from 400 to 599",
        ),
        (
            "profile: {faults: [{kind: drip, status: 503}]}\n" + SOUND,
            "1:41 profile.faults[0].status: goes only with kind 'status'",
        ),
        (
            "profile: {faults: [drip, {kind: drip, rate: 5%}]}\n" + SOUND,
            "1:26 profile.faults[1]: is there twice",
        ),
        (
            "profile: {error_rate: 50%, faults: [{kind: stall, rate: 50%}, drip]}\n" + SOUND,
            "1:36 profile.faults: the rates and error_rate add up to more than 100%",
        ),
        (
            "profile: {faults: [goaway]}\n" + SOUND,
            "1:20 profile.faults[0]: there is no goaway over HTTP/1.1",
        ),
        (
            "profile: {tls: true, http2: true, faults: [cut_chunk]}\n" + SOUND,
            "1:44 profile.faults[0]: there is no cut_chunk over HTTP/2",
        ),
        (
            "profile: {faults: [tls_expired]}\n" + SOUND,
            "1:20 profile.faults[0]: tls_expired goes only with 'tls: true'",
        ),
        (
            "profile: {faults: [{kind: refused, rate: 5%}]}\n" + SOUND,
            f"1:20 profile.faults[0]: refused {TOTAL}",
        ),
        ("profile: {http2: true}\n" + SOUND, "1:18 profile.http2: goes only with 'tls: true'"),
        (
            "profile: {error_status: 200}\n" + SOUND,
            "1:25 profile.error_status: must be a whole number from 400 to 599, not '200'",
        ),
        ("profile: {latency: 10s}\n" + SOUND, "1:10 profile: waits 10s, but request_timeout is 10s"),
        (
            "request_timeout: 40ms\nprofile: {latency: {uniform: [50ms, 60ms]}, jitter: 5ms}\n" + SOUND,
            "2:10 profile: waits at least 45ms, but request_timeout is 40ms",
        ),
        (
            "profile: {latency: {lognormal: {median: 11s, p99: 20s}}}\n" + SOUND,
            "1:10 profile: mostly waits 11s, but request_timeout is 10s",
        ),
        (
            "profiles: [local, {preset: delay, scale: 30}]\n" + SOUND,
            "1:19 profiles[1]: waits at least 15s, but request_timeout is 10s",
        ),
        (
            "profiles: [{latency: 5ms}, {latency: 5.0ms}]\n" + SOUND,
            "1:28 profiles[1]: another profile is called '5ms' too; name one of them",
        ),
        (
            "profile: local\nprofiles: [delay]\n" + SOUND,
            "2:11 profiles: stands beside 'profile'; write one of the two",
        ),
        ("profiles: []\n" + SOUND, "1:11 profiles: must not be empty"),
        ("blocks: 0\n" + SOUND, "1:9 blocks: must be a whole number from 1 to 1000, not '0'"),
        ("blocks: 1001\n" + SOUND, "1:9 blocks: must be a whole number from 1 to 1000, not '1001'"),
        ("blocks: 010\n" + SOUND, "1:9 blocks: must be a whole number from 1 to 1000, not '010'"),
        (
            "blocks: {min: 9, max: 8}\nbudget: 1s\n" + SOUND,
            "1:15 blocks.min: is above max",
        ),
        (
            "blocks: {min: 8, max: 64}\n" + SOUND,
            "1:15 blocks.min: goes only with 'precision' or 'budget', which say when to stop",
        ),
        ("blocks: {min: 8}\nbudget: 1s\n" + SOUND, "1:9 blocks.max: is missing"),
        ("blocks: {max: 8, mim: 4}\n" + SOUND, "1:18 blocks.mim: unknown key; did you mean 'min'?"),
        (
            "blocks: {min: 5, max: 64}\nprecision: 3%\n" + SOUND,
            "1:15 blocks.min: must be at least 6 with 'precision': an interval takes so many blocks",
        ),
        (
            "blocks: 5\nprecision: 3%\n" + SOUND,
            "1:9 blocks: must be at least 6 with 'precision': an interval takes so many blocks",
        ),
        ("blocks: {min: 8, max: 64}\nprecision: 3\n" + SOUND, f"2:12 precision: {NO_SHARE}"),
        ("precision: 0%\n" + SOUND, "1:12 precision: must be more than zero, not '0%'"),
        ("budget: 60\n" + SOUND, "1:9 budget: must be a duration such as 50ms, 1.5s or 2m, not '60'"),
        ("probes: cpus\n" + SOUND, "1:9 probes: unknown probe 'cpus'; did you mean 'cpu'?"),
        (
            "probes: [cpu, x]\n" + SOUND,
            f"1:15 probes[1]: unknown probe 'x'; the probes are {PROBES}",
        ),
        ("probes: [cpu, cpu]\n" + SOUND, "1:15 probes[1]: is there twice"),
        ("probes: []\n" + SOUND, "1:9 probes: must not be empty; write none"),
        (
            "disturbed: kep\n" + SOUND,
            "1:12 disturbed: must be refuse or keep, not 'kep'; did you mean 'keep'?",
        ),
        ("pinning: on\n" + SOUND, "1:10 pinning: must be true or false, not 'on'"),
        ("rounds: 1e3\n" + SOUND, "1:9 rounds: must be auto or a whole number from 1 to 1000, not '1e3'"),
        ("deadline: 0s\n" + SOUND, "1:11 deadline: must be more than zero, not '0s'"),
        ("seed: 1:30\n" + SOUND, "1:7 seed: must be a whole number from 0 to 999999999999999, not '1:30'"),
        (
            "flags_dir: nowhere\n" + SOUND,
            "1:12 flags_dir: no such folder, counted from the config's folder: 'nowhere'",
        ),
        (
            "flags_dir: mine.py\n" + SOUND,
            "1:12 flags_dir: no such folder, counted from the config's folder: 'mine.py'",
        ),
        (
            'flags_dir: "\\0"\n' + SOUND,
            "1:12 flags_dir: no such folder, counted from the config's folder: '\\x00'",
        ),
        ('strategies: ["\\e]0;x\\a"]', "1:14 strategies[0]: unknown strategy '\\x1b]0;x\\x07'"),
        ('clients: ["a\\u202eb"]\n' + SOUND, "1:11 clients[0]: unknown client 'a\\u202eb'"),
        ('"\\e[31m": 1\n' + SOUND, "1:1 '\\x1b[31m': unknown key"),
        ('profile: {"<custom>": {"<custom>": 1}}\n' + SOUND, "1:11 profile.'<custom>': unknown key"),
    ],
)
def test_a_fault_is_told_with_place_path_and_near_miss(tmp_path: Path, text: str, problem: str) -> None:
    """One fault, one line, exactly so."""
    (tmp_path / "sub").mkdir()
    for name in ("mine.py", "sub/mine.py", "broken.py", "no-module.py"):
        (tmp_path / name).touch()
    file = tmp_path / "c.yaml"
    file.write_text(text)
    assert problems_of(file) == [f"c.yaml:{problem}"]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Faults of form, of single values and between keys come together, in the order of the file."""
    file = tmp_path / "c.yaml"
    file.write_text(
        "name: ../..\n"
        "blokcs: 3\n"
        "blocks: 010\n"
        "seed: &s 1\n"
        "countries: [BR, BR, xx]\n"
        "workers: [1, 1, -1]\n"
        "clients: requests\n"
        "strategies: [sequential, asyncio_gather]\n"
        "request_timeout: 1s\n"
        "profile: {latency: 2s}\n"
    )
    assert [problem.partition(": ")[0] for problem in problems_of(file)] == [
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


def test_a_flood_of_faults_is_cut(tmp_path: Path) -> None:
    """Fifty lines are told and the rest is counted."""
    file = tmp_path / "c.yaml"
    file.write_text("".join(f"key{i}: 1\n" for i in range(100)) + SOUND)
    problems = problems_of(file)
    assert len(problems) == 51
    assert problems[-1] == "c.yaml: 50 more problems"


def test_a_matrix_too_large_is_counted_not_built(tmp_path: Path) -> None:
    """Three hundred worker counts with forty profiles and two more axes are refused by their product."""
    file = tmp_path / "c.yaml"
    profiles = ", ".join(f"{{latency: {i}ms}}" for i in range(40))
    file.write_text(
        f"countries: all\nworkers: {list(range(1, 301))}\nkeep_alive: [true, false]\nprofiles: [{profiles}]\n"
        "clients: [requests, httpx]\nstrategies: [threadpool_map]\n"
    )
    assert problems_of(file) == ["c.yaml:1:1: makes up to 48,000 cases, at most 10,000"]
