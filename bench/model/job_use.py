"""The use that a strategy makes of its job, as its warm-up shows.

Workers report it, and runs store it.
"""

from dataclasses import dataclass

from bench.model.json_codec import added_field


@dataclass(frozen=True, slots=True)
class JobUse:
    """The use of a job in a warm-up, in the worker and in the processes that it started.

    Attributes:
        clients: the kinds of clients that were opened, ``sync`` and ``async``, in this order.
        workers: whether ``job.workers`` was read.
        event_loops: the classes of the event loops in which clients were opened, such as ``uvloop.Loop``;
            that of trio has none and is called ``trio``.
    """

    clients: tuple[str, ...]
    workers: bool
    event_loops: tuple[str, ...] = added_field(tuple)
