"""Assigning CPU cores."""

import os

import pytest

from bench.system.cpu_affinity import Pinning, assign_cores, restrict_to, usable_cores


@pytest.mark.parametrize(
    ("cores", "planned"),
    [
        ([], Pinning()),
        ([(0,)], Pinning()),
        ([(0, 1)], Pinning()),
        ([(0,), (1,)], Pinning(server=(0,), worker=(1,), harness=(0,))),
        ([(0, 2), (1, 3)], Pinning(server=(0, 2), worker=(1, 3), harness=(0, 2))),
        ([(0,), (1,), (2,)], Pinning(server=(0,), worker=(2,), harness=(1,))),
        (
            [(0, 4), (1, 5), (2, 6), (3, 7)],
            Pinning(server=(0, 4), worker=(2, 3, 6, 7), harness=(1, 5)),
        ),
    ],
)
def test_whole_cores_are_assigned_to_server_worker_and_harness(
    cores: list[tuple[int, ...]], planned: Pinning
) -> None:
    assert assign_cores(cores) == planned


def test_worker_processors_are_the_pinned_ones_or_all_usable_ones() -> None:
    assert Pinning(worker=(1, 3, 5)).worker_processors == 3
    with restrict_to([min(os.sched_getaffinity(0))]):
        assert Pinning().worker_processors == 1


def test_usable_cores_hold_every_processor_of_this_process_once() -> None:
    processors = [processor for core in usable_cores() for processor in core]
    assert sorted(processors) == sorted(os.sched_getaffinity(0))


def test_restriction_ends_with_its_context() -> None:
    before = os.sched_getaffinity(0)
    one = min(before)
    with restrict_to([one]):
        assert os.sched_getaffinity(0) == {one}
    assert os.sched_getaffinity(0) == before
    with restrict_to([]):
        assert os.sched_getaffinity(0) == before
