"""TLS connections that tell a connection reset from an end of file. Imported by encrypted clients only.

With OpenSSL 3, CPython before 3.12.3 reports both as an end in violation of the protocol, and hides that
from the reader; only for an end does OpenSSL give a reason.
"""

import errno
import os
import ssl
from typing import Any


class ResetAwareSocket(ssl.SSLSocket):
    """A TLS socket on which a connection reset raises ``ConnectionResetError``."""

    has_ended = False

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002  as the ssl module calls it
        """Read decrypted bytes, none at the end of the stream."""
        self.suppress_ragged_eofs = False
        try:
            return super().read(len, buffer)
        except ssl.SSLEOFError as error:
            # OpenSSL gives its reason once, and older versions give none at all
            if not error.reason and not self.has_ended and ssl.OPENSSL_VERSION_INFO >= (3,):
                raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from error
            self.has_ended = True
            return b"" if buffer is None else 0


def create_tls_context(authority: str) -> ssl.SSLContext:
    """Create a context that trusts one authority, and checks host names."""
    context = ssl.create_default_context(cafile=authority)
    context.sslsocket_class = ResetAwareSocket
    return context
