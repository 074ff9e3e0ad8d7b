"""The error of a process that a strategy started, in the standard error of its worker."""

from pathlib import Path

import pytest

from bench.runner.processes.child_errors import find_child_error
from bench.worker.protocol import RAISED

FILE = Path("/home/me/mine.py")
POOL = "concurrent.futures.process.BrokenProcessPool: A process in the process pool was terminated abruptly"
WORKER = f"""{RAISED}
Traceback (most recent call last):
  File "/home/me/mine.py", line 13, in download_many
    return list(pool.map(work, job.countries))
{POOL}"""
SPAWNED = """Traceback (most recent call last):
  File "<string>", line 1, in <module>
  File "/usr/lib/python3.11/multiprocessing/spawn.py", line 122, in spawn_main
    exitcode = _main(fd, parent_sentinel)
  File "/home/me/mine.py", line 5, in <module>
    import no_such_module
ModuleNotFoundError: No module named 'no_such_module'"""
FORKED = """Process ForkProcess-1:
Traceback (most recent call last):
  File "/usr/lib/python3.11/multiprocessing/process.py", line 314, in _bootstrap
    self.run()
  File "/home/me/mine.py", line 6, in work
    helper()
  File "/home/me/helper.py", line 2, in helper
    raise OSError("no such proxy")
OSError: no such proxy"""
INITIALIZER = """Exception in initializer:
Traceback (most recent call last):
  File "/usr/lib/python3.11/concurrent/futures/process.py", line 240, in _process_worker
    initializer(*initargs)
  File "/home/me/mine.py", line 3, in init
    raise KeyError("no cfg")
KeyError: 'no cfg'"""
CHAINED = """Process SpawnPoolWorker-3:
Traceback (most recent call last):
  File "/home/me/mine.py", line 3, in init
    int("x")
ValueError: invalid literal
The above exception was the direct cause of the following exception:
Traceback (most recent call last):
  File "/home/me/mine.py", line 5, in init
    raise RuntimeError("bad configuration") from error
RuntimeError: bad configuration"""
DUMP = """Current thread 0x00007f00aa (most recent call first):
  File "/usr/lib/python3.11/multiprocessing/synchronize.py", line 95 in __enter__
  File "<frozen runpy>", line 88 in _run_code"""
FATAL = f"""Fatal Python error: Segmentation fault
{DUMP}
  File "/home/me/mine.py", line 6 in work
  File "/home/me/mine.py", line 9 in download_many"""


@pytest.mark.parametrize(
    ("stderr", "error"),
    [
        (SPAWNED, "ModuleNotFoundError: No module named 'no_such_module' (mine.py:5)"),
        (FORKED, "OSError: no such proxy (mine.py:6)"),
        (INITIALIZER, "KeyError: 'no cfg' (mine.py:3)"),
        (CHAINED, "RuntimeError: bad configuration (mine.py:5)"),
        (FATAL, "Segmentation fault (mine.py:6)"),
        (f"{SPAWNED}\n{FORKED}", "ModuleNotFoundError: No module named 'no_such_module' (mine.py:5)"),
        (f"starting\n{FORKED}\n{DUMP}", "OSError: no such proxy (mine.py:6)"),
        (f"out of licences\n{DUMP}", "out of licences"),
        (SPAWNED.replace("/home/me/mine.py", "/x/other.py"), "No module named 'no_such_module' (other.py:5)"),
    ],
)
def test_error_of_the_process_is_found_above_that_of_the_worker(stderr: str, error: str) -> None:
    found = find_child_error(POOL, f"{stderr}\n{WORKER}".splitlines(), FILE)
    assert found is not None
    assert found.endswith(error)


def test_prints_explain_only_a_broken_pool() -> None:
    """A strategy may print anything, and log tracebacks of errors that it handled."""
    handled = 'Traceback (most recent call last):\n  File "/home/me/mine.py", line 4, in f\nOSError: handled'
    lines = f"{handled}\ndone\n{WORKER}".splitlines()
    assert find_child_error("ValueError: x", lines, FILE) is None
    assert find_child_error(POOL, lines, FILE) == "done"
    assert find_child_error(POOL, WORKER.splitlines(), FILE) is None
    assert find_child_error(POOL, (), FILE) is None
