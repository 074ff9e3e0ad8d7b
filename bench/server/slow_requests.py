"""Time out requests that have begun and do not end, as slow-loris clients send them.

One timer serves all of them, and only while there are any: a request that comes in one piece, as nearly all
do, is never registered here.
"""

import asyncio
from time import perf_counter
from typing import NamedTuple, Protocol

from bench.server.connection_limits import ConnectionLimits


class SlowRequest(Protocol):
    """An incomplete request, or its connection."""

    def time_out(self) -> None:
        """Refuse the request because it has taken too long."""


class _Start(NamedTuple):
    address: str
    at_s: float


class SlowRequests:
    """The incomplete requests of a server, the oldest first."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._starts: dict[SlowRequest, _Start] = {}
        self._by_address: dict[str, dict[SlowRequest, None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, request: SlowRequest, address: str) -> None:
        """Wait for the rest of a request.

        The oldest one of its address is refused if there are too many.
        """
        same_address = self._by_address.get(address, {})
        if len(same_address) >= self._limits.slow_requests_per_address:
            self._refuse(next(iter(same_address)))
        self._by_address.setdefault(address, {})[request] = None
        self._starts[request] = _Start(address, perf_counter())
        if self._timer is None:
            self._check_oldest()

    def remove(self, request: SlowRequest) -> None:
        """Stop waiting: the request is complete, or its client has left."""
        address, _ = self._starts.pop(request)
        same_address = self._by_address[address]
        del same_address[request]
        if not same_address:
            del self._by_address[address]

    def _refuse(self, request: SlowRequest) -> None:
        self.remove(request)
        request.time_out()

    def _check_oldest(self) -> None:
        """Refuse the requests that are overdue, and set the timer for the next."""
        self._timer = None
        while self._starts:
            request, start = next(iter(self._starts.items()))
            left_s = start.at_s + self._limits.request_s - perf_counter()
            if left_s > 0:
                self._timer = asyncio.get_running_loop().call_later(left_s, self._check_oldest)
                return
            self._refuse(request)
