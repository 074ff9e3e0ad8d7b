"""The costs of batches on a cluster: what is added up in a round, and what the kernel knows."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from bench.api import Fetch, Job
from bench.api.batches import BatchCosts, ClusterCosts, Costs, least_round_trip_s
from bench.api.cluster import Batch, ClusterError, pack, unpack
from bench.api.job import ClusterSettings


class Comm:
    """A connection of dask, as far as it is looked at."""

    def __init__(self, connected: object) -> None:
        self.stream = type("Stream", (), {"socket": connected})()


def test_the_machine_that_took_longest_counts_with_all_its_batches() -> None:
    costs = Costs()
    costs.add_sent(100, 0.25)
    costs.add_sent(120, 0.25)
    costs.add_returned(BatchCosts("a", 5.0, 0.5, 0.125), 1_000, 0.125)
    costs.add_returned(BatchCosts("b", 3.0, 0.25, 0.0625), 2_000, 0.125)
    costs.add_returned(BatchCosts("b", 4.0, 0.25, 0.0625), 3_000, 0.25)
    assert costs.take(0.5) == ClusterCosts(
        machines_s=7.0 - 0.5,
        packing_s=0.5 + 0.5 + 0.5,
        network_s=0.5625,
        sent_bytes=220,
        returned_bytes=6_000,
    )


def test_what_was_taken_is_forgotten() -> None:
    costs = Costs()
    assert costs.take(0.0) is None
    costs.add_sent(10, 0.0)
    costs.add_returned(BatchCosts("a", 1.0, 0.0, 0.0), 10, 0.0)
    before = costs.has_batches
    assert costs.take(0.0) is not None
    assert (before, costs.has_batches) == (True, False)


def test_network_is_unknown_if_one_of_its_halves_is() -> None:
    for there_s, here_s in ((None, 0.5), (0.5, None)):
        costs = Costs()
        costs.add_returned(BatchCosts("a", 1.0, 0.0, there_s), 10, 0.0)
        taken = costs.take(here_s)
        assert taken is not None
        assert taken.network_s is None


def test_kernel_tells_the_shortest_round_trip_of_a_real_connection() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as near,
        listener.accept()[0] as far,
    ):
        near.sendall(b"question")
        far.sendall(far.recv(100))
        assert near.recv(100) == b"question"
        found = least_round_trip_s(Comm(near))
    assert found is not None
    assert 0 < found < 0.1


def test_round_trip_of_anything_else_is_unknown() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert least_round_trip_s(Comm(one)) is None
    assert least_round_trip_s(None) is None


def a_job(folder: Path, **changes: Any) -> Job:
    settings = ClusterSettings("tcp://127.0.0.1:1")
    return Job(("BR", "CN"), 2, "http://127.0.0.1", folder, "requests", cluster=settings)._replace(**changes)


def fetched(country: str, body: bytes) -> Fetch:
    return Fetch(country, 100.0, 100.5, 200, len(body), "ok", "", 100.25, crc32(body))


def test_flag_that_is_not_on_its_machine_as_it_was_received_has_no_checksum(tmp_path: Path) -> None:
    """What has no checksum is not verified: so a strategy that saves nothing, or garbage, fails."""
    (tmp_path / "br.gif").write_bytes(b"brazil")
    (tmp_path / "cn.gif").write_bytes(b"garbage")
    asked = [("BR", b"brazil"), ("CN", b"china"), ("IN", b"india")]
    batch = pack(a_job(tmp_path), [fetched(*each) for each in asked])
    assert [each.checksum for each in batch.fetches] == [crc32(b"brazil"), None, None]
    assert batch.files == {}


def test_file_of_a_flag_that_was_fetched_twice_is_that_of_one_of_its_fetches(tmp_path: Path) -> None:
    """A fault may have made the other one wrong, which its own checksum shows."""
    (tmp_path / "br.gif").write_bytes(b"brazil")
    batch = pack(a_job(tmp_path), [fetched("BR", b"wrong!"), fetched("BR", b"brazil")])
    assert [each.checksum for each in batch.fetches] == [crc32(b"wrong!"), crc32(b"brazil")]


def test_only_durations_come_back_from_another_cluster(tmp_path: Path) -> None:
    (tmp_path / "br.gif").write_bytes(b"brazil")
    (there,) = pack(a_job(tmp_path), [fetched("BR", b"brazil")]).fetches
    assert (there.start_s, there.answered_s, there.end_s) == (0.0, 0.25, 0.5)
    (here,) = pack(a_job(tmp_path, cluster=ClusterSettings()), [fetched("BR", b"brazil")]).fetches
    assert here == fetched("BR", b"brazil")


@pytest.mark.parametrize("name", ["../br.gif", "/br.gif", "in.gif", "br.gif/x", ""])
def test_file_that_is_no_flag_of_the_batch_is_refused(name: str, tmp_path: Path) -> None:
    """Whoever runs code for us may do worse, but not by a file name."""
    with pytest.raises(ClusterError, match="is no flag of its batch"):
        unpack(a_job(tmp_path), Batch([], {"br.gif": b"x", name: b"x"}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_defaults_of_dask_survive_the_question_what_machines_have() -> None:
    """Settings that are given before dask's own are loaded would take these with them in the end."""
    program = (
        "from bench.api.cluster import describe_machines\n"
        "from bench.api.job import ClusterSettings\n"
        "try:\n    describe_machines(ClusterSettings('tcp://127.0.0.1:1'), ())\n"
        "except OSError:\n    pass\n"
        "import dask\n"
        "assert dask.config.get('distributed.client.heartbeat')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2], timeout=60)
