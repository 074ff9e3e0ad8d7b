"""The process that measures a block on a machine of a cluster: one task in, answers out, as lines of JSON.

It resolves the config anew, and refuses to measure if that leads to another experiment than the command's.
When its standard input ends, it ends, and its supervisor ends everything below it.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Final

from bench.app.preflight import blind_spots_note, check_resources, plan_pinning
from bench.app.select import load_experiment
from bench.errors import BenchError, SetupError
from bench.model.cases import Experiment
from bench.model.json_codec import decode
from bench.model.observer import Observer
from bench.model.results import Measurement
from bench.model.text import one_line
from bench.runner.block_loop import run_blocks
from bench.runner.cluster.messages import (
    Answer,
    MachineFacts,
    MachineFault,
    MachineTask,
    SentConfig,
    encode_answer,
)
from bench.runner.cluster.sent_config import unpack_config
from bench.runner.context import run_context
from bench.runner.processes.signals import Interrupted, handle_termination
from bench.runner.processes.workspace import fresh_workspace, is_in_memory, workspace_parent
from bench.runner.run_document import config_record
from bench.runner.target_files import served_files
from bench.runner.trial import measure_entry
from bench.stats.schedule import block_schedule
from bench.system.environment import describe_environment, machine_fingerprint
from bench.system.host_identity import host_identity
from bench.system.machine import read_machine
from bench.system.noise_advice import noise_warnings

_STDIN: Final = 0
_MUCH: Final = 1 << 20
_PATIENCE_S: Final = 10.0
"""For an orderly end; after it, the supervisor does the rest."""
_OWN: Final = frozenset({"git", "flagbench", "fingerprint"})
"""Facts that are those of the command, or have a place of their own."""


def main() -> None:
    """Read a task from standard input, and write its answers."""
    try:
        with handle_termination():
            line = _read_line()
            Thread(target=_end_with_input, daemon=True).start()
            _run(decode(MachineTask, line))
    except Interrupted as interrupted:
        sys.exit(128 + interrupted.number)
    except BenchError as error:
        what = error.what if len(error.lines) == 1 else "; ".join(map(one_line, error.lines))
        _write(MachineFault(what, error.hint))
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  the command is told, whatever it is
        traceback.print_exc()
        _write(MachineFault(f"{type(error).__name__}: {one_line(str(error))}"))
        sys.exit(1)


def _run(task: MachineTask) -> None:
    with fresh_workspace() as folder, _resolved(task.sent, folder) as experiment:
        # what is stored here is the output of one block
        others = (experiment.least_blocks - 1) * len(experiment.cases)
        check_resources(experiment, experiment.files, folder, kept=others)
        if task.cases:
            _measure(experiment, task)
        else:
            _write(_describe(experiment))


@contextmanager
def _resolved(sent: SentConfig, folder: Path) -> Iterator[Experiment]:
    """Unpack a config, and yield its experiment with the flags that are served.

    Raises:
        SetupError: it is another experiment than that of the command.
    """
    config = unpack_config(sent, folder)
    os.chdir(folder)
    experiment = load_experiment(
        str(config), sent.content, only=sent.only, blocks=sent.blocks, seed=sent.seed
    )
    experiment = replace(experiment, files=served_files(experiment))
    if config_record(experiment, experiment.files)["sha256"] != sent.sha256:
        raise SetupError(
            "the config leads to other cases, strategies or flags here",
            hint="install the same flagbench and the same libraries",
        )
    yield experiment


def _measure(experiment: Experiment, task: MachineTask) -> None:
    """Measure a block as on any machine; each trial is written when it has ended."""
    schedule = block_schedule(experiment, task.block, task.cases)
    with run_context(experiment, plan_pinning(experiment), experiment.files) as context:
        run_blocks(schedule, partial(measure_entry, context), _record, Observer())


def _record(*trials: Measurement) -> None:
    for trial in trials:
        _write(trial)


def _describe(experiment: Experiment) -> MachineFacts:
    facts = describe_environment({case.client for case in experiment.cases}, plan_pinning(experiment))
    saves = "in memory" if is_in_memory(workspace_parent()) else "on disk"
    return MachineFacts(
        host=host_identity(),
        fingerprint=machine_fingerprint(),
        environment={"saves": saves, **{name: fact for name, fact in facts.items() if name not in _OWN}},
        warnings=(*noise_warnings(read_machine()), *filter(None, [blind_spots_note()])),
    )


def _write(answer: Answer) -> None:
    sys.stdout.write(encode_answer(answer) + "\n")
    sys.stdout.flush()


def _read_line() -> bytes:
    """Read the one line that is sent, past the buffers of Python, which a thread may hold in the end."""
    parts = []
    while part := os.read(_STDIN, _MUCH):
        parts.append(part)
        if part.endswith(b"\n"):
            break
    return b"".join(parts)


def _end_with_input() -> None:
    """End this process when standard input ends: in order, or else at once."""
    while os.read(_STDIN, _MUCH):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE_S)
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
