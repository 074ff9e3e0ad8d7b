"""``noise --gate``, and notes and warnings before a run, without measuring."""

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
    """Store a noise of 2 % for this machine, and return the file."""
    source = np.random.default_rng(1)
    first, second = (dict(enumerate(map(float, source.lognormal(-2, 0.02 / 2**0.5, 20)))) for _ in "ab")
    noise = Noise((case_noise("it/requests/1/local", first, second),), ())
    return save_noise(
        NoiseRecord(machine_fingerprint(), "2026-01-02T03:04:05+00:00", "run", "noise", noise, ())
    )


@pytest.mark.usefixtures("known")
def test_gate_above_the_noise_is_confirmed_with_the_blocks_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "noise", "--gate", "10%") == 0
    assert capsys.readouterr().out == (
        "a gate of 10% can be held: it takes 6 of 64 blocks, "
        "as measured 2026-01-02 with noise from 20 pairs, good to ±16% at best\n"
    )
    assert call(monkeypatch, "noise", "--gate", "3%", "--blocks", "40") == 0
    assert "of 40 blocks" in capsys.readouterr().out


@pytest.mark.usefixtures("known")
def test_gate_below_the_noise_is_refused_with_the_blocks_it_would_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "noise", "--gate", "0.5%") == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error[environment]: a gate of 0.5% takes ")
    assert "blocks on this machine and has 64, which show" in captured.err


def test_gate_on_a_machine_with_unknown_noise_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "noise", "--gate", "3%") == 4
    assert "measure it with `flagbench noise`" in capsys.readouterr().err


def test_unreadable_noise_file_is_named_with_its_path(
    known: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known.write_text("{", encoding="utf-8")
    assert call(monkeypatch, "noise", "--gate", "3%") == 5
    assert f"error[results]: {known}" in capsys.readouterr().err


def test_ignored_precision_and_budget_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The note is on stderr, also with ``--quiet``; not with ``--blocks``."""
    config = tmp_path / "mine.yaml"
    config.write_text(
        "strategies: [sequential]\nprecision: 3%\nblocks: {min: 6, max: 12}\n", encoding="utf-8"
    )
    monkeypatch.setattr("bench.app.execute.run_blocks", lambda *_: None)
    monkeypatch.setattr("bench.app.execute.forecast_run", lambda *_: ())
    note = "note: `precision` and `budget` are ignored: all 12 blocks are run, each case twice in each.\n"
    for words in ([], ["--quiet"]):
        call(monkeypatch, "noise", str(config), *words)
        assert note in capsys.readouterr().err
    call(monkeypatch, "noise", str(config), "--blocks", "8")
    assert "`precision` and `budget`" not in capsys.readouterr().err


def test_noisy_machine_is_warned_of_before_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The warning is on stderr, also with ``--quiet``."""
    nothing = Setting(None, "")
    unknown = Figure(None, "")
    loud = Machine(unknown, Setting("powersave", "f"), nothing, nothing, unknown, unknown, unknown)
    monkeypatch.setattr("bench.app.execute.read_machine", lambda: loud)
    monkeypatch.setattr("bench.app.execute.run_blocks", lambda *_: None)
    monkeypatch.setattr("bench.app.execute.forecast_run", lambda *_: ())
    warned = "warning: frequency governor: powersave (f); sudo cpupower frequency-set -g performance\n"
    for words in ([], ["--quiet"]):
        call(monkeypatch, "run", "ci", *words)
        assert warned in capsys.readouterr().err
