"""The certificates of one run, good and bad, and the authority that a client is told to trust.

All are made anew, and none is kept.
"""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

import trustme

Certificate: TypeAlias = Literal["good", "expired", "wrong_host", "unknown_authority"]

_HOSTS: Final = ("127.0.0.1", "::1", "localhost")
_ANOTHER_HOST: Final = "flags.example"
_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
_LESS_LONG_AGO: Final = datetime(2020, 2, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """Issues the certificates of a run, for these hosts."""

    _trusted: trustme.CA
    _hosts: tuple[str, ...]

    @property
    def pem(self) -> str:
        """What a client needs to trust this authority."""
        return self._trusted.cert_pem.bytes().decode()

    def context(self, certificate: Certificate, protocol: Literal["http/1.1", "h2"]) -> ssl.SSLContext:
        """Return what a listener needs that shows this certificate and speaks one protocol only (ALPN)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([protocol])
        # Every connection pays for a whole handshake, whichever clients would resume a session.
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        _load(context, self._issue(certificate))
        return context

    def _issue(self, certificate: Certificate) -> trustme.LeafCert:
        match certificate:
            case "good":
                return self._trusted.issue_cert(*self._hosts)
            case "expired":
                return self._trusted.issue_cert(*self._hosts, not_before=_LONG_AGO, not_after=_LESS_LONG_AGO)
            case "wrong_host":
                return self._trusted.issue_cert(_ANOTHER_HOST)
            case "unknown_authority":
                return trustme.CA().issue_cert(*self._hosts)


def new_certificate_authority(host: str) -> CertificateAuthority:
    """Found an authority for a server at this address, on the loopback interface or not."""
    return CertificateAuthority(trustme.CA(), tuple(dict.fromkeys((*_HOSTS, host))))


def _load(context: ssl.SSLContext, certificate: trustme.LeafCert) -> None:
    """Load a certificate and its key; ``ssl`` reads files only, so where there are any it gets one in memory.

    Elsewhere it gets one that only this user can read, and that is removed at once.
    """
    if not hasattr(os, "memfd_create"):
        certificate.configure_cert(context)
        return
    descriptor = os.memfd_create("certificate")
    with os.fdopen(descriptor, "wb") as file:
        file.write(certificate.private_key_and_cert_chain_pem.bytes())
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
