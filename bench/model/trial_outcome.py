"""The outcome of a trial, and the reason why it is not valid.

Used by the worker and the runner. A module of its own because every worker imports it:
``bench.model.results`` would double its cold start.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal[
    "ok", "error", "crash", "timeout", "corrupt", "missing", "unexpected", "escape", "invalid"
]
"""Stored with each measurement; an ``invalid`` trial says nothing about its strategy, and is discarded."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """The reason why a round or a trial does not count.

    Attributes:
        detail: one line for the user.
        of_trial: said of an ``invalid`` trial that gave the reason itself: if its last attempt does, the
            strategy has failed.
    """

    outcome: Outcome
    detail: str
    of_trial: bool = False
