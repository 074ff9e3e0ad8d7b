"""Tests of the tables of a machine's noise: at 80 and 160 columns, and as Markdown."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion

from bench.report.markdown import tables_to_markdown
from bench.report.noise_table import (
    gate_held_text,
    gate_refused_text,
    noise_conclusion,
    noise_summary,
    noise_tables,
)
from bench.report.number_format import format_small_percent
from bench.stats.intervals import Interval
from bench.stats.noise import CaseNoise, Gate, Noise, case_noise
from bench.storage.noise import NoiseRecord
from bench.system.noise_advice import UNREADABLE, Advice
from tests.rendering import printed

ADVICE = (
    Advice("frequency governor", "powersave", "/sys/governor", "sudo cpupower frequency-set -g performance"),
    Advice("turbo", "on", "/sys/devices/system/cpu/intel_pstate/no_turbo",
           "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"),
    Advice("SMT siblings", UNREADABLE, "/sys/devices/system/cpu/smt/active", ""),
    Advice("load", "0.31 on 2 cores", "/proc/loadavg", ""),
    Advice("used by others", "0.082 cores", "/proc/stat", "end what else runs; `top` names it"),
)  # fmt: skip


def noisy(case: str, sigma: float, drift: float = 0.0, blocks: int = 20) -> CaseNoise:
    """Compute the noise of two simulated variants that drift together."""
    source = np.random.default_rng(1)
    level = 0.2 * np.exp(drift * np.linspace(0, 1, blocks))
    first, second = (dict(enumerate(map(float, level * source.lognormal(0, sigma, blocks)))) for _ in "ab")
    return case_noise(case, first, second)


def record(*cases: CaseNoise, unmeasured: tuple[str, ...] = ()) -> NoiseRecord:
    """Build the stored noise of a machine."""
    run = "noise-20260102-030405"
    noise = Noise(cases, unmeasured)
    return NoiseRecord("0123456789ab" + "c" * 52, "2026-01-02T03:04:05+00:00", run, "noise", noise, ADVICE)


@cache
def waiting() -> CaseNoise:
    """Compute the noise of a case that mostly waits."""
    return noisy("asyncio_gather/aiohttp/20/20ms", 0.01)


@cache
def working() -> CaseNoise:
    """Compute the noise of a case that mostly works, on a machine that became slower meanwhile."""
    return noisy("sequential/requests/1/local", 0.06, drift=0.4)


def full() -> NoiseRecord:
    """Build the noise of both, and of a case that was not measured."""
    return record(working(), waiting(), unmeasured=("processpool_map/requests/5/local",))


@pytest.mark.parametrize("width", [80, 160])
def test_noise_matches_its_snapshot(width: int, snapshot: SnapshotAssertion) -> None:
    """Read the snapshot when it changes: it is what a user sees."""
    assert printed(noise_tables(full()), width) == snapshot


def test_noise_as_markdown_matches_its_snapshot(snapshot: SnapshotAssertion) -> None:
    assert tables_to_markdown(noise_tables(full())) == snapshot


@pytest.mark.parametrize("width", [80, 160])
def test_no_line_is_wrapped_or_cut(width: int) -> None:
    """With the longest names there are, and as many cases as take several tables."""
    long = "threadpool_as_completed/requests/200/lognormal-50ms-300ms/close"
    text = printed(noise_tables(record(*(replace(waiting(), case=long) for _ in range(7)))), width)
    lines = text.splitlines()
    assert "…" not in text
    assert max(map(len, lines)) <= width
    assert sum(line.count("threadpool_as_completed") for line in lines if "/" not in line) == 7
    assert sum(line.startswith("noise floor") for line in lines) == (7 if width == 80 else 2)


@pytest.mark.parametrize("width", [80, 160])
def test_every_remedy_is_on_a_line_of_its_own(width: int) -> None:
    """So it can be copied."""
    lines = printed(noise_tables(full()), width).splitlines()
    for each in ADVICE:
        assert any(line.rstrip().endswith(each.remedy or each.source) for line in lines)
        assert any(each.what in line and each.value in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_summary_begins_with_the_verdict_and_fits(width: int) -> None:
    lines = printed(noise_summary(full(), "runs/noise/table.md"), width).splitlines()
    assert lines[2].startswith("With ")
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24
    text = " ".join(" ".join(lines).split())
    assert "Every figure and 3 hints on how to make this machine quieter: runs/noise/table.md" in text
    for case in full().noise.cases:
        assert case.case in text


def test_conclusion_names_the_quietest_and_the_noisiest_case() -> None:
    said = noise_conclusion(full().noise)
    shown = [format_small_percent(case.detectable[1].slowdown) for case in (waiting(), working())]
    assert f"from {shown[0]} ({waiting().case}) to {shown[1]} ({working().case})" in said
    assert "known from 20 pairs, so each is good to 16% of itself" in said
    assert f"The level of {working().case} moved during the run" in said


def test_conclusion_without_drift_promises_nothing() -> None:
    said = noise_conclusion(Noise((waiting(),), ()))
    assert said.count(waiting().case) == 1
    assert "No drift of the level was found" in said


def test_autocorrelation_counts_as_a_moved_level() -> None:
    """The level may have gone up and down again."""
    wandering = replace(waiting(), drift=Interval(0.0, -0.1, 0.1), autocorrelation=0.5)
    assert "moved during the run" in noise_conclusion(Noise((wandering,), ()))


def test_text_on_a_held_gate_says_how_that_is_known() -> None:
    assert gate_held_text(Gate(0.03, 64, needed=20, shown=0.01), full()) == (
        "a gate of 3.0% can be held: it takes 20 of 64 blocks, "
        "as measured 2026-01-02 with noise from 20 pairs, good to ±16% at best"
    )


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (Gate(0.005, 64, 249, 0.009874), ("0.5%", "249", "64", "0.988% at the least")),
        (Gate(0.03941, 13, 17, 0.03942), ("3.941%", "17", "13", "3.95% at the least")),
        (Gate(0.5, 3, 1200, None), ("50%", "1,200", "3", "nothing")),
        (Gate(0.5, 6, 12, 12.341), ("50%", "12", "6", "1240% at the least")),
    ],
)  # fmt: skip
def test_text_on_a_refused_gate_says_how_many_blocks_it_takes(gate: Gate, words: tuple[str, ...]) -> None:
    """The slow-down that its blocks show is rounded up, so that it always reads as more than the gate."""
    threshold, needed, blocks, shown = words
    assert gate_refused_text(gate) == (
        f"a gate of {threshold} takes {needed} blocks on this machine and has {blocks}, which show {shown}"
    )


def test_noise_without_a_measured_case_says_so() -> None:
    nothing = record(unmeasured=("it/requests/1/local",))
    for text in (printed(noise_tables(nothing), 80), tables_to_markdown(noise_tables(nothing))):
        assert "it/requests/1/local: too few blocks in which both sides succeeded" in text
        assert "Nothing is known of this machine's noise" in " ".join(text.split())
        assert "noise floor" not in text
