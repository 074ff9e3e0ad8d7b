"""Close connections so that the client still gets its response: after lingering, or with a reset.

Closing a socket with unread bytes resets the connection, and a reset destroys a response that the client
has not read yet. So the server first sends a FIN, and drops the rest of the input for a while (RFC 9112,
9.6). A deliberate reset waits until the kernel has sent everything: on loopback the client has it then, and
the reset does not take it away.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from struct import pack
from typing import Final, Literal, TypeAlias

from bench.server.connection_limits import ConnectionLimits

OnClosed: TypeAlias = Callable[[Exception | None], None]
CloseMode: TypeAlias = Literal["kept", "closed", "refused", "cut", "closed_late", "reset"]
"""The state of a connection after a response.

``kept``: further requests are answered. ``closed``: the client was told, and sends no more. ``refused``: it
may still be sending, and nothing more is read before it was told to stop. ``cut``: it did not expect the
close, and must see the end of the stream and no reset. ``closed_late``: like ``cut``, a moment later.
``reset``: it sees a reset.
"""

_CLOSE_DELAY_S: Final = 0.1
_RESET_RETRY_S: Final = 0.001
_LINGER_NO_TIME: Final = pack("ii", 1, 0)
"""``struct linger``: on, and no seconds, so that closing the socket sends RST instead of FIN."""


def close_connection(
    transport: asyncio.Transport, mode: CloseMode, on_closed: OnClosed, limits: ConnectionLimits
) -> None:
    """Close a connection after the kernel has its last response; ``on_closed`` is called at its end."""
    if mode == "closed":
        transport.close()
    elif mode == "reset":
        ResetClose(transport, on_closed).start()
    else:
        delay_s = _CLOSE_DELAY_S if mode == "closed_late" else 0.0
        LingeringClose(transport, on_closed, limits).start(delay_s)


class _Close(asyncio.Protocol):
    """Takes over a connection until its end."""

    def __init__(self, transport: asyncio.Transport, on_closed: OnClosed) -> None:
        self._transport = transport
        self._on_closed = on_closed
        self._timer: asyncio.TimerHandle | None = None
        transport.set_protocol(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end of the connection."""
        if self._timer is not None:
            self._timer.cancel()
        self._on_closed(exc)

    def _call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, callback)


class LingeringClose(_Close):
    """Drops a client's input until it closes its side, sends too much or takes too long."""

    def __init__(self, transport: asyncio.Transport, on_closed: OnClosed, limits: ConnectionLimits) -> None:
        super().__init__(transport, on_closed)
        self._linger_s = limits.linger_s
        self._bytes_left = limits.linger_bytes

    def start(self, delay_s: float = 0.0) -> None:
        """Send the FIN now or later."""
        if delay_s:
            self._call_later(delay_s, self.start)
            return
        self._call_later(self._linger_s, self._transport.abort)
        try:
            self._transport.write_eof()
        except OSError:  # the client has closed its side already
            self._transport.abort()
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Drop the input."""
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            self._transport.abort()


class ResetClose(_Close):
    """Resets a connection as soon as the kernel has sent everything, unless the client leaves earlier."""

    def start(self) -> None:
        """Send the reset now, or check again soon."""
        connection: socket.socket = self._transport.get_extra_info("socket")
        if self._transport.get_write_buffer_size() or unsent_bytes(connection):
            self._call_later(_RESET_RETRY_S, self.start)
            return
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NO_TIME)
        self._transport.abort()


if sys.platform == "linux":
    from fcntl import ioctl

    _SIOCOUTQNSD: Final = 0x894B
    """Asks for the bytes not sent yet, whether acknowledged or not (``linux/sockios.h``)."""

    def unsent_bytes(connection: socket.socket) -> int:
        """Return how many bytes the kernel holds because the client has no room for them."""
        return int.from_bytes(ioctl(connection.fileno(), _SIOCOUTQNSD, bytes(4)), sys.byteorder)

else:

    def unsent_bytes(connection: socket.socket) -> int:  # noqa: ARG001  the system cannot be asked
        """Assume that the kernel sends at once."""
        return 0
