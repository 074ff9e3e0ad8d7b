"""What a flag server is told when it starts, and where that makes it be found."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from bench.errors import UsageError
from bench.model.cases import Profile


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a flag server starts.

    Attributes:
        profile: the weather of what is asked outside any trial, in block 0.
        seed: of the run; all weather is drawn from it.
        flags_dir: where the flags are; ``None`` serves the project's own.
        host: an IP address of this machine, or ``localhost``.
        port: 0 for any that is free.
    """

    profile: Profile
    seed: int = 1
    flags_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0


def checked_host(host: str, *, allow_remote: bool) -> str:
    """Return the address to bind, refusing those that other machines could reach.

    Raises:
        UsageError: it is no IP address, or not a loopback one and ``allow_remote`` is not set.
    """
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise UsageError(f"{host!r} is not an IP address", hint="use 127.0.0.1 or ::1") from None
    if is_reachable(str(address)) and not allow_remote:
        raise UsageError(
            f"{host} can be reached from other machines, and the flag server does not protect itself",
            hint="use 127.0.0.1, or allow remote access explicitly",
        )
    return str(address)


def is_reachable(address: str) -> bool:
    """Tell whether other machines can reach an IP address."""
    return not ip_address(address).is_loopback


def base_url(host: str, port: int, scheme: Literal["http", "https"] = "http") -> str:
    """Return the address of a server without a slash at its end."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
