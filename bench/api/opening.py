"""Note when a client was opened.

So the time of opening can be told from that of the fetches. What gevent replaces by greenlets is looked up
in ``threading`` at each use, since it may do so after this import.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Generic, Literal, NamedTuple, Self, TypeVar

T = TypeVar("T")

_latest: "Final[dict[int, Opening]]" = {}
"""By thread, the opening that no fetch has taken yet."""


class Opening(NamedTuple):
    """The opening of a client, by ``time.perf_counter()``, and the downloads that had to wait for it.

    Attributes:
        opened_in: ``thread`` if only those that share the client had to wait, ``loop`` if the whole event
            loop had to.
    """

    opening_s: float
    opened_s: float
    opened_in: Literal["thread", "loop"]


def take_opening() -> Opening | None:
    """Return the opening within the fetch of this thread that has just ended, once; None without one."""
    return _latest.pop(threading.get_ident(), None) if _latest else None


class PerThread(Generic[T]):
    """One resource of a client for each thread, opened when the thread first asks, closed with this one."""

    def __init__(self, open_resource: Callable[[], AbstractContextManager[T]]) -> None:
        self._open = open_resource
        self._local = threading.local()
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        return self._opened.__exit__(kind, error, trace)

    def get(self) -> T:
        """Return this thread's resource."""
        resource: T | None = getattr(self._local, "resource", None)
        if resource is None:
            opening_s = perf_counter()
            resource = self._local.resource = self._opened.enter_context(self._open())
            _latest[threading.get_ident()] = Opening(opening_s, perf_counter(), "thread")
        return resource
