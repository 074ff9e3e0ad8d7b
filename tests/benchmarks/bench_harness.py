"""Measure the overhead of the harness, its distance from the ideal, and the memory of a large trial.

On a quiet machine: ``make benchmarks``.
"""

import json
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

import pytest

from bench.model.cases import Fixed, Profile
from bench.model.server_settings import ServerSettings
from bench.stats.pairwise import compare_cases
from bench.system.cpu_affinity import assign_cores, restrict_to, usable_cores
from bench.system.process_tree import descendants
from bench.worker.protocol import WORKER_PROBES
from tests.alternating import Side, side
from tests.server_process import running_server

pytestmark = pytest.mark.timeout(900)

PAIRS: Final = 60
BARE: Final = """
import sys, time
from pathlib import Path
from bench.api import Job
from bench.model.countries import POP20
from strategies.{strategy} import download_many
job = Job(POP20, 20, sys.argv[1], Path(sys.argv[2]), "{client}")
for _ in sys.stdin:
    start_s = time.perf_counter()
    download_many(job)
    print(time.perf_counter() - start_s, flush=True)
"""
HARNESS: Final = """
import sys
from pathlib import Path
import strategies
from bench.model.countries import POP20
from bench.api import Job
from bench.worker.probes import RoundProbes
from bench.worker.protocol import Task
from bench.worker.trial import load_strategy, run_round
import strategies.clients.{client}
folder = Path(sys.argv[2])
file = Path(strategies.__path__[0]) / "{strategy}.py"
task = Task(file, "{client}", 20, True, POP20, 1, "", 1, folder, Path(sys.argv[3]), 10.0)
download_many = load_strategy(task)
for probes in sys.stdin:
    job = Job(POP20, 20, sys.argv[1], folder / "round", "{client}")
    timed, problem = run_round(download_many, task, job, RoundProbes(probes.split()))
    assert problem is None, problem
    print(timed.elapsed_s, flush=True)
"""


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """Lay out the flags as served."""
    from bench.model.flags import all_flags
    from bench.runner.protected_files import write_reference

    return write_reference(tmp_path, all_flags())


