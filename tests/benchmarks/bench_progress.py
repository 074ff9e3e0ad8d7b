"""Measure what the live table costs: the time of a drawing, between trials, and of rounds while it is shown.

On a quiet machine: ``make benchmarks``.
"""

import io
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final

import pytest
from rich.console import Console

from bench.model.cases import Experiment
from bench.report.progress import LiveProgress, live_drawing
from bench.report.progress_state import RunProgress
from bench.stats.pairwise import compare_samples
from bench.storage.run_folder import load_run
from tests.builders import case, trials
from tests.runs import ROOT, config
from tests.terminals import bare_terminal

pytestmark = pytest.mark.timeout(900)

PAIRS: Final = 12
DRAWINGS: Final = 40


@pytest.mark.parametrize("cases", [6, 60])
def test_a_drawing_takes_milliseconds(cases: int, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(file=io.StringIO(), width=200, height=50, force_terminal=True)
    measured = [case(f"strategy_{number}") for number in range(cases)]
    took_s = []
    with live_drawing(console) as live:
        progress = LiveProgress(live, RunProgress(time.monotonic))
        progress.run_started(Experiment("x", tuple(measured), {}, DRAWINGS, None, 60, 10, 1), (), {})
        for block in range(DRAWINGS):
            for each in measured:
                progress.trial_ended(trials(each, [0.1 + block / 1000] * (block + 1))[block])
            start_s = time.perf_counter()
            progress.trial_started(measured[0].id, block)
            took_s.append(time.perf_counter() - start_s)
    with capsys.disabled():
        print(
            f"\na drawing of {cases} cases: {median(took_s) * 1000:.1f} ms, "
            f"at most {max(took_s) * 1000:.1f} ms"
        )
    assert median(took_s) < 0.1


def test_the_live_table_costs_the_timed_rounds_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same case, in turns with the table on a terminal and with --quiet: the ratio of the rounds."""
    file = config(tmp_path, ["asyncio_gather"], clients=["aiohttp"], workers=[20], blocks=6, rounds=3)
    shown, quiet = {}, {}
    for pair in range(PAIRS):
        shown[pair] = _typical_s(file, tmp_path / f"shown-{pair}", is_quiet=False)
        quiet[pair] = _typical_s(file, tmp_path / f"quiet-{pair}", is_quiet=True)
    compared = compare_samples(quiet, shown)
    assert compared is not None
    ratio = compared.ratio
    with capsys.disabled():
        print(
            f"\nrounds with the live table: {ratio.estimate:.3f} times those without "
            f"({ratio.low} to {ratio.high})"
        )
    assert ratio.low is None or ratio.low < 1.01


def _typical_s(file: Path, out: Path, *, is_quiet: bool) -> float:
    words = [
        sys.executable,
        "-m",
        "bench",
        "run",
        str(file),
        "--out",
        str(out),
        *(["--quiet"] if is_quiet else []),
    ]
    with bare_terminal() as terminal:
        subprocess.run(
            words, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=terminal.descriptor, timeout=300
        )
    return median(each.elapsed_s for trial in load_run(out).trials for each in trial.rounds)
