"""The cluster of ``--on``: an address here, or a file with the rules of the config key ``scheduler``."""

from pathlib import Path

import pytest

from bench.config.cluster_file import read_cluster
from bench.errors import ConfigError, UsageError
from bench.model.scheduler import Scheduler


def test_an_address_of_this_machine_needs_no_file() -> None:
    assert read_cluster("tcp://127.0.0.1:8786") == Scheduler("tcp://127.0.0.1:8786")


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "tls://127.0.0.1:8786"])
def test_other_machines_and_encryption_need_a_file(address: str) -> None:
    with pytest.raises(UsageError, match=r"is not a loopback address; .*--on cluster\.yaml"):
        read_cluster(address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1", "http://127.0.0.1:80", "tcp://a@b:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="--on must be"):
        read_cluster(address)


def test_a_file_has_certificates_relative_to_itself(tmp_path: Path) -> None:
    for name in ("ca.pem", "own.pem", "key.pem"):
        (tmp_path / name).touch()
    file = tmp_path / "cluster.yaml"
    file.write_text(
        "scheduler:\n  address: tls://10.0.0.1:8786\n  authority: ca.pem\n  certificate: own.pem\n"
        "  private_key: key.pem\n"
    )
    paths = [str(tmp_path / name) for name in ("ca.pem", "own.pem", "key.pem")]
    assert read_cluster(str(file)) == Scheduler("tls://10.0.0.1:8786", *paths)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scheduler: tcp://10.0.0.1:8786", "insecure: true"),
        ("scheduler: {address: 'tls://10.0.0.1:8786'}", "needs authority, certificate and private_key"),
        ("scheduler: {adress: x}", "scheduler.address: is missing"),
        ("blocks: 3", "scheduler: is missing"),
    ],
)
def test_a_file_has_the_checks_of_a_config(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_cluster(str(file))
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")


def test_the_embedded_cluster_is_none(tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text("scheduler: embedded")
    with pytest.raises(UsageError, match="names no cluster"):
        read_cluster(str(file))
