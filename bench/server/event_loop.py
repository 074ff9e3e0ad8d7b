"""Create an event loop whose timers are microseconds late rather than up to a millisecond.

``epoll_wait`` counts in whole milliseconds, and asyncio rounds up so as never to be early. ``select``
counts in microseconds, and it can wait for an epoll descriptor.
"""

import asyncio
import select
import selectors
import sys
from collections.abc import Mapping
from typing import Any, Final, cast


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Create asyncio's own loop, with a finer selector where the platform's is coarse.

    uvloop is no alternative: it rounds timers to whole milliseconds and so answers early.
    """
    return asyncio.SelectorEventLoop(_FineSelector() if sys.platform == "linux" else None)


if sys.platform == "linux":
    _EPOLL_EVENTS: Final = {selectors.EVENT_READ: select.EPOLLIN, selectors.EVENT_WRITE: select.EPOLLOUT}
    _EVENTS: Final = {epoll_event: event for event, epoll_event in _EPOLL_EVENTS.items()}
    _BOTH: Final = selectors.EVENT_READ | selectors.EVENT_WRITE

    class _FineSelector(selectors.BaseSelector):
        """As much of a selector as asyncio needs: files are known by their descriptors only."""

        def __init__(self) -> None:
            self._epoll = select.epoll()
            self._keys: dict[int, selectors.SelectorKey] = {}

        def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
            """Add a file."""
            descriptor = cast("int", fileobj)
            key = selectors.SelectorKey(descriptor, descriptor, events, data)
            self._epoll.register(descriptor, _EPOLL_EVENTS.get(events, select.EPOLLIN | select.EPOLLOUT))
            self._keys[descriptor] = key
            return key

        def unregister(self, fileobj: Any) -> selectors.SelectorKey:
            """Remove a file."""
            self._epoll.unregister(fileobj)
            return self._keys.pop(fileobj)

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            """Wait at most ``timeout`` seconds, to the microsecond, until files are ready."""
            if timeout is not None and timeout > 0:
                select.select([self._epoll], [], [], timeout)
            keys = self._keys
            # Errors and hang-ups wake reader and writer alike, if asyncio has both; each finds the reason.
            return [
                (keys[descriptor], _EVENTS.get(event, _BOTH))
                for descriptor, event in self._epoll.poll(None if timeout is None else 0)
                if descriptor in keys
            ]

        def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
            """Return the registered files by descriptor."""
            return self._keys

        def close(self) -> None:
            """Close the epoll descriptor."""
            self._epoll.close()
            self._keys.clear()
