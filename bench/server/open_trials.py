"""Keep the open trials and their rounds, and find the round of a URL.

A trial is served below ``/-/<trial>``, each of its rounds below ``/-/<trial>.<round>``. The prefix separates
the requests of rounds without asking the client for anything but a base URL.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import process_time
from typing import Final

from bench.errors import SetupError, UsageError
from bench.model.function_call import CURRENT_ROUND, ROUND_DIGITS
from bench.model.served_trials import Opening
from bench.server.fault_responses import prepare_responses
from bench.server.request_log import RequestLog
from bench.server.served_round import ServedRound

TRIALS_PREFIX: Final = b"/-/"

_TRIAL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CURRENT: Final = f".{CURRENT_ROUND}".encode()
_ROUND: Final = re.compile(rb"([A-Za-z0-9_-]{1,64})\.(0|[1-9][0-9]{0,5})")


def trial_url(base_url: str, trial: str) -> str:
    """Return the address of a trial; ``.<round>`` is added for each round."""
    return f"{base_url}{TRIALS_PREFIX.decode()}{trial}"


def _open_round_file(file: str) -> int | None:
    try:
        return os.open(file, os.O_RDONLY) if file else None
    except OSError as error:
        raise SetupError(
            f"the server cannot open {file}: {error.strerror}", hint="end other runs, or raise ulimit -n"
        ) from error


@dataclass(slots=True)
class RoundLog:
    """The log of a round, and the server's processor time in it.

    Attributes:
        began_cpu_s: the server's processor time when the first connection for the round was accepted, or at
            its first request if that came on an earlier connection.
        ended_cpu_s: the same after its last response, before the server did anything else.
    """

    log: RequestLog
    began_cpu_s: float
    ended_cpu_s: float
    _noted: int = field(init=False, repr=False, default=0)

    def note_responses(self, cpu_clock: Callable[[], float]) -> bool:
        """Note the processor time if a response ended since the last call, and tell whether one did.

        Called before any other work than responses: reading the clock at each would cost 2 % of a response.
        """
        if len(self.log) == self._noted:
            return False
        self._noted, self.ended_cpu_s = len(self.log), cpu_clock()
        return True


@dataclass(slots=True)
class _Trial:
    opening: Opening
    round_file: int | None = None
    logs: dict[int, RoundLog] = field(default_factory=dict)
    segments: dict[bytes, ServedRound] = field(default_factory=dict)


class OpenTrials:
    """The open trials by name; a round starts with its first request."""

    def __init__(self, seed: int, cpu_clock: Callable[[], float] = process_time) -> None:
        self._seed = seed
        self._cpu_clock = cpu_clock
        self._trials: dict[str, _Trial] = {}
        self._rounds: dict[bytes, ServedRound] = {}
        self._latest: RoundLog | None = None
        self._connected_cpu_s: float | None = None

    def open(self, opening: Opening) -> None:
        """Answer requests for the rounds of a trial from now on."""
        name = opening.trial
        if not _TRIAL.fullmatch(name):
            raise UsageError(
                f"trial {name!r} cannot be part of an address", hint="use letters, digits, _ and -"
            )
        if name in self._trials:
            raise UsageError(f"trial {name!r} is open already")
        prepare_responses(opening.profile)
        self._trials[name] = _Trial(opening, _open_round_file(opening.round_file))

    def opening(self, name: str) -> Opening:
        """Return the message that opened a trial."""
        return self._trial(name).opening

    def logs(self, name: str) -> Mapping[int, RequestLog]:
        """Return the logs of an open trial by round; computing anything of them is no work for a round."""
        self._end_latest()
        return {number: each.log for number, each in self._trial(name).logs.items()}

    def rounds(self, name: str) -> frozenset[ServedRound]:
        """Return the rounds of an open trial that had a request."""
        return frozenset(self._trial(name).segments.values())

    def close(self, name: str) -> Mapping[int, RoundLog]:
        """Return the logs of a trial by round, and forget the trial."""
        trial = self._trial(name)
        self._end_latest()  # what the server computes then is no work for any round
        del self._trials[name]
        if trial.round_file is not None:
            os.close(trial.round_file)
        for segment in trial.segments:
            del self._rounds[segment]
        return trial.logs

    def note_connection(self) -> None:
        """Note that connections come: the first since the last response is work for the next round."""
        self._note_responses()
        if self._connected_cpu_s is None:
            self._connected_cpu_s = self._cpu_clock()

    def note_connection_end(self) -> None:
        """Note that a connection has ended: cleaning up after the last response is no work for a round."""
        self._note_responses()

    def find_round(self, segment: bytes) -> ServedRound | None:
        """Return the round of a path segment such as ``t17.0``, or None if its trial is not open."""
        return self._rounds.get(segment) or self._start_round(segment)

    def number_current(self, segment: bytes) -> bytes | None:
        """Return the segment of the round that ``t17.current`` stands for now, or None if there is none.

        The worker writes its number to a file before each round.
        """
        name, _, _ = segment.partition(_CURRENT)
        trial = self._trials.get(name.decode(errors="replace")) if segment.endswith(_CURRENT) else None
        if trial is None or trial.round_file is None:
            return None
        number = os.pread(trial.round_file, ROUND_DIGITS, 0)
        return name + b"." + (number.lstrip(b"0") or b"0")

    def _start_round(self, segment: bytes) -> ServedRound | None:
        match = _ROUND.fullmatch(segment)
        trial = self._trials.get(match[1].decode()) if match else None
        if match is None or trial is None:
            return None
        self._note_responses()
        began_cpu_s = self._cpu_clock() if self._connected_cpu_s is None else self._connected_cpu_s
        self._connected_cpu_s = None
        log = self._latest = trial.logs[int(match[2])] = RoundLog(RequestLog(), began_cpu_s, began_cpu_s)
        served = ServedRound(trial.opening.profile, self._seed, trial.opening.block, log.log.add)
        self._rounds[segment] = trial.segments[segment] = served
        return served

    def _note_responses(self) -> None:
        """Note the processor time of the latest round; of two open trials only one works at a time."""
        if self._latest is not None and self._latest.note_responses(self._cpu_clock):
            self._connected_cpu_s = None

    def _end_latest(self) -> None:
        self._note_responses()
        self._latest = self._connected_cpu_s = None

    def _trial(self, name: str) -> _Trial:
        trial = self._trials.get(name)
        if trial is None:
            raise UsageError(f"trial {name!r} is not open")
        return trial
