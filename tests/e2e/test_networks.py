"""Networks of namespaces: their hosts, delays and partitions, what is left of them, and shifted clocks."""

import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from tests.networks import (
    Host,
    NetworkError,
    missing_for_delays,
    missing_for_networks,
    missing_for_shifted_clocks,
    network,
    with_shifted_clock,
)
from tests.runs import ROOT, alive, wait_until

pytestmark = [pytest.mark.e2e]

needs_networks = pytest.mark.skipif(missing_for_networks() is not None, reason=f"{missing_for_networks()}")
needs_delays = pytest.mark.skipif(missing_for_delays() is not None, reason=f"{missing_for_delays()}")
needs_shifts = pytest.mark.skipif(
    missing_for_shifted_clocks() is not None, reason=f"{missing_for_shifted_clocks()}"
)

TALKER = """
import socket, sys, threading
address, *port = sys.argv[1:]
if port:
    connection = socket.create_connection((address, int(port[0])))
else:
    listener = socket.create_server((address, 0))
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
print(connection.getpeername()[0], flush=True)
def send():
    for line in sys.stdin:
        connection.sendall(line.encode())
threading.Thread(target=send, daemon=True).start()
for line in connection.makefile():
    print(line, end="", flush=True)
print("closed", flush=True)
"""
"""Connects to a port, or waits for a connection; then it sends its input, and prints what it gets."""

ECHO = """
import socket, sys
with socket.create_server((sys.argv[1], 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        with listener.accept()[0] as connection:
            while got := connection.recv(1):
                connection.sendall(got)
"""
ROUND_TRIPS = """
import socket, sys, time
took = []
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    for _ in range(5):
        began_s = time.perf_counter()
        connection.sendall(b"?")
        connection.recv(1)
        took.append(time.perf_counter() - began_s)
print(min(took))
"""
COUNT = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as got:
    got.bind((sys.argv[1], 0))
    print(got.getsockname()[1], flush=True)
    counted = 0
    while got.recv(10) != b"end":
        counted += 1
print(counted)
"""
SEND = """
import socket, sys, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    for number in range(340):
        time.sleep(0.001)
        sender.sendto(b"end" if number >= 300 else b"?", (sys.argv[1], int(sys.argv[2])))
"""
CONNECT = """
import socket, sys
with socket.socket() as connection:
    connection.settimeout(float(sys.argv[3]))
    try:
        connection.connect((sys.argv[1], int(sys.argv[2])))
    except OSError as error:
        print(repr(error))
    else:
        print("connected")
"""
STAYS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if not os.fork():
    os.setsid()
    print(os.getppid(), os.getpid(), flush=True)
time.sleep(600)
"""
OURS = {"bridge", "port1", "port2", "eth0"}
"""All interfaces of a network with two hosts."""
CLOCK = "import time; print(time.perf_counter())"
REASONS = """
import json
from tests.networks import missing_for_delays, missing_for_networks, missing_for_shifted_clocks
print(json.dumps([missing_for_networks(), missing_for_delays(), missing_for_shifted_clocks()]))
"""


class MishapError(Exception):
    """What goes wrong in a test."""


