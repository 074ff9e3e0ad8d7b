"""Other machines on this one: namespaces with links that can fail, and processes with clocks of their own.

Namespaces need root and Debian's iproute2, clocks need its util-linux, and delays need netem in the kernel.
"""

import os
import random
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path("/run/netns")
_LINK: Final = "eth0"
_PATIENCE_S: Final = 10.0
_MOST_DELAYED: Final = 100_000
"""Packets that may wait at once; with netem's own 1,000, a delay would lose packets of fast connections."""


class NetworkError(Exception):
    """Something about namespaces, links or clocks could not be done; the message has the tool's own words."""


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace with a link to the bridge.

    Attributes:
        namespace: its name, as ``ip netns`` takes it.
        address: its address, which the other hosts reach and this machine does not.
        mac: the address of its link.
        bridge: the namespace of the bridge.
        port: the bridge's end of the link.
        started: processes that ``popen`` started.
    """

    namespace: str
    address: str
    mac: str
    bridge: str
    port: str
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def command(self, *words: str | Path) -> list[str]:
        """Return a command that runs another one in the namespace, under the same process id.

        It has a ``/sys`` of its own, as ``ip netns exec`` mounts it anew, without the control groups.
        """
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]

    def popen(self, *words: str | Path, **options: Any) -> subprocess.Popen[str]:
        """Start a process in the namespace, with options of ``Popen``; it is ended with the network."""
        process = subprocess.Popen(self.command(*words), text=True, **options)
        self.started.append(process)
        return process

    def delay(self, delay_ms: float, loss_percent: float = 0) -> None:
        """Delay each packet over the link by so many milliseconds, in both directions, and lose some of them.

        Raises:
            NetworkError: if the kernel has no netem, among others.
        """
        how = ("delay", f"{delay_ms}ms", "loss", f"{loss_percent}%", "limit", f"{_MOST_DELAYED}")
        for namespace, link in ((self.namespace, _LINK), (self.bridge, self.port)):
            _run("tc", "-netns", namespace, "qdisc", "replace", "dev", link, "root", "netem", *how)

    def unplug(self) -> None:
        """Lose all packets to and from this host; no connection is closed, and no call fails for it."""
        _run("ip", "-netns", self.bridge, "link", "set", self.port, "down")

    def plug(self) -> None:
        """Let packets pass again after ``unplug``; what was lost is sent again when TCP's timers say so."""
        _run("ip", "-netns", self.bridge, "link", "set", self.port, "up")


@contextmanager
def network(*names: str, prefix: str | None = None) -> Iterator[Mapping[str, Host]]:
    """Make a host for each name, all on one bridge; at exit, end all processes in them and remove everything.

    The bridge has a namespace of its own, so interfaces and routes of this machine stay as they are, and
    several networks can be there at once, also with the same addresses.

    Args:
        names: those of the hosts; the addresses end with 1, 2 and so on, in this order.
        prefix: the first three numbers of the addresses, such as ``10.0.0``; None: 10 and two random ones.

    Raises:
        NetworkError: if this is not possible here, or a process does not end within ten seconds.
    """
    bridge = f"flagbench-{secrets.token_hex(4)}"
    prefix = prefix or f"10.{random.randrange(256)}.{random.randrange(256)}"
    tag = "".join(f":{int(number):02x}" for number in prefix.split("."))
    hosts = {
        name: Host(
            namespace=f"{bridge}-{name}",
            address=f"{prefix}.{number}",
            mac=f"02:00{tag}:{number:02x}",
            bridge=bridge,
            port=f"port{number}",
        )
        for number, name in enumerate(names, 1)
    }
    try:
        _make(bridge, [*hosts.values()])
        yield hosts
    finally:
        _remove(bridge, [*hosts.values()])


def with_shifted_clock(words: Sequence[str], shift_s: int) -> list[str]:
    """Return a command whose ``CLOCK_MONOTONIC``, and so ``time.perf_counter``, is ahead by whole seconds.

    The command is a child of ``unshare``, which passes on its exit code and no signal but SIGKILL: ``kill``
    ends both, ``terminate`` neither. A shift may be negative, but not larger than the clock of this machine.
    """
    return ["unshare", "--time", "--monotonic", f"{shift_s}", "--kill-child", *words]


