"""The door of a server: whoever connects is let in while there is room, and waits in the kernel's queue else.

asyncio's own accepts until the process has no descriptor left, and then tries, fails and logs as often as
its backlog is long, a second later again: no client is served meanwhile.
"""

import asyncio
import os
import resource
import select
import socket
import sys
from collections.abc import Callable
from typing import Final

_AT_ONCE: Final = 256
"""Connections that are let in before those inside are looked after again."""
_LOOK_AGAIN_S: Final = 0.002
"""While there is no room: at less than a hundredth of a core, nobody waits for longer than need be."""
_OWN: Final = 8
"""Descriptors of a server without any connection: its pipes, its event loop, its port."""
_SPARE: Final = 16
"""Descriptors that are kept for everything but connections."""


class Acceptor:
    """Lets connections in, each to a protocol of its own.

    POSIX hands out the lowest free descriptor, so the number of the latest tells whether there is room for
    another; no protocol needs to say when it is done.

    ``keep_waiting`` is called as often as somebody waits outside from one look at the room to the next.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.BaseProtocol],
        keep_waiting: Callable[[], None],
    ) -> None:
        self._listener = listener
        self._protocol = protocol
        self._keep_waiting = keep_waiting
        self._highest = highest_descriptor(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self._loop = asyncio.get_running_loop()
        self._entering: set[asyncio.Task[object]] = set()
        self._knock: asyncio.TimerHandle | None = None
        self._has_waited = False

    def open(self) -> None:
        """Let in who waits and who comes."""
        self._knock = None
        self._has_waited = False
        self._loop.add_reader(self._listener.fileno(), self._admit)

    def close(self) -> None:
        """Let in nobody any more, and give the port back."""
        self._loop.remove_reader(self._listener.fileno())
        if self._knock is not None:
            self._knock.cancel()
        for entering in self._entering:
            entering.cancel()
        self._listener.close()

    def _admit(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # descriptors or memory, of this process or of the whole system
                self._shut()
                return
            connection.settimeout(0)
            entering = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection))
            self._entering.add(entering)
            entering.add_done_callback(self._entering.discard)
            if connection.fileno() >= self._highest:
                self._shut()
                return

    def _shut(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._knock = self._loop.call_later(_LOOK_AGAIN_S, self._look)

    def _look(self) -> None:
        """Find out whether somebody has left, and else whether somebody waits."""
        if self._lowest_free() <= self._highest:
            self.open()
            return
        is_awaited = self._is_awaited()
        # connections whose end has been read are closed only after this
        if is_awaited and self._has_waited:
            self._keep_waiting()
        self._has_waited = is_awaited
        self._shut()

    def _is_awaited(self) -> bool:
        watch = select.poll()
        watch.register(self._listener, select.POLLIN)
        return bool(watch.poll(0))

    def _lowest_free(self) -> int:
        try:
            descriptor = os.dup(self._listener.fileno())
        except OSError:
            return sys.maxsize
        os.close(descriptor)
        return descriptor


def descriptors_for(connections: int, listeners: int = 1) -> int:
    """Return the least limit of open files with which a server of some ports lets so many connections in."""
    highest = _OWN + (listeners - 1) + connections - 1
    return next(
        most for most in range(highest + 2, highest + _SPARE + 2) if highest_descriptor(most) >= highest
    )


def highest_descriptor(most: int) -> int:
    """Return the highest number that a connection's descriptor may have where there may be ``most``."""
    if most == resource.RLIM_INFINITY:
        return sys.maxsize
    return most - 1 - min(_SPARE, most // 8)
