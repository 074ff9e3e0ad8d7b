"""Compute the listeners and file descriptors that the server needs. Used for its start and in preflight."""

import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bench.model.cases import Profile

CertificateKind: TypeAlias = Literal["good", "expired", "wrong_host", "unknown_authority"]

_OWN_DESCRIPTORS: Final = 8
"""Descriptors of a server without connections: its pipes, its event loop, one listener."""
_MOST_RESERVED: Final = 16
"""Descriptors kept free for everything but connections; an eighth of a small limit."""
_BAD_CERTIFICATES: Final[dict[str, CertificateKind]] = {
    "tls_expired": "expired",
    "tls_wrong_host": "wrong_host",
    "tls_unknown_authority": "unknown_authority",
}


@dataclass(frozen=True, slots=True)
class ListenerSpec:
    """The kind of listener that a profile needs.

    Attributes:
        certificate: the certificate that it presents; ``None`` is not encrypted.
        http2: whether it speaks HTTP/2 only.
        is_listening: whether it accepts connections; otherwise they are refused.
        connect_latency_s: delay of each connection, and of each round trip of a handshake.
    """

    certificate: CertificateKind | None = None
    http2: bool = False
    is_listening: bool = True
    connect_latency_s: float = 0.0


def listener_spec(profile: Profile) -> ListenerSpec:
    """Return the kind of listener that a profile needs."""
    kinds = {fault.kind for fault in profile.faults}
    bad = next((certificate for kind, certificate in _BAD_CERTIFICATES.items() if kind in kinds), None)
    certificate = (bad or "good") if profile.tls else None
    if "refused" in kinds:
        return ListenerSpec(certificate, profile.http2, is_listening=False)
    return ListenerSpec(certificate, profile.http2, connect_latency_s=profile.connect_latency_s)


def count_listeners(profiles: Iterable[Profile]) -> int:
    """Count the listeners of a run: one for each kind that its profiles need, and a plain one."""
    return len({ListenerSpec(), *map(listener_spec, profiles)})


def required_descriptors(connections: int, listeners: int = 1) -> int:
    """Return the smallest limit of open files that lets the server accept this many connections."""
    highest = _OWN_DESCRIPTORS + (listeners - 1) + connections - 1
    limits = range(highest + 2, highest + _MOST_RESERVED + 2)
    return next(limit for limit in limits if highest_descriptor(limit) >= highest)


def highest_descriptor(limit: int) -> int:
    """Return the highest descriptor that a connection may get under a limit of open files."""
    if limit == resource.RLIM_INFINITY:
        return sys.maxsize
    return limit - 1 - min(_MOST_RESERVED, limit // 8)
