"""Advise on changes of a machine that make its timings vary less.

A value that cannot be read is reported as such, without advice.
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
_MAX_LOAD: Final = 0.5
"""Per core; above it, other processes may run on the cores of a trial."""
_LEAST_SHOWN: Final = 0.01
_MAX_STOLEN: Final = 0.01
_MAX_OTHERS: Final = 0.05
"""Cores on average; with ``disturbed: refuse``, a trial with four times as much is discarded."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A property of the machine that makes timings vary.

    Attributes:
        what: its name.
        value: its value, in words.
        source: the file or call from which the value was read.
        remedy: the change to make; empty if none is needed.
    """

    what: str
    value: str
    source: str
    remedy: str


def noise_advice(before: Machine, after: Machine, trials: Sequence[Measurement]) -> tuple[Advice, ...]:
    """Advise on a machine by its state before and after these trials, and by the conditions during each."""
    return (
        _check_governor(before),
        _check_boost(before),
        _check_smt(before),
        _check_load(before),
        _check_quota(before),
        _check_stolen(trials),
        _check_others(trials),
        _check_swapping(before, after),
    )


def noise_warnings(machine: Machine) -> tuple[str, ...]:
    """Warn before a run of properties that make timings vary and can be changed; one line each."""
    checks = (_check_governor, _check_boost, _check_load, _check_quota)
    return tuple(_write_warning(found) for check in checks if (found := check(machine)).remedy)


def quota_warning(machine: Machine) -> str | None:
    """Warn of a CPU quota below all cores; return None without one."""
    found = _check_quota(machine)
    return _write_warning(found) if found.remedy else None


def _write_warning(found: Advice) -> str:
    return f"{found.what}: {found.value} ({found.source}); {found.remedy}"


def _check_governor(machine: Machine) -> Advice:
    read = machine.governor
    is_steady = read.value is None or set(read.value.split(", ")) <= _STEADY
    remedy = "" if is_steady else "sudo cpupower frequency-set -g performance"
    return _advise_on_setting("frequency governor", read, remedy)


def _check_boost(machine: Machine) -> Advice:
    read = machine.boost
    off = 1 if read.source.endswith("no_turbo") else 0
    remedy = f"echo {off} | sudo tee {read.source}" if read.value == "on" else ""
    return _advise_on_setting("turbo", read, remedy)


def _check_smt(machine: Machine) -> Advice:
    read = machine.smt
    remedy = "echo off | sudo tee /sys/devices/system/cpu/smt/control" if read.value == "on" else ""
    return _advise_on_setting("SMT siblings", read, remedy)


def _check_load(machine: Machine) -> Advice:
    read, cores = machine.load, machine.cores.value
    if read.value is None or cores is None:
        return Advice("load", UNREADABLE, read.source, "")
    remedy = "end other processes; `top` shows them" if read.value > _MAX_LOAD * cores else ""
    return Advice("load", f"{read.value:.2f} on {_write_cores(cores)}", read.source, remedy)


def _check_quota(machine: Machine) -> Advice:
    read, cores = machine.quota, machine.cores.value
    if read.value is None:
        return Advice("CPU quota", UNREADABLE, read.source, "")
    if read.value == math.inf:
        return Advice("CPU quota", "none", read.source, "")
    is_tight = cores is not None and read.value < cores
    remedy = "start the container without a CPU limit" if is_tight else ""
    unknown = "" if read.source in machine.throttling or not is_tight else ", throttling is not readable here"
    return Advice("CPU quota", f"{_write_cores(read.value)}{unknown}", read.source, remedy)


def _check_stolen(trials: Sequence[Measurement]) -> Advice:
    read = _average(trials, lambda conditions: conditions.stolen)
    return _advise_on_cores("stolen by the host", read, _MAX_STOLEN, "use a machine that others do not share")


def _check_others(trials: Sequence[Measurement]) -> Advice:
    # stolen time has an advice of its own
    read = _average(trials, lambda conditions: max(0.0, conditions.strangers - conditions.stolen))
    return _advise_on_cores("used by others", read, _MAX_OTHERS, "end other processes; `top` shows them")


def _check_swapping(before: Machine, after: Machine) -> Advice:
    if before.swapped.value is None or after.swapped.value is None:
        return Advice("swapping", UNREADABLE, before.swapped.source, "")
    pages = after.swapped.value - before.swapped.value
    remedy = "free memory, so that nothing waits for the swap disk" if pages else ""
    return Advice("swapping", f"{pages:,.0f} pages" if pages else "none", before.swapped.source, remedy)


def _advise_on_setting(what: str, read: Setting, remedy: str) -> Advice:
    return Advice(what, UNREADABLE if read.value is None else read.value, read.source, remedy)


def _advise_on_cores(what: str, read: Figure, highest: float, remedy: str) -> Advice:
    if read.value is None:
        return Advice(what, UNREADABLE, read.source, "")
    value = _write_cores(read.value) if read.value else "none reported"
    return Advice(what, value, read.source, remedy if read.value > highest else "")


def _average(trials: Sequence[Measurement], cores: Callable[[Conditions], float]) -> Figure:
    """Average a condition over the time of all successful trials; discarded ones are not in the timings."""
    known = [
        (trial.took_s, trial.conditions)
        for trial in trials
        if trial.outcome == "ok" and trial.conditions is not None
    ]
    total_s = math.fsum(took_s for took_s, _ in known)
    if not total_s:
        return Figure(None, "/proc/stat")
    used_s = math.fsum(took_s * cores(conditions) for took_s, conditions in known)
    return Figure(used_s / total_s, "/proc/stat")


def _write_cores(value: float) -> str:
    if value < _LEAST_SHOWN:
        return f"less than {_LEAST_SHOWN} cores"
    return "1 core" if value == 1 else f"{value:.2g} cores"
