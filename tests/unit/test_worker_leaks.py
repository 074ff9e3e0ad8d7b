"""Threads and descriptors that a strategy leaves behind, told from those that nobody can close."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from bench.system.paths import import_path
from bench.worker import leaks
from bench.worker.leaks import count_leaks, count_resources
from bench.worker.protocol import HeldResources
from tests.runs import wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs the names of threads")


def end(thread: threading.Thread) -> None:
    """Wait until a thread has ended, for the system as well, which counts it for a moment longer."""
    thread.join()
    wait_until(lambda: not Path(f"/proc/self/task/{thread.native_id}").exists(), 10)


@contextmanager
def a_thread_named(name: str) -> Iterator[None]:
    """Run a thread whose name the system knows, as that of a library."""
    is_over = threading.Event()
    thread = threading.Thread(target=is_over.wait)
    thread.start()
    Path(f"/proc/self/task/{thread.native_id}/comm").write_text(name, "utf-8")
    try:
        yield
    finally:
        is_over.set()
        end(thread)


@contextmanager
def descriptors(number: int) -> Iterator[None]:
    """Hold some descriptors."""
    held = [os.eventfd(0) for _ in range(number)]
    try:
        yield
    finally:
        for each in held:
            os.close(each)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> str:
    """Have a library with a runtime; threads of real ones may be in this process."""
    monkeypatch.setattr(leaks, "_RUNTIME_THREADS", {"a_library": "its-runtime"})
    return "a_library"


def test_runtime_of_a_loaded_library_is_no_leak(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays until the process ends; what is open beside it is a leak."""
    before = count_resources()
    with a_thread_named("its-runtime"), a_thread_named("its-runtime"), descriptors(3):
        assert count_leaks(before) == HeldResources(2, 3)
        monkeypatch.setitem(sys.modules, library, ModuleType(library))
        assert count_leaks(before) == HeldResources(0, 0)
        with a_thread_named("another"), descriptors(2):
            assert count_leaks(before) == HeldResources(1, 2)


def test_pool_of_threads_of_a_loaded_library_is_no_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads are of Python, and known by how their names begin; nothing else is left out."""
    monkeypatch.setattr(leaks, "_POOLS", {"a_library": "Its-Pool"})
    is_over = threading.Event()
    threads = [threading.Thread(target=is_over.wait, name=name) for name in ("Its-Pool_0", "My-Its-Pool")]
    before = count_resources()
    for thread in threads:
        thread.start()
    try:
        assert count_leaks(before) == HeldResources(2, 0)
        monkeypatch.setitem(sys.modules, "a_library", ModuleType("a_library"))
        assert count_leaks(before) == HeldResources(1, 0)
    finally:
        is_over.set()
        for thread in threads:
            end(thread)


def test_pool_of_dask_is_known_by_the_names_of_its_threads() -> None:
    """In a process of its own: what it imports stays, and so does the pool."""
    code = (
        "import threading; from distributed.utils import _offload_executor as pool; "
        "from bench.worker.leaks import count_leaks, count_resources; before = count_resources(); "
        "pool.submit(int).result(); print(threading.active_count(), count_leaks(before))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(import_path())}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=environment
    )
    assert ended.stdout == f"2 {HeldResources(0, 0)}\n"


def test_loaded_library_whose_runtime_has_not_started_hides_no_leak(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, ModuleType(library))
    before = count_resources()
    with descriptors(3):
        assert count_leaks(before) == HeldResources(0, 3)
