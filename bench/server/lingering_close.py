"""How the server hangs up on a client that is still sending.

Closing a socket with unread bytes in it resets the connection, and a reset destroys an answer that the
client has not read yet. So the server first says that it is done, and takes in what still comes, for a
while (RFC 9112, 9.6).
"""

import asyncio
from collections.abc import Callable
from typing import Final

_PATIENCE_S: Final = 2.0
_LATE_S: Final = 0.1
_MOST_BYTES: Final = 16 * 1024 * 1024


class Lingering(asyncio.Protocol):
    """Drops what a client sends until it hangs up, sends too much or takes too long."""

    def __init__(self, transport: asyncio.Transport, ended: Callable[[Exception | None], None]) -> None:
        self._transport = transport
        self._ended = ended
        self._bytes_left = _MOST_BYTES
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Take over a connection whose answer is with the kernel."""
        self._transport.set_protocol(self)
        self._hang_up()

    def begin_late(self) -> None:
        """Do the same, and let the client wait a moment until it is told."""
        self._transport.set_protocol(self)
        self._timer = asyncio.get_running_loop().call_later(_LATE_S, self._hang_up)

    def data_received(self, data: bytes) -> None:
        """Drop what has come."""
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that the connection has ended."""
        if self._timer is not None:
            self._timer.cancel()
        self._ended(exc)

    def _hang_up(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE_S, self._transport.abort)
        try:
            self._transport.write_eof()
        except OSError:  # the client has hung up already, and there is nobody to wait for
            self._transport.abort()
        self._transport.resume_reading()
