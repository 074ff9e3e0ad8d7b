"""Time-outs and limits of the server's connections, all in one place; tests pass smaller ones."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Time-outs and limits of a server's connections.

    Attributes:
        request_s: from the first byte of a request to its last; a slower one is refused.
        slow_requests_per_address: incomplete requests of one address at a time; the oldest is refused.
        linger_s: time that a client gets to close its side after the server closed its own.
        linger_bytes: bytes that it may still send in that time.
        idle_probe_s: silence before the first keep-alive probe (TCP_KEEPIDLE).
        probe_interval_s: time between probes (TCP_KEEPINTVL).
        highest_descriptor: the highest descriptor of a connection; ``None`` takes the process's limit.
    """

    request_s: float = 10.0
    slow_requests_per_address: int = 256
    linger_s: float = 2.0
    linger_bytes: int = 16 * 1024 * 1024
    idle_probe_s: int = 60
    probe_interval_s: int = 15
    highest_descriptor: int | None = None


DEFAULT_LIMITS: Final = ConnectionLimits()
