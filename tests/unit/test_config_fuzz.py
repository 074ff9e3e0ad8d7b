"""Any content of a file makes an experiment or a ``ConfigError``, soon and in little memory."""

import re
import resource
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.config.schema import FORMS
from bench.errors import ConfigError
from bench.model.cases import Experiment
from tests.config_catalog import experiment_of

VALID: Final = (
    b"""name: mine
countries: {codes: [BR, NO], limit: 2, repeat: 3}
workers: [1, 5]
clients: [requests, {name: httpx, version: [0.27.2, 0.28.1]}, {name: aiohttp, requirements: [aiohttp<4]}]
keep_alive: [true, false]
connection_limit: [1, auto]
strategies:
  - sequential
  - {name: asyncio_gather, clients: [httpx], workers: 3, keep_alive: true}
  - mine.py
profiles:
  - local
  - {preset: delay, scale: 10%}
  - {name: near, latency: {uniform: [1ms, 2ms]}, jitter: 1ms, connect_latency: 2ms}
  - {bandwidth: 2MiB, error_rate: 5%, error_status: 503}
  - {latency: {fixed: 5ms}}
  - {tls: true, http2: false, faults: [{kind: stall, rate: 5%}, {kind: status, status: 503, rate: 1%}]}
blocks: {min: 6, max: 30}
precision: 3%
budget: 60s
probes: [cpu, gc]
pinning: true
disturbed: keep
process_names: true
margin: 2%
rounds: auto
deadline: 60s
request_timeout: 10s
seed: 1
flags_dir: flags
variants: [main, {rev: v1, python: 3.13, requirements: [httpx==0.27.2]}]
metrics: [elapsed, cpu]
thresholds:
  "*": [3%, errors == 0]
  sequential/*: [p99 < 80ms, memory < 80MiB, efficiency > 70%]
""",
    b"""countries: B
process: {kind: json, times: [0, 10]}
rates: [50/s, 100, 0.5]
strategies: threadpool_map
profile: {latency: {lognormal: {median: 5ms, p99: 50ms}}}
variants: [{path: flags}, python=3.12]
thresholds: {"thread*": 0.05}
""",
    b"""strategies: sequential
target: {url: "http://127.0.0.1:9000/files", manifest: sums.txt, repeat: 3, rate: 50/s}
""",
    b"""strategies: sequential
rate: 50/s
""",
    b"""strategies: [dask, threadpool_map]
profile:
  latency: {sample: {file: times.csv, column: time, unit: ms}}
  sizes: {lognormal: {median: 2kB, p99: 1MiB}}
clients: requests
host: 10.0.0.5
scheduler:
  - embedded
  - {address: "tcp://machines.example:8786", insecure: true}
  - {address: "tls://10.0.0.1:8786", authority: ca.pem, certificate: ca.pem, private_key: ca.pem}
""",
    b"""strategies: asyncio_gather
target: {url: "https://localhost/", files: [a.bin, "b/c d.txt"], authority: ca.pem}
""",
)
PATTERNS: Final = {"*", "sequential/*", "thread*"}
"""Keys of `thresholds`, which are not fields."""
WORDS: Final = (
    b"0", b"-1", b"010", b"1e3", b"1:30", b".nan", b".inf", b"true", b"null", b"~", b"2.5", b"1000000000",
    b"9" * 5000, b"150%", b"1000000m", b"all", b"every", b"''", b"'a b'", b'"\\u202e"', b'"\\0"', b'"\\e[2J"',
    b"../..", b"/etc/passwd", b"mine.py", b"<script>", b"'=cmd()'", b"[]", b"{}", b"[[]]", b"{a: {b: c}}",
    b"x" * 100_000, b"&a", b"*a", b"!!binary", b"!!python/object/apply:os.system [echo]", b"<<",
    "\u0430ll".encode(),
)  # fmt: skip
SCRAPS: Final = (
    b"[", b"]", b"{", b"}", b":", b": ", b"- ", b"? ", b", ", b"&a ", b"*a", b"!!set ", b"! ", b"<<: ",
    b"|\n", b">", b"%", b"'", b'"', b'"\\ud800"', b'"\\0"', b"#", b"\t", b"\n", b"\r", b"---\n", b"...\n",
    b"~", b"null", b"\0", b"\xff", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xc2\x85", b"0", b"-1", b"1e999",
    b"9" * 400, b".nan", b"NO", b"../..", b".py", b"name", b"preset: ", b"lognormal: ", b"workers: ",
    b"strategies: ", b"<", b" == ", b"variants: ",
)  # fmt: skip


_WORD: Final = re.compile(rb"[\w./%-]+")
_SOON_S: Final = 1.0
_SMALL_KIB: Final = 200 << 10


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a valid config in which a few words are replaced, and bytes are cut or inserted."""
    content = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(0, 3))):
        if words := list(_WORD.finditer(content)):
            word = draw(st.sampled_from(words))
            other = draw(st.one_of(st.sampled_from(WORDS), st.sampled_from([each[0] for each in words])))
            content = content[: word.start()] + other + content[word.end() :]
    for _ in range(draw(st.integers(0, 4))):
        low, high = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        scrap = draw(st.one_of(st.sampled_from(SCRAPS), st.binary(max_size=4), st.just(content[low:high])))
        content = content[:low] + scrap + content[draw(st.sampled_from((low, high))) :]
    return content


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that all examples share, in a folder with the files that they name."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "flags").mkdir()
    (folder / "mine.py").touch()
    (folder / "ca.pem").touch()
    (folder / "times.csv").write_text("path,time\n/a,12\n/b,7.5\n")
    (folder / "sums.txt").write_text(f"{64 * 'a'}  a.bin\n{64 * 'b'} *b/c d.txt\n")
    return folder / "c.yaml"


FUZZ: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(FUZZ, max_examples=6 * settings().max_examples)
@given(content=mutated())
def test_mutated_config_is_read_or_rejected_in_short_printable_lines(file: Path, content: bytes) -> None:
    read_or_reject(file, content)


@pytest.mark.slow
@settings(FUZZ, max_examples=10_000)
@given(content=mutated())
def test_ten_thousand_mutated_configs_are_read_or_rejected(file: Path, content: bytes) -> None:
    read_or_reject(file, content)


def read_or_reject(file: Path, content: bytes) -> None:
    """Load a config, and check its time, its memory and its result."""
    file.write_bytes(content)
    began_s, peak_kib = process_time(), _peak_kib()
    result = _read(file)
    assert process_time() - began_s < _SOON_S
    assert _peak_kib() - peak_kib < _SMALL_KIB
    if isinstance(result, ConfigError):
        assert result.problems
        assert all(problem.startswith(str(file)) and problem.isprintable() for problem in result.problems)
    else:
        assert len({case.id for case in result.cases}) == len(result.cases) > 0


def _read(file: Path) -> Experiment | ConfigError:
    try:
        return experiment_of(file)
    except ConfigError as error:
        return error


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("content", VALID)
def test_configs_to_mutate_are_valid(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert experiment_of(file).cases


def test_configs_to_mutate_have_every_key() -> None:
    written = {key for content in VALID for key in _keys(yaml.load(content, Loader=yaml.BaseLoader))}  # noqa: S506  strings alone
    assert written - PATTERNS == {key for form in FORMS.values() for key in form.model_fields}


def _keys(value: object) -> Iterator[str]:
    """Yield the keys of every mapping within a value."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _keys(item)
