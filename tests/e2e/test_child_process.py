"""The captured output of a child process: its last lines, however much it prints."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.runner.processes.child_process import capture_to_file, capture_to_pipe

pytestmark = pytest.mark.e2e


def start_printing(code: str, sink: int) -> subprocess.Popen[bytes]:
    """Start a program that prints to a descriptor."""
    return subprocess.Popen([sys.executable, "-c", code], stdout=sink, stderr=sink)


def test_end_of_a_hundred_megabytes_is_kept() -> None:
    with capture_to_pipe() as output:
        flood = "import os\nfor _ in range(100): os.write(1, b'x' * 999_999 + b'\\n')\nprint('the end')"
        assert start_printing(flood, output.sink).wait(30) == 0
        assert output.last_lines()[-1] == "the end"
        assert sum(map(len, output.last_lines())) <= 65_536


def test_last_four_hundred_lines_that_are_not_empty_are_kept() -> None:
    with capture_to_pipe() as output:
        assert start_printing("for i in range(1000): print(i, end='\\n\\n')", output.sink).wait(30) == 0
        assert output.last_lines() == tuple(map(str, range(600, 1000)))


def test_process_that_prints_for_ever_does_not_block_the_reader() -> None:
    """A process that cannot be killed may go on; what the pipe holds is enough."""
    with capture_to_pipe() as output:
        endless = start_printing("import os\nwhile True: os.write(1, b'more\\n' * 10_000)", output.sink)
        with endless:
            try:
                time.sleep(0.3)
                began_s = time.monotonic()
                assert output.last_lines()[-2] == "more"
                assert time.monotonic() - began_s < 5
                assert output.last_lines() == output.last_lines()
            finally:
                endless.kill()


def test_silent_process_causes_no_wake_ups() -> None:
    with capture_to_pipe() as output:
        silent = start_printing("import time; time.sleep(0.5)", output.sink)
        time.sleep(0.1)
        switches = _switches()
        assert silent.wait(30) == 0
        assert _switches() == switches
        assert output.last_lines() == ()


def _switches() -> int:
    """Count how often threads of this process other than the main one have waited for something."""
    me = os.getpid()
    others = [task for task in Path(f"/proc/{me}/task").iterdir() if task.name != str(me)]
    lines = [line for task in others for line in (task / "status").read_text("ascii").splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def test_removed_file_has_no_lines(tmp_path: Path) -> None:
    file = tmp_path / "output.txt"
    with capture_to_file(file) as output:
        os.write(output.sink, b"one\ntwo\n")
        assert output.last_lines() == ("one", "two")
        file.unlink()
        assert output.last_lines() == ()
