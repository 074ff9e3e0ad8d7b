"""What a process prints: however much it is, only its end is kept, and nobody waits for ever."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.runner.processes.output import file_output, pipe_output

pytestmark = pytest.mark.e2e


def printing(code: str, sink: int) -> subprocess.Popen[bytes]:
    """Start a program that prints to a descriptor."""
    return subprocess.Popen([sys.executable, "-c", code], stdout=sink, stderr=sink)


def test_the_end_of_a_hundred_megabytes_is_kept() -> None:
    """Forty lines of it, in a few seconds, in no file."""
    with pipe_output() as words:
        flood = "import os\nfor _ in range(100): os.write(1, b'x' * 999_999 + b'\\n')\nprint('the end')"
        assert printing(flood, words.sink).wait(30) == 0
        assert words.last()[-1] == "the end"
        assert sum(map(len, words.last())) <= 16_384


def test_forty_lines_are_kept_and_empty_ones_are_not() -> None:
    """Those that were printed last."""
    with pipe_output() as words:
        assert printing("for i in range(100): print(i, end='\\n\\n')", words.sink).wait(30) == 0
        assert words.last() == tuple(map(str, range(60, 100)))


def test_who_goes_on_printing_is_not_listened_to_for_ever() -> None:
    """A process that cannot be killed could keep us; what the pipe holds is enough."""
    with pipe_output() as words:
        endless = printing("import os\nwhile True: os.write(1, b'more\\n' * 10_000)", words.sink)
        with endless:
            try:
                time.sleep(0.3)
                began_s = time.monotonic()
                assert words.last()[-2] == "more"
                assert time.monotonic() - began_s < 5
                assert words.last() == words.last()
            finally:
                endless.kill()


def test_a_silent_process_wakes_nobody() -> None:
    """The listener uses no processor time while there is nothing to hear."""
    with pipe_output() as words:
        silent = printing("import time; time.sleep(0.5)", words.sink)
        time.sleep(0.1)
        switches = _switches()
        assert silent.wait(30) == 0
        assert _switches() == switches
        assert words.last() == ()


def _switches() -> int:
    """Count how often threads of this process other than the main one have waited for something."""
    me = os.getpid()
    others = [task for task in Path(f"/proc/{me}/task").iterdir() if task.name != str(me)]
    lines = [line for task in others for line in (task / "status").read_text("ascii").splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def test_words_in_a_file_survive_who_removes_it(tmp_path: Path) -> None:
    """There are none then."""
    file = tmp_path / "words.txt"
    with file_output(file) as words:
        os.write(words.sink, b"one\ntwo\n")
        assert words.last() == ("one", "two")
        file.unlink()
        assert words.last() == ()
