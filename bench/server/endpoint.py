"""What a profile needs of a listener."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.model.cases import Profile

if TYPE_CHECKING:
    from bench.server.authority import Certificate

_BAD_CERTIFICATES: "Final[dict[str, Certificate]]" = {
    "tls_expired": "expired",
    "tls_wrong_host": "wrong_host",
    "tls_unknown_authority": "unknown_authority",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a profile needs of a listener.

    Attributes:
        certificate: what it shows; ``None`` is not encrypted.
        http2: whether it speaks HTTP/2, and nothing else.
        is_listening: whether it takes connections at all; one that does not refuses them.
    """

    certificate: "Certificate | None" = None
    http2: bool = False
    is_listening: bool = True


def endpoint_of(profile: Profile) -> Endpoint:
    """Return what a profile needs of a listener."""
    kinds = {fault.kind for fault in profile.faults}
    bad = next((certificate for kind, certificate in _BAD_CERTIFICATES.items() if kind in kinds), None)
    certificate = (bad or "good") if profile.tls else None
    return Endpoint(certificate, profile.http2, "refused" not in kinds)
