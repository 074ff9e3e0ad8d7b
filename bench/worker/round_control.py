"""When the rounds of a trial are due: as the worker itself finds, or whenever the harness says so."""

import os
from collections.abc import Callable, Sequence
from typing import TypeAlias

from bench.worker.events import Awaiting, Event, WarmedUp
from bench.worker.protocol import (
    AUTO_ROUNDS,
    AUTO_TIMED_S,
    FIXED_ROUNDS,
    FIXED_TIMED_S,
    Task,
    TimedRound,
)

Pace: TypeAlias = Callable[[Sequence[TimedRound]], bool]
"""Says of the rounds so far whether another one is due, and returns when that may begin."""


def own_pace(task: Task, tell: Callable[[Event], None]) -> Pace:
    """Go on without asking; tell once when the warm-up is over."""

    def is_due(rounds: Sequence[TimedRound]) -> bool:
        is_wanted = wants_round(task, rounds)
        if is_wanted and len(rounds) == 1:
            tell(WarmedUp())
        return is_wanted

    return is_due


def set_pace(commands: int, tell: Callable[[Event], None]) -> Pace:
    """Wait before each round for a byte from a descriptor, whose end is that of the trial."""

    def is_due(rounds: Sequence[TimedRound]) -> bool:
        tell(Awaiting(len(rounds)))
        return bool(os.read(commands, 1))

    return is_due


def wants_round(task: Task, rounds: Sequence[TimedRound]) -> bool:
    """Say whether another round is due: the warm-up, and then as many as asked or as time one well."""
    if task.live or not rounds:
        return not rounds
    timed = len(rounds) - 1
    timed_s = sum(each.elapsed_s for each in rounds[1:])
    if task.rounds is None:
        return timed < AUTO_ROUNDS and timed_s < AUTO_TIMED_S
    return timed < task.rounds or (timed < FIXED_ROUNDS and timed_s < FIXED_TIMED_S)
