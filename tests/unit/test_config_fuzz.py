"""Whatever a file holds, it is an experiment or a ``ConfigError``: never anything else."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import ConfigError
from bench.model import Experiment
from tests.config_catalog import experiment_of

SOUND: Final = (
    b"""name: mine
countries: {codes: [BR, NO], limit: 2, repeat: 3}
workers: [1, 5]
clients: [requests]
keep_alive: [true, false]
strategies:
  - sequential
  - {name: asyncio_gather, clients: [httpx]}
profiles: [local, {preset: delay, scale: 10%}, {latency: {uniform: [1ms, 2ms]}, error_rate: 5%}]
blocks: {min: 6, max: 30}
precision: 3%
budget: 60s
probes: [cpu, gc]
pinning: true
rounds: auto
deadline: 60s
request_timeout: 10s
seed: 1
""",
    b"countries: B\nstrategies: threadpool_map\nprofile: {latency: {lognormal: {median: 5ms, p99: 50ms}}}\n",
)
SCRAPS: Final = (
    b"[", b"]", b"{", b"}", b":", b": ", b"- ", b"? ", b", ", b"&a ", b"*a", b"!!set ", b"! ", b"<<: ",
    b"|\n", b">", b"%", b"'", b'"', b'"\\ud800"', b'"\\0"', b"#", b"\t", b"\n", b"\r", b"---\n", b"...\n",
    b"~", b"null", b"\0", b"\xff", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xc2\x85", b"0", b"-1", b"1e999",
    b"9" * 400, b".nan", b"NO", b"../..", b".py", b"name", b"preset: ", b"lognormal: ", b"workers: ",
    b"strategies: ",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a sound config with a few cuts, repetitions and foreign scraps."""
    content = draw(st.sampled_from(SOUND))
    for _ in range(draw(st.integers(1, 6))):
        low, high = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        scrap = draw(st.one_of(st.sampled_from(SCRAPS), st.binary(max_size=4), st.just(content[low:high])))
        content = content[:low] + scrap + content[draw(st.sampled_from((low, high))) :]
    return content


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one file that all examples share."""
    return tmp_path_factory.mktemp("fuzz") / "c.yaml"


@settings(max_examples=400, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=mutated())
def test_a_mutated_config_is_read_or_refused(file: Path, content: bytes) -> None:
    """Each problem is one short printable line that starts with the file's name."""
    file.write_bytes(content)
    result = _read(file)
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


@pytest.mark.parametrize("content", SOUND)
def test_what_is_mutated_is_sound(file: Path, content: bytes) -> None:
    """Else the mutations would start from nothing."""
    file.write_bytes(content)
    assert experiment_of(file).cases
