"""Which targets are on this machine, and which need a rate and permission."""

import json
import socket
from pathlib import Path

import pytest

from bench.app.select import load_experiment
from bench.errors import SetupError, UsageError
from bench.system.addresses import find_remote_address, is_loopback
from tests.program import call


def config_of(folder: Path, url: str, rate: str | None = None) -> str:
    """Write a config of a target."""
    target = {"url": url, "files": ["a"], **({"rate": rate} if rate else {})}
    file = folder / "c.yaml"
    file.write_text(json.dumps({"strategies": ["sequential"], "target": target}))
    return str(file)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_loopback_addresses_are_on_this_machine(address: str) -> None:
    assert is_loopback(address)
    assert find_remote_address(address, 80) is None


@pytest.mark.parametrize(
    "address",
    ["192.0.2.1", "0.0.0.0", "10.0.0.1", "::", "fe80::1%1", "2001:db8::1", "::ffff:192.0.2.1"],  # noqa: S104
)
def test_other_addresses_are_remote(address: str) -> None:
    assert not is_loopback(address)


def test_name_is_remote_if_one_of_its_addresses_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        assert (host, port) == ("half.example", 80)
        return [(2, 1, 6, "", ("127.0.0.1", 80)), (2, 1, 6, "", ("192.0.2.7", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert find_remote_address("half.example", 80) == "192.0.2.7"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/", "http://localhost/", "https://[::1]/", "http://2130706433/"]
)
def test_target_on_this_machine_needs_no_rate(tmp_path: Path, url: str) -> None:
    target = load_experiment(config_of(tmp_path, url)).target
    assert target is not None
    assert not target.is_remote


def test_remote_target_is_never_asked_in_an_open_loop(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    target = {"url": "http://192.0.2.1/", "files": ["a"]}
    file.write_text(json.dumps({"strategies": ["sequential"], "target": target, "rate": 50}))
    for allowed in (False, True):
        with pytest.raises(UsageError, match=r"an open loop keeps no limit"):
            load_experiment(str(file), allow_remote=allowed)


def test_remote_target_needs_a_rate_and_permission(tmp_path: Path) -> None:
    without_rate = config_of(tmp_path, "http://192.0.2.1/")
    for allowed in (False, True):
        with pytest.raises(UsageError, match=r"no loopback address, and the target has no rate"):
            load_experiment(without_rate, allow_remote=allowed)
    with_rate = config_of(tmp_path, "http://192.0.2.1/", "50/s")
    with pytest.raises(UsageError, match="give --allow-remote"):
        load_experiment(with_rate)
    target = load_experiment(with_rate, allow_remote=True).target
    assert target is not None
    assert target.is_remote


def test_name_that_is_not_resolved_is_an_error_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(SetupError, match=r"nowhere\.invalid cannot be resolved: .*Name or service not known"):
        load_experiment(config_of(tmp_path, "http://nowhere.invalid/"))


@pytest.mark.parametrize("words", [["run"], ["ab", "main"], ["gate"]])
def test_commands_that_send_requests_refuse_a_remote_target(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    config = config_of(tmp_path, "http://192.0.2.1/", "50/s")
    variants = ["main"] if words[0] == "ab" else []
    assert call(monkeypatch, *words, *variants, config) == 2
    assert "192.0.2.1 is no loopback address; give --allow-remote" in capsys.readouterr().err


def test_check_sends_nothing_and_needs_no_permission(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(monkeypatch, "check", config_of(tmp_path, "http://192.0.2.1/", "50/s")) == 0
    printed = capsys.readouterr().out
    assert "how long http://192.0.2.1 takes is not known" in printed
    assert "ideal" not in printed
    assert call(monkeypatch, "check", config_of(tmp_path, "http://192.0.2.1/")) == 2


def test_noise_is_not_measured_with_a_target(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(monkeypatch, "noise", config_of(tmp_path, "http://192.0.2.1/", "50/s")) == 2
    assert "the noise of this machine cannot be measured with http://192.0.2.1" in capsys.readouterr().err
