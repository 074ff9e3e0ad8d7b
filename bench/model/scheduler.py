"""The scheduler of a cluster on whose machines a strategy downloads."""

from dataclasses import dataclass
from typing import Final

EMBEDDED: Final = ""
"""Address of the cluster that each trial starts on this machine."""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Where a scheduler is, and how it is spoken to.

    Attributes:
        address: ``tcp://host:port`` or ``tls://host:port``, or ``EMBEDDED``.
        authority: PEM file of the certificate authority of the cluster; empty without encryption.
        certificate: PEM file of the certificate that is shown to it.
        key: PEM file of its key.
    """

    address: str = EMBEDDED
    authority: str = ""
    certificate: str = ""
    key: str = ""

    @property
    def place(self) -> str:
        """Host and port, by which its cases are named; empty for the embedded cluster."""
        return self.address.partition("://")[2]
