"""Advice and warnings about a machine."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from bench.model.results import Conditions, Measurement
from bench.system.machine import Figure, Machine, Setting
from bench.system.noise_advice import UNREADABLE, Advice, noise_advice, noise_warnings, quota_warning
from tests.builders import case, trials

QUIET = Machine(
    cores=Figure(2, "call"),
    governor=Setting("performance", "governor file"),
    boost=Setting("off", "/sys/no_turbo"),
    smt=Setting("off", "smt file"),
    load=Figure(0.4, "/proc/loadavg"),
    quota=Figure(math.inf, "quota file"),
    swapped=Figure(10, "/proc/vmstat"),
)
HIDDEN = Machine(
    cores=Figure(2, "call"),
    governor=Setting(None, "governor file"),
    boost=Setting(None, "boost file"),
    smt=Setting(None, "smt file"),
    load=Figure(None, "/proc/loadavg"),
    quota=Figure(None, "quota file"),
    swapped=Figure(None, "/proc/vmstat"),
)


def during(stolen: float, strangers: float) -> list[Measurement]:
    """Build a disturbed trial, and a quiet one that is three times as long."""
    first, second = trials(case(), [0.1, 0.1])
    return [
        replace(first, took_s=1.0, conditions=Conditions(strangers, stolen)),
        replace(second, took_s=3.0, conditions=Conditions(0.0, 0.0)),
    ]


def on(
    what: str, before: Machine = QUIET, after: Machine = QUIET, measured: list[Measurement] | None = None
) -> Advice:
    """Return the advice on one thing."""
    return next(found for found in noise_advice(before, after, measured or []) if found.what == what)


def test_quiet_machine_needs_no_change() -> None:
    found = noise_advice(QUIET, QUIET, during(0.0, 0.0))
    assert [each.remedy for each in found] == [""] * 8
    assert all(each.source for each in found)
    assert UNREADABLE not in {each.value for each in found}


def test_unreadable_properties_get_no_advice() -> None:
    found = noise_advice(HIDDEN, HIDDEN, [])
    assert [(each.value, each.remedy) for each in found] == [(UNREADABLE, "")] * 8
    assert noise_warnings(HIDDEN) == ()


@pytest.mark.parametrize(
    ("machine", "what", "value", "remedy"),
    [
        (
            replace(QUIET, governor=Setting("powersave", "f")),
            "frequency governor",
            "powersave",
            "performance",
        ),
        (
            replace(QUIET, governor=Setting("performance, schedutil", "f")),
            "frequency governor",
            "schedutil",
            "cpupower",
        ),
        (replace(QUIET, boost=Setting("on", "/a/no_turbo")), "turbo", "on", "echo 1 | sudo tee /a/no_turbo"),
        (replace(QUIET, boost=Setting("on", "/a/boost")), "turbo", "on", "echo 0 | sudo tee /a/boost"),
        (replace(QUIET, smt=Setting("on", "f")), "SMT siblings", "on", "echo off"),
        (replace(QUIET, load=Figure(1.31, "f")), "load", "1.31 on 2 cores", "end other processes"),
        (replace(QUIET, quota=Figure(1.5, "f")), "CPU quota", "1.5 cores", "without a CPU limit"),
    ],
)
def test_property_that_makes_timings_vary_has_a_remedy(
    machine: Machine, what: str, value: str, remedy: str
) -> None:
    found = on(what, before=machine)
    assert value in found.value
    assert remedy in found.remedy


def test_quota_of_all_cores_needs_no_change() -> None:
    assert on("CPU quota", before=replace(QUIET, quota=Figure(2.0, "f"))).remedy == ""


def test_conditions_are_averaged_over_the_time_of_the_trials() -> None:
    measured = during(stolen=0.4, strangers=0.8)
    assert on("stolen by the host", measured=measured).value == "0.1 cores"
    assert on("stolen by the host", measured=measured).remedy != ""
    assert on("used by others", measured=measured).value == "0.1 cores"
    assert on("used by others", measured=measured).remedy != ""
    assert on("used by others", measured=during(0.0, 0.02)).value == "less than 0.01 cores"
    assert on("used by others", measured=during(0.0, 0.02)).remedy == ""


def test_stolen_time_is_not_counted_as_used_by_others() -> None:
    measured = during(stolen=0.4, strangers=0.4)
    assert on("stolen by the host", measured=measured).remedy != ""
    assert on("used by others", measured=measured).value == "none reported"
    assert on("used by others", measured=measured).remedy == ""


@pytest.mark.parametrize("what", ["stolen by the host", "used by others"])
def test_discarded_trials_do_not_count(what: str) -> None:
    busy, quiet = during(stolen=0.4, strangers=0.8)
    assert on(what, measured=[replace(busy, outcome="invalid"), quiet]).value == "none reported"
    assert on(what, measured=[busy, replace(quiet, outcome="timeout")]).value == "0.4 cores"


def test_no_stolen_time_is_written_as_none_reported() -> None:
    assert on("stolen by the host", measured=during(0.0, 0.0)).value == "none reported"


def test_only_pages_swapped_between_both_readings_count() -> None:
    assert on("swapping").value == "none"
    found = on("swapping", after=replace(QUIET, swapped=Figure(1510, "/proc/vmstat")))
    assert found.value == "1,500 pages"
    assert found.remedy != ""


def test_governor_turbo_load_and_quota_are_warned_of_before_a_run() -> None:
    # siblings are not warned of, since pinning keeps them apart
    loud = replace(
        QUIET,
        governor=Setting("ondemand", "f"),
        boost=Setting("on", "/a/boost"),
        load=Figure(1.01, "f"),
        smt=Setting("on", "f"),
        quota=Figure(0.5, "/g/cpu.max"),
        throttling={"/g/cpu.max": Path("/g/cpu.stat")},
    )
    assert noise_warnings(loud) == (
        "frequency governor: ondemand (f); sudo cpupower frequency-set -g performance",
        "turbo: on (/a/boost); echo 0 | sudo tee /a/boost",
        "load: 1.01 on 2 cores (f); end other processes; `top` shows them",
        "CPU quota: 0.5 cores (/g/cpu.max); start the container without a CPU limit",
    )
    assert quota_warning(loud) == noise_warnings(loud)[-1]


def test_quota_whose_throttling_cannot_be_counted_says_so() -> None:
    found = quota_warning(replace(QUIET, quota=Figure(1.5, "/g/cpu.max")))
    assert found == (
        "CPU quota: 1.5 cores, throttling is not readable here (/g/cpu.max); "
        "start the container without a CPU limit"
    )


@pytest.mark.parametrize("cores", [2.0, 8.0, math.inf, None])
def test_quota_of_all_cores_or_none_is_not_warned_of(cores: float | None) -> None:
    assert quota_warning(replace(QUIET, quota=Figure(cores, "f"))) is None


@pytest.mark.parametrize("load", [0.0, 1.0])
def test_load_of_up_to_half_a_process_per_core_is_not_warned_of(load: float) -> None:
    assert noise_warnings(replace(QUIET, load=Figure(load, "f"))) == ()
