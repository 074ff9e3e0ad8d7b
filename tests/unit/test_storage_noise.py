"""Check the stored noise of a machine: read back as written, or refused with its path."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bench.errors import SetupError, UnreadableResultError
from bench.stats.noise import Noise, case_noise
from bench.storage.noise import NoiseRecord, load_noise, noise_file, save_noise
from bench.system.noise_advice import Advice

HERE = "0123456789ab" + "c" * 52


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@cache
def record() -> NoiseRecord:
    """Build the noise of a machine with one case and one piece of advice."""
    first = {block: 0.1 + 0.001 * (block % 3) for block in range(8)}
    second = {block: 0.1 + 0.001 * (block % 2) for block in range(8)}
    return NoiseRecord(
        fingerprint=HERE,
        measured="2026-01-02T03:04:05+00:00",
        run="noise-20260102-030405",
        config="noise",
        noise=Noise((case_noise("it/requests/1/local", first, second),), ("lost/-/1/local",)),
        advice=(Advice("turbo", "on", "/sys/boost", "switch it off"),),
    )


def test_noise_is_read_as_it_was_written() -> None:
    path = save_noise(record())
    assert path == Path("results/noise/0123456789ab.json")
    assert json.loads(path.read_text("utf-8"))["schema"] == 1
    assert load_noise(HERE) == record()


def test_new_noise_replaces_the_last_and_leaves_no_draft() -> None:
    save_noise(record())
    later = replace(record(), run="later")
    path = save_noise(later)
    assert load_noise(HERE) == later
    assert list(path.parent.iterdir()) == [path]


def test_machine_that_was_never_measured_has_no_noise() -> None:
    assert load_noise(HERE) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 2}, "not of schema 1"),
        ({"fingerprint": "0123456789ab" + "d" * 52}, "of another machine, 0123456789ab"),
        ({"noise": {"cases": [], "unmeasured": []}}, "a case without pairs, or no case"),
        ({"measured": 5}, "noise.measured: unexpected '5'"),
        ({"extra": 1}, "missing or unexpected: extra"),
    ],
)
def test_record_of_another_machine_or_version_is_refused(changes: dict[str, object], said: str) -> None:
    path = save_noise(record())
    damaged = json.dumps(json.loads(path.read_text("utf-8")) | changes)
    path.write_text(damaged, encoding="utf-8")
    with pytest.raises(UnreadableResultError) as caught:
        load_noise(HERE)
    assert caught.value.what.startswith(f"{path}: ")
    assert said in caught.value.what
    assert path.read_text("utf-8") == damaged


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 1}', '{"schema": NaN}'])
def test_file_that_is_not_a_record_is_refused(text: str) -> None:
    path = save_noise(record())
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableResultError, match=str(path)):
        load_noise(HERE)


def test_folder_that_cannot_be_created_is_a_setup_error() -> None:
    noise_file(HERE).parent.parent.mkdir(parents=True)
    noise_file(HERE).parent.touch()
    with pytest.raises(SetupError, match="cannot keep the noise in results/noise"):
        save_noise(record())
