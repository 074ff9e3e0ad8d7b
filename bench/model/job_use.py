"""The use that a strategy makes of its job, as its warm-up shows.

Workers report it, and runs store it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobUse:
    """The use of a job in a warm-up, in the worker and in the processes that it started.

    Attributes:
        clients: the kinds of clients that were opened, ``sync`` and ``async``, in this order.
        workers: whether ``job.workers`` was read.
    """

    clients: tuple[str, ...]
    workers: bool
