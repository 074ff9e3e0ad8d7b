"""On a machine of a cluster: run a task in a process of its own, and end that with dask's task.

dask sends the one function of this module by name, so each machine runs its own flagbench. dask's process
has its own signals, memory and threads; nothing is measured in it.
"""

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final

from bench.runner.cluster.messages import MachineFault, encode_answer
from bench.runner.processes.launcher import child_environment

_MODULE: Final = "bench.app.block_process"
_LOOK_EVERY_S: Final = 0.5
"""Between two looks at whether the task is still wanted; each costs microseconds."""
_END_S: Final = 15.0
_MUCH: Final = 1 << 16
_GONE: Final = frozenset({"stopping", "stopped", "closing", "closed", "failed"})


def run_on_machine(task: str) -> list[str]:
    """Run a task, the line of a ``MachineTask``, and return the lines of its answers.

    A task that nobody waits for any more ends, as its client or scheduler is gone or has cancelled it; so
    does one whose dask worker is killed: the pipe to its process is closed then.
    """
    from dask.context import thread_state
    from distributed import get_worker

    worker, key = get_worker(), thread_state.key

    def is_wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state == "executing" and worker.status.name not in _GONE

    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603  our own module, no shell
            [sys.executable, "-P", "-m", _MODULE],
            env=child_environment(os.environ),
            cwd=tempfile.gettempdir(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        output = b""
        try:
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("it has pipes")
            with suppress(BrokenPipeError):  # its output says why it ended
                process.stdin.write(task.encode() + b"\n")
                process.stdin.flush()
            output = _read(process.stdout, is_wanted)
        finally:
            code = _end(process)
        lines = output.decode().splitlines()
        if code != 0 and not (lines and '"machinefault"' in lines[-1][:40]):
            lines.append(encode_answer(MachineFault(f"its process ended with {code}: {_last_line(errors)}")))
        return lines


def _read(output: IO[bytes], is_wanted: Callable[[], bool]) -> bytes:
    """Return all that a process writes, or what it has written when it is no longer wanted."""
    parts = []
    while is_wanted():
        if not select.select([output], [], [], _LOOK_EVERY_S)[0]:
            continue
        part = os.read(output.fileno(), _MUCH)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def _end(process: "subprocess.Popen[bytes]") -> int:
    """Close the pipes of a process, at which it ends, and return its exit code."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        return process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