@pytest.mark.parametrize(
    ("strategy", "client"),
    [("sequential", "urllib3"), ("threadpool_map", "requests"), ("asyncio_gather", "aiohttp")],
)
def test_the_harness_adds_nothing_to_what_it_times(
    strategy: str, client: str, tmp_path: Path, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A round under the worker against the same call in a bare script, alternating: ratio <= 1.02."""
    source = random.Random(1)
    names = {"strategy": strategy, "client": client}
    profile = Profile("20ms", Fixed(0.020))
    folder = tmp_path / "bare"
    folder.mkdir()
    with (
        running_server(ServerSettings(profile)) as server,
        side(BARE.format(**names), server.base_url, str(folder)) as bare,
        side(HARNESS.format(**names), server.base_url, str(tmp_path), str(reference)) as harness,
    ):
        samples: dict[Side, list[float]] = {bare: [], harness: []}
        for _ in range(3):
            bare.round_s()
            harness.round_s()
        for _ in range(PAIRS):
            for each in source.sample([bare, harness], 2):
                samples[each].append(each.round_s())
        ratio = compare_cases(samples[bare], samples[harness]).ratio
    with capsys.disabled():
        print(
            f"\n{strategy} x {client}: harness / bare = {ratio.estimate:.4f}"
            f" (95% {ratio.low:.4f} to {ratio.high:.4f}, {PAIRS} pairs)"
        )
    assert ratio.estimate <= 1.02


@pytest.mark.parametrize(
    ("strategy", "client", "pairs"),
    [
        ("sequential", "urllib3", 100),
        ("threadpool_map", "requests", 800),
        ("processpool_map", "requests", 200),
        ("asyncio_gather", "aiohttp", 800),
    ],
)
def test_the_probes_cost_nothing_of_what_is_timed(  # noqa: PLR0913, PLR0917  fixtures
    strategy: str,
    client: str,
    pairs: int,
    tmp_path: Path,
    reference: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rounds of one worker with all probes that run within them, and without, in turn: ratio <= 1.01.

    One worker, since two of them differ by more than the probes cost. Memory, threads and descriptors are
    sampled in the warm-up only, from outside.
    """
    source = random.Random(1)
    script = HARNESS.format(strategy=strategy, client=client)
    kinds: list[tuple[str, ...]] = [(), WORKER_PROBES]
    pinning = assign_cores(usable_cores())
    with ExitStack() as stack:
        with restrict_to(pinning.server):
            server = stack.enter_context(running_server(ServerSettings(Profile("20ms", Fixed(0.020)))))
        with restrict_to(pinning.worker):
            worker = stack.enter_context(side(script, server.base_url, str(tmp_path), str(reference)))
        samples: dict[tuple[str, ...], list[float]] = {kind: [] for kind in kinds}
        for _ in range(3):
            for kind in kinds:
                worker.round_s(*kind)
        for _ in range(pairs):
            for kind in source.sample(kinds, 2):
                samples[kind].append(worker.round_s(*kind))
        ratio = compare_cases(samples[()], samples[WORKER_PROBES]).ratio
    with capsys.disabled():
        print(
            f"\n{strategy} x {client}: with probes / without = {ratio.estimate:.4f}"
            f" (95% {ratio.low:.4f} to {ratio.high:.4f}, {pairs} pairs)"
        )
    assert ratio.estimate <= 1.01


def test_a_good_client_is_near_the_ideal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1,000 fetches of 20 ms by 20 workers of asyncio_gather with aiohttp: elapsed / ideal <= 1.12."""
    settings = {
        "countries": {"codes": ["BD", "BR", "CN", "ID", "IN", "JP", "NG", "PK", "RU", "US"], "repeat": 100},
        "workers": 20,
        "clients": ["aiohttp"],
        "strategies": ["asyncio_gather"],
        "profile": {"latency": "20ms"},
        "blocks": 5,
        "rounds": 2,
    }
    (config := tmp_path / "near.yaml").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "bench", "run", str(config), "--out", str(tmp_path / "run"), "--quiet"]
    subprocess.run(command, stdout=subprocess.PIPE, check=True)
    stored = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    rounds = [round_ for trial in stored["trials"] if trial["outcome"] == "ok" for round_ in trial["rounds"]]
    ratios = sorted(round_["elapsed_s"] / round_["ideal_s"] for round_ in rounds)
    with capsys.disabled():
        print(
            f"\nasyncio_gather x aiohttp, 20 workers: elapsed / ideal = {median(ratios):.3f} "
            f"({ratios[0]:.3f} to {ratios[-1]:.3f}, {len(ratios)} rounds); expected: at most 1.12"
        )
    assert median(ratios) <= 1.12


@pytest.mark.parametrize(
    ("strategy", "client"),
    [("threadpool_map", "urllib3"), ("asyncio_gather", "aiohttp"), ("sequential", "urllib3")],
)
def test_100_000_fetches_in_one_trial_fit_into_300_mb(
    strategy: str, client: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runner and worker together, at the worst moment, in resident memory."""
    settings = {
        "countries": {"codes": "all", "limit": 100, "repeat": 1000},
        "workers": 20,
        "clients": [client],
        "strategies": [strategy],
        "blocks": 1,
        "rounds": 1,
        "deadline": "10m",
    }
    config = tmp_path / "large.yaml"
    config.write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "bench", "run", str(config), "--out", str(tmp_path / "run"), "--quiet"]
    peak: dict[str, float] = {"together": 0.0}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        while run.poll() is None:
            seen = {"runner": _rss_mb(run.pid), **_workers_mb(run.pid)}
            if sum(seen.values()) > peak["together"]:
                peak = {"together": sum(seen.values()), **seen}
            time.sleep(0.05)
    stored = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    (trial,) = stored["trials"]
    with capsys.disabled():
        figures = ", ".join(f"{name} {value:.0f} MB" for name, value in peak.items())
        print(f"\n{strategy} x {client}, 100,000 fetches: {figures}")
    assert trial["rounds"][0]["verified"] == 100_000
    assert peak["together"] < 300


def _workers_mb(runner: int) -> dict[str, float]:
    workers = [pid for pid in descendants(runner) if b"bench.worker" in _read(pid, "cmdline")]
    return {"worker": sum(_rss_mb(pid) for pid in workers)}


def _rss_mb(pid: int) -> float:
    for line in _read(pid, "status").splitlines():
        if line.startswith(b"VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
