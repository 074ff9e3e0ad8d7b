"""Sampling real process trees."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.system import process_probes
from bench.system.process_probes import Peaks
from bench.system.process_tree import process_and_descendants

_PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
_CHILD = "import sys; held = bytearray(50_000_000); print('ready', flush=True); sys.stdin.read()"


@contextmanager
def family() -> Iterator[int]:
    """Start a process whose child holds fifty megabytes; yield its id."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        try:
            yield parent.pid
        finally:
            parent.communicate()


def test_memory_and_handles_of_children_are_included() -> None:
    with family() as parent:
        pids = process_and_descendants(parent)
        assert len(pids) == 2
        assert pids[0] == parent
        assert (
            process_probes.sample_memory(pids)["memory_bytes"]
            - process_probes.sample_memory([parent])["memory_bytes"]
            > 50_000_000
        )
        assert process_probes.sample_handles(pids)["threads"] == 2
        assert process_probes.sample_handles(pids)["descriptors"] >= 6


def test_peaks_keep_the_highest_values_after_a_process_has_ended() -> None:
    peaks = Peaks(["memory", "handles", "cpu"])
    with family() as parent:
        peaks.sample(parent)
    seen = dict(peaks.seen)
    peaks.sample(parent)
    assert peaks.seen == seen
    assert seen["memory_bytes"] > 50_000_000


@pytest.mark.parametrize(
    ("probes", "figures"), [([], set()), (["cpu"], set()), (["handles"], {"threads", "descriptors"})]
)
def test_only_requested_probes_are_sampled(probes: list[str], figures: set[str]) -> None:
    peaks = Peaks(probes)
    assert peaks.is_watching == bool(figures)
    peaks.sample(os.getpid())
    assert set(peaks.seen) == figures


def test_ended_process_has_no_figures() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    peaks = Peaks(["memory", "handles"])
    peaks.sample(gone.pid)
    assert peaks.seen == {}


@pytest.mark.long
def test_hundred_samples_take_less_than_five_seconds() -> None:
    peaks = Peaks(["memory", "handles"])
    began_s = time.monotonic()
    for _ in range(100):
        peaks.sample(os.getpid())
    assert time.monotonic() - began_s < 5
