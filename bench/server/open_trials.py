"""The trials being served: each of their rounds has an address, weather and a log of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import process_time

from bench.errors import UsageError
from bench.model.cases import Profile
from bench.model.planned_delays import PlannedDelay, is_steady, plan_delay
from bench.server.fault_responses import prepare_responses
from bench.server.request_log import Log, Writer
from bench.server.trial_urls import RoundName, is_trial_name, round_name, segment_of


class ServedRound:
    """One round as the server sees it: its weather, and who takes down what was answered."""

    def __init__(self, profile: Profile, seed: int, block: int, write: Writer) -> None:
        self.bandwidth = profile.bandwidth
        self.write = write
        self._profile = profile
        self._seed = seed
        self._block = block
        self._attempts: dict[str, int] = {}
        self._steady = plan_delay(profile, seed, block, "", 0) if is_steady(profile) else None

    def count(self, country: str) -> int:
        """Return which attempt at this country the request at hand is, from 0."""
        attempt = self._attempts.get(country, 0)
        self._attempts[country] = attempt + 1
        return attempt

    def forecast(self, country: str, attempt: int) -> PlannedDelay:
        """Tell what awaits a request."""
        return self._steady or plan_delay(self._profile, self._seed, self._block, country, attempt)


@dataclass(frozen=True, slots=True)
class Opening:
    """A trial that is about to be served, with the weather of its profile and block.

    Attributes:
        countries: what each round will ask for, in order and ``repeat`` times over; the witness compares
            the arrivals with it.
        warm_up_repeat: the same for round 0, where that is another one.
    """

    trial: str
    profile: Profile
    block: int
    countries: tuple[str, ...] = ()
    repeat: int = 1
    warm_up_repeat: int | None = None

    def times_asked(self, number: int) -> int:
        """Say how often a round will ask for each country."""
        return self.repeat if number or self.warm_up_repeat is None else self.warm_up_repeat


@dataclass(slots=True)
class RoundLog:
    """What was taken down of a round.

    Attributes:
        began_cpu_s: processor time that the server had used when its first request came.
        ended_cpu_s: the same when the next round of any trial began, or its own was closed.
    """

    log: Log
    began_cpu_s: float
    ended_cpu_s: float = 0.0


@dataclass(slots=True)
class _Trial:
    opening: Opening
    rounds: dict[int, RoundLog] = field(default_factory=dict)


class Trials:
    """The trials that are open, by name; their rounds come into being with their first request."""

    def __init__(self, seed: int, cpu_clock: Callable[[], float] = process_time) -> None:
        self._seed = seed
        self._cpu_clock = cpu_clock
        self._trials: dict[str, _Trial] = {}
        self._rounds: dict[bytes, ServedRound] = {}
        self._latest: RoundLog | None = None

    def open(self, opening: Opening) -> None:
        """Answer requests for the rounds of this trial from now on."""
        name = opening.trial
        if not is_trial_name(name):
            raise UsageError(
                f"trial {name!r} cannot be part of an address", hint="use letters, digits, _ and -"
            )
        if name in self._trials:
            raise UsageError(f"trial {name!r} is open already")
        prepare_responses(opening.profile)
        self._trials[name] = _Trial(opening)

    def opening(self, name: str) -> Opening:
        """Return what an open trial was opened with."""
        return self._trial(name).opening

    def logs(self, name: str) -> Mapping[int, Log]:
        """Return what was logged of an open trial, by round."""
        return {number: taken.log for number, taken in self._trial(name).rounds.items()}

    def rounds(self, name: str) -> frozenset[ServedRound]:
        """Return the rounds of an open trial that had a request."""
        return frozenset(
            self._rounds[segment_of(RoundName(name, number))] for number in self._trial(name).rounds
        )

    def close(self, name: str) -> Mapping[int, RoundLog]:
        """Return what was taken down of a trial, by round, and forget it."""
        trial = self._trial(name)
        if any(taken is self._latest for taken in trial.rounds.values()):
            self._end_latest(self._cpu_clock())
        del self._trials[name]
        for number in trial.rounds:
            del self._rounds[segment_of(RoundName(name, number))]
        return trial.rounds

    def find(self, segment: bytes) -> ServedRound | None:
        """Return the round that a segment such as ``t17.0`` stands for, ``None`` if its trial is not open."""
        return self._rounds.get(segment) or self._begin(segment)

    def _begin(self, segment: bytes) -> ServedRound | None:
        name = round_name(segment)
        trial = self._trials.get(name.trial) if name else None
        if name is None or trial is None:
            return None
        cpu_s = self._cpu_clock()
        self._end_latest(cpu_s)
        taken = self._latest = trial.rounds[name.number] = RoundLog(Log(), cpu_s)
        weather = trial.opening
        served = ServedRound(weather.profile, self._seed, weather.block, taken.log.add)
        self._rounds[segment] = served
        return served

    def _end_latest(self, cpu_s: float) -> None:
        """Note what the round that began last has used; of two trials only one is at work at a time."""
        if self._latest is not None:
            self._latest.ended_cpu_s = cpu_s
            self._latest = None

    def _trial(self, name: str) -> _Trial:
        trial = self._trials.get(name)
        if trial is None:
            raise UsageError(f"trial {name!r} is not open")
        return trial
