"""How the server resets a connection, so that what it sent before arrives before.

A socket that is closed with no time to linger says RST instead of FIN, and forgets what it has not sent. It
must have sent everything by then: on loopback that is with the client, and the reset does not take it away.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from struct import pack
from typing import Final, Literal, TypeAlias

from bench.server.lingering_close import Lingering

_PAUSE_S: Final = 0.001
_AT_ONCE: Final = pack("ii", 1, 0)
"""``struct linger``: on, and no seconds."""


class Resetting(asyncio.Protocol):
    """Waits until the kernel has nothing left to send, unless the client leaves before."""

    def __init__(self, transport: asyncio.Transport, ended: Callable[[Exception | None], None]) -> None:
        self._transport = transport
        self._ended = ended
        self._socket: socket.socket = transport.get_extra_info("socket")
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Take over a connection whose answer is with the kernel."""
        self._transport.set_protocol(self)
        self._reset()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that the connection has ended."""
        if self._timer is not None:
            self._timer.cancel()
        self._ended(exc)

    def _reset(self) -> None:
        if self._transport.get_write_buffer_size() or unsent_bytes(self._socket):
            self._timer = asyncio.get_running_loop().call_later(_PAUSE_S, self._reset)
            return
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._transport.abort()


if sys.platform == "linux":
    from fcntl import ioctl

    _SIOCOUTQNSD: Final = 0x894B
    """Asks how much is not sent yet, whether acknowledged or not (``linux/sockios.h``)."""

    def unsent_bytes(connection: socket.socket) -> int:
        """Tell how many bytes the kernel has taken and not sent, since the client has no room for them."""
        return int.from_bytes(ioctl(connection.fileno(), _SIOCOUTQNSD, bytes(4)), sys.byteorder)

else:

    def unsent_bytes(connection: socket.socket) -> int:  # noqa: ARG001  there is no asking
        """Take it that the kernel sends at once what fits into its buffers."""
        return 0


Ending: TypeAlias = Literal["kept", "closed", "refused", "cut", "closed_late", "reset"]
"""How a connection goes on.

``kept``: further requests are answered. ``closed``: the client was told so, and sends no more. ``refused``:
it may be sending still, and nothing more is read until it was told to stop. ``cut``: it did not expect that,
and must see the stream end and no reset. ``closed_late``: like ``cut``, a moment later. ``reset``: it sees a
reset.
"""


def end(transport: asyncio.Transport, ending: Ending, ended: Callable[[Exception | None], None]) -> None:
    """End a connection whose answers are with the kernel; ``ended`` is told when it has come to that."""
    if ending == "closed":
        transport.close()
    elif ending == "reset":
        Resetting(transport, ended).begin()
    elif ending == "closed_late":
        Lingering(transport, ended).begin_late()
    else:
        Lingering(transport, ended).begin()
