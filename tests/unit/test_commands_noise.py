"""Asking what is known of a machine's noise, and the warnings before a run; nothing is measured."""

from pathlib import Path

import numpy as np
import pytest

from bench.stats.noise import Noise, case_noise
from bench.storage.noise import NoiseRecord, save_noise
from bench.system.environment import machine_fingerprint
from bench.system.machine import Figure, Machine, Setting
from tests.program import call


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def known() -> Path:
    """Keep 2 % of noise of this machine, and return where."""
    source = np.random.default_rng(1)
    first, second = (dict(enumerate(map(float, source.lognormal(-2, 0.02 / 2**0.5, 20)))) for _ in "ab")
    noise = Noise((case_noise("it/requests/1/local", first, second),), ())
    return save_noise(
        NoiseRecord(machine_fingerprint(), "2026-01-02T03:04:05+00:00", "run", "noise", noise, ())
    )


@pytest.mark.usefixtures("known")
def test_a_gate_that_this_machine_can_hold_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the blocks that it takes; 64 are what a gate has if nobody says."""
    assert call(monkeypatch, "noise", "--gate", "10%") == 0
    assert capsys.readouterr().out == (
        "a gate of 10% can be held: it takes 6 of 64 blocks, "
        "as measured 2026-01-02 with noise from 20 pairs, good to ±16% at best\n"
    )
    assert call(monkeypatch, "noise", "--gate", "3%", "--blocks", "40") == 0
    assert "of 40 blocks" in capsys.readouterr().out


@pytest.mark.usefixtures("known")
def test_a_gate_below_the_noise_is_an_error_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how many blocks it would take."""
    assert call(monkeypatch, "noise", "--gate", "0.5%") == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error[environment]: a gate of 0.5% takes ")
    assert "blocks on this machine and has 64, which show" in captured.err


def test_a_gate_on_a_machine_of_which_nothing_is_known_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that changes that."""
    assert call(monkeypatch, "noise", "--gate", "3%") == 4
    assert "measure it with `flagbench noise`" in capsys.readouterr().err


def test_noise_that_cannot_be_read_is_named_with_its_path(
    known: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And left as it is."""
    known.write_text("{", encoding="utf-8")
    assert call(monkeypatch, "noise", "--gate", "3%") == 5
    assert f"error[results]: {known}" in capsys.readouterr().err


def test_a_config_that_would_end_early_is_run_whole_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr; not with ``--quiet``, nor where ``--blocks`` says how many there are."""
    config = tmp_path / "mine.yaml"
    config.write_text(
        "strategies: [sequential]\nprecision: 3%\nblocks: {min: 6, max: 12}\n", encoding="utf-8"
    )
    monkeypatch.setattr("bench.app.execute.run_blocks", lambda *_: None)
    note = "note: Precision and budget do not count here: all 12 blocks are run, each case twice in each.\n"
    call(monkeypatch, "noise", str(config))
    assert note in capsys.readouterr().err
    for words in (["--quiet"], ["--blocks", "8"]):
        call(monkeypatch, "noise", str(config), *words)
        assert "Precision and budget" not in capsys.readouterr().err


def test_a_run_warns_of_what_makes_timings_vary_before_it_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr; not with ``--quiet``."""
    nothing = Setting(None, "")
    unknown = Figure(None, "")
    loud = Machine(unknown, Setting("powersave", "f"), nothing, nothing, unknown, unknown, unknown)
    monkeypatch.setattr("bench.app.execute.read_machine", lambda: loud)
    monkeypatch.setattr("bench.app.execute.run_blocks", lambda *_: None)
    call(monkeypatch, "run", "ci")
    warned = "warning: frequency governor: powersave; sudo cpupower frequency-set -g performance\n"
    assert warned in capsys.readouterr().err
    call(monkeypatch, "run", "ci", "--quiet")
    assert "warning" not in capsys.readouterr().err
