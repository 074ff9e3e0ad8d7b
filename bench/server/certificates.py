"""Create a run's certificate authority and its certificates, valid and faulty; nothing is kept on disk."""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import trustme

from bench.server.resource_needs import CertificateKind

_HOSTS: Final = ("127.0.0.1", "::1", "localhost")
_OTHER_HOST: Final = "flags.example"
_VALID_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
_EXPIRED_AT: Final = datetime(2020, 2, 1, tzinfo=UTC)
_DESCRIPTORS: Final = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """Issues the certificates of a run for some hosts."""

    _trusted: trustme.CA
    _hosts: tuple[str, ...]

    @property
    def pem(self) -> str:
        """The authority's certificate, to be trusted by clients."""
        return self._trusted.cert_pem.bytes().decode()

    def server_context(self, kind: CertificateKind, protocol: Literal["http/1.1", "h2"]) -> ssl.SSLContext:
        """Return a listener's context with this certificate and a single protocol (ALPN)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([protocol])
        # Every connection pays for a whole handshake, whether or not its client could resume a session.
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        _load(context, self._issue(kind))
        return context

    def _issue(self, kind: CertificateKind) -> trustme.LeafCert:
        match kind:
            case "good":
                return self._trusted.issue_cert(*self._hosts)
            case "expired":
                return self._trusted.issue_cert(*self._hosts, not_before=_VALID_FROM, not_after=_EXPIRED_AT)
            case "wrong_host":
                return self._trusted.issue_cert(_OTHER_HOST)
            case "unknown_authority":
                return trustme.CA().issue_cert(*self._hosts)


def new_certificate_authority(host: str) -> CertificateAuthority:
    """Create an authority for a server at this address and on the loopback interface."""
    return CertificateAuthority(trustme.CA(), tuple(dict.fromkeys((*_HOSTS, host))))


def _load(context: ssl.SSLContext, certificate: trustme.LeafCert) -> None:
    """Load a certificate and its key from memory, or from a private file that is removed at once.

    ``ssl`` reads files only; where the system has files in memory and a name for them, the key never
    reaches a disk.
    """
    if not hasattr(os, "memfd_create") or not _DESCRIPTORS.is_dir():
        certificate.configure_cert(context)
        return
    descriptor = os.memfd_create("certificate")
    with os.fdopen(descriptor, "wb") as file:
        file.write(certificate.private_key_and_cert_chain_pem.bytes())
        file.flush()
        context.load_cert_chain(_DESCRIPTORS / str(descriptor))
