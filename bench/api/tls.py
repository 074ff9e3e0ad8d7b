"""Encrypted connections that tell a reset from an end.

With OpenSSL 3, CPython before 3.12.3 reports both as an end in violation of the protocol, and hides that
from whoever reads; only an end has a reason that OpenSSL gives.
"""

import errno
import os
import ssl
from typing import Any


class TellingSocket(ssl.SSLSocket):
    """An encrypted socket on which a reset is a ``ConnectionResetError``."""

    has_ended = False

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002  as the ssl module calls it
        """Read decrypted bytes, none at the end of the stream."""
        self.suppress_ragged_eofs = False
        try:
            return super().read(len, buffer)
        except ssl.SSLEOFError as error:
            # OpenSSL gives its reason once, and older ones give none at all
            if not error.reason and not self.has_ended and ssl.OPENSSL_VERSION_INFO >= (3,):
                raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from error
            self.has_ended = True
            return b"" if buffer is None else 0


def trusting(authority: str) -> ssl.SSLContext:
    """Trust the certificates of one authority, for the hosts that they name."""
    context = ssl.create_default_context(cafile=authority)
    context.sslsocket_class = TellingSocket
    return context