def start(host: Host, script: str, *words: object) -> subprocess.Popen[str]:
    """Start a script on a host, with pipes."""
    return host.popen(
        sys.executable, "-c", script, *map(str, words), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def says(process: subprocess.Popen[str], within_s: float = 10) -> str | None:
    """Return the next line of a process, without its end; none if there is none in time."""
    assert process.stdout is not None
    line = b""
    while not line.endswith(b"\n"):
        if not select.select([process.stdout], [], [], within_s)[0]:
            assert line == b""
            return None
        byte = os.read(process.stdout.fileno(), 1)
        assert byte, "the process has ended"
        line += byte
    return line.decode().removesuffix("\n")


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Give a line to a process."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def connected(one: Host, two: Host) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """Start a talker on each host, with a connection from the first to the second."""
    second = start(two, TALKER, two.address)
    first = start(one, TALKER, two.address, says(second))
    assert says(first) == two.address
    assert says(second) == one.address
    return first, second


def established(host: Host) -> list[tuple[str, int]]:
    """Return the other address of each established connection of a host, and the unacknowledged bytes."""
    words = host.command("ss", "-H", "-t", "-n", "state", "established")
    rows = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.splitlines()
    return [(row.split()[3].rpartition(":")[0], int(row.split()[1])) for row in rows]


def output(host: Host, script: str, *words: object) -> str:
    """Run a script on a host, and return what it prints."""
    command = host.command(sys.executable, "-c", script, *map(str, words))
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def links(*within: str, descriptor: int | None = None) -> set[str]:
    """Return the names of interfaces, of this machine or below a command that enters a namespace."""
    words = [*within, "ip", "-oneline", "link", "show"]
    kept = [] if descriptor is None else [descriptor]
    shown = subprocess.run(words, pass_fds=kept, capture_output=True, text=True, check=True, timeout=10)
    return {line.split(": ")[1].partition("@")[0] for line in shown.stdout.splitlines()}


def links_behind(descriptor: int) -> set[str]:
    """Return the names of interfaces in a namespace of which a descriptor is held."""
    return links("nsenter", f"--net=/proc/self/fd/{descriptor}", descriptor=descriptor)


def namespace_file(name: str) -> Path:
    """Return the file of a namespace."""
    return Path("/run/netns") / name


def reasons(path: str, *within: str) -> list[str | None]:
    """Return what a new process says is missing for networks, delays and shifted clocks."""
    words = [*within, sys.executable, "-c", REASONS]
    environment = os.environ | {"PATH": path, "PYTHONPATH": f"{ROOT}"}
    ended = subprocess.run(
        words, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )
    assert ended.returncode == 0, ended.stderr
    found: list[str | None] = json.loads(ended.stdout)
    return found


@needs_networks
def test_hosts_reach_each_other_by_tcp_and_this_machine_reaches_none() -> None:
    with network("one", "two") as hosts:
        first, second = connected(hosts["one"], hosts["two"])
        tell(first, "from one")
        tell(second, "from two")
        assert (says(first), says(second)) == ("from two", "from one")
        assert output(hosts["one"], CONNECT, "127.0.0.1", 9, 5).startswith(
            "ConnectionRefusedError"
        )  # lo is up
        assert (
            hosts["one"].address
            not in subprocess.run(
                ["ip", "address"], capture_output=True, text=True, check=True, timeout=10
            ).stdout
        )


@needs_networks
def test_command_keeps_the_process_id_and_the_exit_code() -> None:
    with network("one") as hosts:
        process = start(hosts["one"], "import os; print(os.getpid()); raise SystemExit(7)")
        assert says(process) == str(process.pid)
        assert process.wait(10) == 7


@needs_delays
def test_round_trip_takes_twice_the_delay_also_after_a_partition() -> None:
    with network("slow", "two", "three") as hosts:
        hosts["slow"].delay(40)
        hosts["slow"].unplug()
        hosts["slow"].plug()
        address, port = hosts["two"].address, says(start(hosts["two"], ECHO, hosts["two"].address))
        assert 0.08 <= float(output(hosts["slow"], ROUND_TRIPS, address, port)) < 0.3
        assert float(output(hosts["three"], ROUND_TRIPS, address, port)) < 0.08
        hosts["slow"].delay(0)
        assert float(output(hosts["slow"], ROUND_TRIPS, address, port)) < 0.08


@needs_delays
def test_as_many_packets_are_lost_as_was_said() -> None:
    with network("one", "two") as hosts:
        hosts["one"].delay(0, 50)
        for sender, receiver in (("one", "two"), ("two", "one")):
            counter = start(hosts[receiver], COUNT, hosts[receiver].address)
            output(hosts[sender], SEND, hosts[receiver].address, says(counter))
            counted = says(counter)
            assert counted is not None
            assert 90 < int(counted) < 210  # seven standard deviations from 150


@needs_networks
def test_partition_closes_no_connection_and_what_was_sent_arrives_after_it() -> None:
    with network("one", "two", "three") as hosts:
        one, two = hosts["one"], hosts["two"]
        first, second = connected(one, two)
        one.unplug()
        tell(first, "from one")
        tell(second, "from two")
        assert says(first, 0.3) is None
        assert says(second, 0.3) is None
        length = len("from one\n")
        assert (established(one), established(two)) == ([(two.address, length)], [(one.address, length)])
        one.plug()
        assert (says(first), says(second)) == ("from two", "from one")
        wait_until(lambda: established(one) == [(two.address, 0)], 10)
        assert established(two) == [(one.address, 0)]
        assert (first.poll(), second.poll()) == (None, None)


@needs_networks
def test_partition_of_one_host_leaves_the_others_connected() -> None:
    with network("one", "two", "three") as hosts:
        first, second = connected(hosts["two"], hosts["three"])
        hosts["one"].unplug()
        tell(first, "still here")
        assert says(second) == "still here"


@pytest.mark.long
@needs_networks
@pytest.mark.parametrize(("caller", "called"), [("one", "two"), ("two", "one")])
def test_nothing_answers_or_refuses_during_a_partition(caller: str, called: str) -> None:
    """For longer than the three seconds after which a machine gives up to look for a neighbour."""
    with network("one", "two") as hosts:
        first, second = connected(hosts[caller], hosts[called])
        port = says(start(hosts[called], ECHO, hosts[called].address))
        hosts["one"].unplug()
        tell(first, "sent in vain at first")
        assert output(hosts[caller], CONNECT, hosts[called].address, port, 6) == "TimeoutError('timed out')"
        hosts["one"].plug()
        assert says(second, 20) == "sent in vain at first"
        assert output(hosts[caller], CONNECT, hosts[called].address, port, 6) == "connected"


@needs_networks
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_of_a_network_even_if_its_test_fails(*, fails: bool) -> None:
    """Nor of a process that ignores SIGTERM, its child in another session, and a connection that is cut."""
    before = links()
    with ExitStack() as held:
        with pytest.raises(MishapError) if fails else nullcontext(), network("one", "two") as hosts:
            talkers = connected(hosts["one"], hosts["two"])
            stays = start(hosts["one"], STAYS)
            ids = [*map(int, (says(stays) or "").split()), *(talker.pid for talker in talkers)]
            assert len(ids) == 4
            assert alive(ids) == ids
            files = [
                namespace_file(hosts["one"].bridge),
                *(namespace_file(hosts[each].namespace) for each in hosts),
            ]
            descriptors = [os.open(file, os.O_RDONLY) for file in files]
            for descriptor in descriptors:
                held.callback(os.close, descriptor)
            hosts["two"].unplug()
            tell(talkers[0], "never acknowledged")
            assert links() == before
            found = [links_behind(descriptor) & OURS for descriptor in descriptors]
            assert found == [{"bridge", "port1", "port2"}, {"eth0"}, {"eth0"}]
            if fails:
                raise MishapError
        assert alive(ids) == []
        assert not any(file.exists() for file in files)
        assert links() == before
        assert not any(links_behind(descriptor) & OURS for descriptor in descriptors)


@needs_networks
def test_nothing_is_left_of_a_network_that_cannot_be_made() -> None:
    with pytest.raises(NetworkError, match="a/b") as failed, network("one", "a/b"):
        pass
    tag = re.search(r"flagbench-\w+", str(failed.value))
    assert tag is not None
    assert [*Path("/run/netns").glob(f"{tag[0]}*")] == []


@needs_networks
def test_end_of_a_network_ends_nothing_of_another_and_neither_reaches_the_other() -> None:
    with network("one", "two") as hosts:
        first, second = connected(hosts["one"], hosts["two"])
        port = says(start(hosts["two"], ECHO, hosts["two"].address))
        with network("one", "two") as others:
            error = output(others["one"], CONNECT, hosts["two"].address, port, 1)
            assert error == "OSError(101, 'Network is unreachable')"
            ended = start(others["one"], STAYS)
        assert ended.returncode == -9
        tell(first, "still here")
        assert says(second) == "still here"


@needs_networks
def test_two_networks_can_have_the_same_addresses() -> None:
    with network("one", "two", prefix="10.0.0") as hosts, network("one", "two", prefix="10.0.0") as others:
        for each in (hosts, others):
            assert [host.address for host in each.values()] == ["10.0.0.1", "10.0.0.2"]
        connected(hosts["one"], hosts["two"])
        port = says(start(others["two"], ECHO, "10.0.0.2"))
        assert output(others["one"], CONNECT, "10.0.0.2", port, 5) == "connected"
        assert output(hosts["one"], CONNECT, "10.0.0.2", port, 5).startswith("ConnectionRefusedError")


@needs_shifts
@pytest.mark.parametrize("shift_s", [100_000, -1])
def test_clock_of_a_process_is_shifted(shift_s: int) -> None:
    words = with_shifted_clock([sys.executable, "-c", CLOCK], shift_s)
    before_s = time.perf_counter()
    shown = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout
    assert before_s + shift_s < float(shown) < time.perf_counter() + shift_s


@needs_networks
@needs_shifts
def test_hosts_have_clocks_of_their_own() -> None:
    with network("one", "two") as hosts:
        clock = [sys.executable, "-c", CLOCK]
        ahead = hosts["one"].popen(*with_shifted_clock(clock, 100_000), stdout=subprocess.PIPE)
        straight = hosts["two"].popen(*clock, stdout=subprocess.PIPE)
        shift_s = float(says(ahead) or "") - float(says(straight) or "")
        assert shift_s == pytest.approx(100_000, abs=10)


@needs_shifts
def test_process_with_a_shifted_clock_gives_its_exit_code_and_ends_when_killed() -> None:
    words = with_shifted_clock([sys.executable, "-c", "raise SystemExit(7)"], 1)
    assert subprocess.run(words, check=False, timeout=10).returncode == 7
    script = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    stays = with_shifted_clock([sys.executable, "-c", script], 1)
    with subprocess.Popen(stays, stdout=subprocess.PIPE, text=True) as process:
        try:
            below = int(says(process) or "")
        finally:
            process.kill()
    wait_until(lambda: alive([below]) == [], 10)


def test_tools_that_are_not_there_are_named(tmp_path: Path) -> None:
    assert reasons(f"{tmp_path}") == [
        "network namespaces cannot be used here: ip: No such file or directory",
        "network namespaces cannot be used here: ip: No such file or directory",
        "clocks cannot be shifted here: unshare: No such file or directory",
    ]


@needs_networks
def test_networks_need_nothing_that_only_delays_need(tmp_path: Path) -> None:
    (tmp_path / "ip").symlink_to(shutil.which("ip") or "")
    assert reasons(f"{tmp_path}")[:2] == [
        None,
        "packets cannot be delayed here: tc: No such file or directory",
    ]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux to give up rights")
def test_missing_rights_are_named() -> None:
    within = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    before = {*Path("/run/netns").glob("*")}
    found = reasons(os.environ["PATH"], *within)
    for reason, beginning in zip(found, ("network namespaces", "network namespaces", "clocks"), strict=True):
        assert re.match(
            rf"{beginning} cannot be .* here: .*(Operation not permitted|Permission denied)", reason or ""
        )
    assert {*Path("/run/netns").glob("*")} == before
