"""Who gets which cores."""

import os

import pytest

from bench.system.cpu_affinity import Pinning, plan, restrict_to, usable_cores


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
def test_cores_are_shared_out_whole(cores: list[tuple[int, ...]], planned: Pinning) -> None:
    """Server, worker and harness apart where there are three; siblings stay together."""
    assert plan(cores) == planned


def test_the_worker_has_what_it_is_kept_to_or_all_there_is() -> None:
    """As many processors as this process may use, and not as many as the machine has."""
    assert Pinning(worker=(1, 3, 5)).worker_processors == 3
    with restrict_to([min(os.sched_getaffinity(0))]):
        assert Pinning().worker_processors == 1


def test_usable_cores_are_those_of_this_process() -> None:
    """Every processor once."""
    processors = [processor for core in usable_cores() for processor in core]
    assert sorted(processors) == sorted(os.sched_getaffinity(0))


def test_a_thread_is_kept_for_a_while() -> None:
    """And then free again."""
    before = os.sched_getaffinity(0)
    one = min(before)
    with restrict_to([one]):
        assert os.sched_getaffinity(0) == {one}
    assert os.sched_getaffinity(0) == before
    with restrict_to([]):
        assert os.sched_getaffinity(0) == before
