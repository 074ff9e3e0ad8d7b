"""Clients that begin a request and do not end it: how long they are waited for, and how many of them.

One timer serves all of them, and only while there are any: whose request comes in one piece, as nearly all
do, never gets here.
"""

import asyncio
from time import perf_counter
from typing import Final, NamedTuple, Protocol

_PATIENCE_S: Final = 10.0
"""From the first bytes of a request to its last."""
_MOST_PER_ADDRESS: Final = 256
"""Requests that one address may leave unfinished at a time."""


class SlowRequest(Protocol):
    """What is asked of a connection whose request has begun."""

    def hurry(self) -> None:
        """Answer that it has taken too long, and end the connection."""


class _Begun(NamedTuple):
    address: str
    at_s: float


class SlowRequests:
    """All whose request has begun and is not complete, the longest first."""

    def __init__(self) -> None:
        self._begun: dict[SlowRequest, _Begun] = {}
        self._by_address: dict[str, dict[SlowRequest, None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, laggard: SlowRequest, address: str) -> None:
        """Wait for a request; the oldest of its address gives way where there are too many."""
        same = self._by_address.get(address, {})
        if len(same) >= _MOST_PER_ADDRESS:
            self._give_up(next(iter(same)))
        self._by_address.setdefault(address, {})[laggard] = None
        self._begun[laggard] = _Begun(address, perf_counter())
        if self._timer is None:
            self._await_first()

    def end(self, laggard: SlowRequest) -> None:
        """Wait no longer: the request is complete, or its client gone."""
        begun = self._begun.pop(laggard)
        same = self._by_address[begun.address]
        del same[laggard]
        if not same:
            del self._by_address[begun.address]

    def _give_up(self, laggard: SlowRequest) -> None:
        self.end(laggard)
        laggard.hurry()

    def _await_first(self) -> None:
        """Give up whose time is over, and look again when that of the next will be."""
        self._timer = None
        while self._begun:
            laggard, begun = next(iter(self._begun.items()))
            left_s = begun.at_s + _PATIENCE_S - perf_counter()
            if left_s > 0:
                self._timer = asyncio.get_running_loop().call_later(left_s, self._await_first)
                return
            self._give_up(laggard)
