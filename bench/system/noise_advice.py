"""What to change about a machine, so that less of it is in the timings.

Of what was read, each with how; what cannot be read is said to be so and left alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.model.results import Conditions, Measurement
from bench.system.machine import Figure, Machine, Setting

UNREADABLE: Final = "not readable here"
_STEADY: Final = frozenset({"performance", "userspace"})
"""Governors that leave the frequency alone."""
_MOST_LOAD: Final = 0.5
"""Per core; above it, some of what was running meets some of what is timed."""
_LEAST_SHOWN: Final = 0.01
_MOST_STOLEN: Final = 0.01
_MOST_STRANGERS: Final = 0.05
"""Cores on average. A trial is refused for four times as much, so these are what remains in the timings."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing about the machine that makes timings vary.

    Attributes:
        what: its name.
        value: as it was found, in words.
        source: the file or call from which that was read.
        remedy: what to do about it; empty where there is nothing to do.
    """

    what: str
    value: str
    source: str
    remedy: str


def noise_advice(before: Machine, after: Machine, trials: Sequence[Measurement]) -> tuple[Advice, ...]:
    """Judge a machine by what was read of it before and after these trials, and during each."""
    return (
        _governor(before),
        _boost(before),
        _siblings(before),
        _load(before),
        _quota(before),
        _stolen(trials),
        _strangers(trials),
        _swapped(before, after),
    )


def noise_warnings(machine: Machine) -> tuple[str, ...]:
    """Say, before anything is timed, what will make timings vary and can be changed; a sentence each."""
    return tuple(
        f"{found.what}: {found.value}; {found.remedy}"
        for found in (_governor(machine), _boost(machine), _load(machine), _quota(machine))
        if found.remedy
    )


def _governor(machine: Machine) -> Advice:
    read = machine.governor
    is_steady = read.value is None or set(read.value.split(", ")) <= _STEADY
    remedy = "" if is_steady else "sudo cpupower frequency-set -g performance"
    return _setting("frequency governor", read, remedy)


def _boost(machine: Machine) -> Advice:
    read = machine.boost
    sign = 1 if read.source.endswith("no_turbo") else 0
    return _setting("turbo", read, f"echo {sign} | sudo tee {read.source}" if read.value == "on" else "")


def _siblings(machine: Machine) -> Advice:
    read = machine.smt
    remedy = "echo off | sudo tee /sys/devices/system/cpu/smt/control" if read.value == "on" else ""
    return _setting("SMT siblings", read, remedy)


def _load(machine: Machine) -> Advice:
    read, cores = machine.load, machine.cores.value
    if read.value is None or cores is None:
        return Advice("load", UNREADABLE, read.source, "")
    remedy = "end what else runs; `top` names it" if read.value > _MOST_LOAD * cores else ""
    return Advice("load", f"{read.value:.2f} on {_in_cores(cores)}", read.source, remedy)


def _quota(machine: Machine) -> Advice:
    read, cores = machine.quota, machine.cores.value
    if read.value is None:
        return Advice("CPU quota", UNREADABLE, read.source, "")
    if read.value == math.inf:
        return Advice("CPU quota", "none", read.source, "")
    is_tight = cores is not None and read.value < cores
    remedy = "start the container without a limit of processor time" if is_tight else ""
    return Advice("CPU quota", _in_cores(read.value), read.source, remedy)


def _stolen(trials: Sequence[Measurement]) -> Advice:
    read = _on_average(trials, lambda conditions: conditions.stolen)
    return _during("stolen by the host", read, _MOST_STOLEN, "take a machine that others do not share")


def _strangers(trials: Sequence[Measurement]) -> Advice:
    # what is stolen has an advice of its own
    read = _on_average(trials, lambda conditions: max(0.0, conditions.strangers - conditions.stolen))
    return _during("used by others", read, _MOST_STRANGERS, "end what else runs; `top` names it")


def _swapped(before: Machine, after: Machine) -> Advice:
    if before.swapped.value is None or after.swapped.value is None:
        return Advice("swapping", UNREADABLE, before.swapped.source, "")
    pages = after.swapped.value - before.swapped.value
    remedy = "free memory: what is swapped is waited for" if pages else ""
    return Advice("swapping", f"{pages:,.0f} pages" if pages else "none", before.swapped.source, remedy)


def _setting(what: str, read: Setting, remedy: str) -> Advice:
    return Advice(what, UNREADABLE if read.value is None else read.value, read.source, remedy)


def _during(what: str, read: Figure, most: float, remedy: str) -> Advice:
    if read.value is None:
        return Advice(what, UNREADABLE, read.source, "")
    value = _in_cores(read.value) if read.value else "none reported"
    return Advice(what, value, read.source, remedy if read.value > most else "")


def _on_average(trials: Sequence[Measurement], cores: Callable[[Conditions], float]) -> Figure:
    """Average over the time of the trials that are in the timings: those that were refused are not."""
    known = [
        (trial.took_s, trial.conditions)
        for trial in trials
        if trial.outcome == "ok" and trial.conditions is not None
    ]
    took_s = math.fsum(each_s for each_s, _ in known)
    if not took_s:
        return Figure(None, "/proc/stat")
    used_s = math.fsum(each_s * cores(conditions) for each_s, conditions in known)
    return Figure(used_s / took_s, "/proc/stat")


def _in_cores(value: float) -> str:
    if value < _LEAST_SHOWN:
        return f"less than {_LEAST_SHOWN} cores"
    return "1 core" if value == 1 else f"{value:.2g} cores"
