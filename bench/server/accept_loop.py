"""Accept connections while descriptors are free, and leave the rest in the kernel's backlog.

asyncio's own server accepts until the process has no descriptor left, and then fails and logs once for each
place in the backlog, and again a second later: no client is served meanwhile.
"""

import asyncio
import os
import resource
import select
import socket
import sys
from collections.abc import Callable
from typing import Final

from bench.server.resource_needs import highest_descriptor

_BATCH: Final = 256
"""Connections accepted before those already open get their turn."""
_RETRY_S: Final = 0.002
"""Between two checks for a free descriptor: they take less than a hundredth of a core."""


class Acceptor:
    """Accepts connections, each with a protocol of its own.

    POSIX hands out the lowest free descriptor, so the number of the latest tells whether another is free;
    no protocol needs to report its end.

    ``note_connection`` is called before connections are accepted; ``count_wait`` once for each pair of
    consecutive checks between which clients had to wait.
    """

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: Callable[[], asyncio.BaseProtocol],
        note_connection: Callable[[], None],
        count_wait: Callable[[], None],
        highest: int | None = None,
    ) -> None:
        """``highest`` is the highest descriptor of a connection; ``None`` takes the process's limit."""
        self._listener = listener
        self._make_protocol = make_protocol
        self._note_connection = note_connection
        self._count_wait = count_wait
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._highest = highest_descriptor(limit) if highest is None else highest
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[object]] = set()
        self._retry_timer: asyncio.TimerHandle | None = None
        self._was_waiting = False

    def start(self) -> None:
        """Accept the connections in the backlog, and new ones as they come."""
        self._retry_timer = None
        self._was_waiting = False
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop accepting, and close the listener."""
        self._loop.remove_reader(self._listener.fileno())
        if self._retry_timer is not None:
            self._retry_timer.cancel()
        for handshake in self._handshakes:
            handshake.cancel()
        self._listener.close()

    def _accept(self) -> None:
        self._note_connection()
        for _ in range(_BATCH):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # descriptors or memory, of this process or of the whole system
                self._pause()
                return
            connection.settimeout(0)
            handshake = self._loop.create_task(
                self._loop.connect_accepted_socket(self._make_protocol, connection)
            )
            self._handshakes.add(handshake)
            handshake.add_done_callback(self._handshakes.discard)
            if connection.fileno() >= self._highest:
                self._pause()
                return

    def _pause(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._retry_timer = self._loop.call_later(_RETRY_S, self._retry)

    def _retry(self) -> None:
        """Accept again if a descriptor is free; otherwise check whether clients wait."""
        if self._lowest_free() <= self._highest:
            self.start()
            return
        is_waiting = self._is_backlog_waiting()
        # Count from the second check on: a connection whose end has been read is closed a moment later.
        if is_waiting and self._was_waiting:
            self._count_wait()
        self._was_waiting = is_waiting
        self._pause()

    def _is_backlog_waiting(self) -> bool:
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        return bool(poll.poll(0))

    def _lowest_free(self) -> int:
        try:
            descriptor = os.dup(self._listener.fileno())
        except OSError:
            return sys.maxsize
        os.close(descriptor)
        return descriptor
