"""Settings that start a flag server, and the check of its address. Used by the runner and ``serve``."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from bench.errors import UsageError
from bench.model.cases import Profile


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of a flag server.

    Attributes:
        profile: delays and faults of requests outside any trial, which are drawn for block 0.
        seed: the run's seed; all delays and faults are drawn from it.
        flags_dir: the folder of the flags; ``None`` serves the project's own.
        host: an IP address of this machine, or ``localhost``.
        port: 0 for any free port.
        allow_remote: whether the host may be an address that other machines can reach.
    """

    profile: Profile
    seed: int = 1
    flags_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    allow_remote: bool = False


def check_host(host: str, *, allow_remote: bool) -> str:
    """Return the IP address to bind; refuse one that other machines can reach unless that is allowed.

    Raises:
        UsageError: the host is no IP address, or is not a loopback address and ``allow_remote`` is not set.
    """
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise UsageError(f"{host!r} is not an IP address", hint="use 127.0.0.1 or ::1") from None
    if is_reachable(str(address)) and not allow_remote:
        raise UsageError(
            f"{host} can be reached from other machines, and the flag server does not protect itself",
            hint="use 127.0.0.1, or give --allow-remote",
        )
    return str(address)


def is_reachable(address: str) -> bool:
    """Tell whether other machines can reach an IP address."""
    return not ip_address(address).is_loopback