@cache
def missing_for_networks() -> str | None:
    """Say why ``network`` cannot be used here, after trying it; none if it can."""
    try:
        with network("one") as hosts:
            _run(*hosts["one"].command("ip", "-Version"))
    except NetworkError as error:
        return f"network namespaces cannot be used here: {error}"
    return None


@cache
def missing_for_delays() -> str | None:
    """Say why ``Host.delay`` cannot be used here, after trying it; none if it can."""
    if missing := missing_for_networks():
        return missing
    with network("one") as hosts:
        try:
            hosts["one"].delay(1, 1)
        except NetworkError as error:
            return f"packets cannot be delayed here: {error}"
    return None


@cache
def missing_for_shifted_clocks() -> str | None:
    """Say why ``with_shifted_clock`` cannot be used here, after trying it; none if it can."""
    try:
        _run(*with_shifted_clock(["true"], 1))
    except NetworkError as error:
        return f"clocks cannot be shifted here: {error}"
    return None


def _make(bridge: str, hosts: Sequence[Host]) -> None:
    _batch("ip", lines=[f"netns add {each}" for each in (bridge, *(host.namespace for host in hosts))])
    lines = ["link add bridge type bridge", "link set bridge up"]
    for host in hosts:
        peer = f"peer name {_LINK} address {host.mac} netns {host.namespace}"
        lines += [f"link add {host.port} type veth {peer}", f"link set {host.port} master bridge up"]
    _batch("ip", "-netns", bridge, lines=lines)
    for host in hosts:
        # A host that is looked for in vain would be reported as "No route to host" after three seconds.
        known = [
            f"neighbour add {other.address} lladdr {other.mac} dev {_LINK} nud permanent"
            for other in hosts
            if other is not host
        ]
        own = ["link set lo up", f"link set {_LINK} up", f"address add {host.address}/24 dev {_LINK}"]
        _batch("ip", "-netns", host.namespace, lines=own + known)


def _remove(bridge: str, hosts: Sequence[Host]) -> None:
    spaces = [name for name in (bridge, *(host.namespace for host in hosts)) if (_FOLDER / name).exists()]
    try:
        for process in (process for host in hosts for process in host.started):
            _end(process)
        _end_all_in(spaces)
    finally:
        # The kernel keeps a namespace while a connection in it waits for its last acknowledgement.
        if bridge in spaces:
            ours = {"bridge", *(host.port for host in hosts)}
            lines = [f"link delete {each}" for each in _links(bridge) if each in ours]
            _batch("ip", "-netns", bridge, lines=lines)
        _batch("ip", lines=[f"netns delete {each}" for each in spaces])


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what nobody has read
                pipe.close()


def _end_all_in(namespaces: Sequence[str]) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while inside := [(pid, space) for space in namespaces for pid in _pids(space)]:
        if time.monotonic() > deadline_s:
            raise NetworkError(f"these processes do not end: {inside}")
        for pid, namespace in inside:
            with suppress(ProcessLookupError, FileNotFoundError):  # it has ended
                _kill(pid, namespace)
        time.sleep(0.01)


def _kill(pid: int, namespace: str) -> None:
    """Kill a process of a namespace, never another one that has got its id meanwhile."""
    descriptor = os.pidfd_open(pid)
    try:
        if Path(f"/proc/{pid}/ns/net").samefile(_FOLDER / namespace):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)


def _pids(namespace: str) -> list[int]:
    return [int(line) for line in _run("ip", "netns", "pids", namespace).split()]


def _links(namespace: str) -> list[str]:
    lines = _run("ip", "-netns", namespace, "-oneline", "link", "show").splitlines()
    return [line.split(": ")[1].partition("@")[0] for line in lines]


def _batch(*words: str, lines: Sequence[str]) -> None:
    _run(*words, "-batch", "-", given="\n".join(lines))


def _run(*words: str, given: str = "") -> str:
    """Run a tool and return its output.

    Raises:
        NetworkError: if it is not there, or fails.
    """
    try:
        ended = subprocess.run(
            words, input=given, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except OSError as error:
        raise NetworkError(f"{words[0]}: {error.strerror}") from error
    if ended.returncode != 0:
        raise NetworkError(f"{' '.join(words)}: {' '.join(ended.stderr.split())}")
    return ended.stdout
