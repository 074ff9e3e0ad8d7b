"""The flag server of a run, relieved once: a second death is the machine's trouble."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bench.errors import ServerDiedError, SetupError
from bench.model.cases import Case, Experiment
from bench.model.profile_presets import preset
from bench.model.results import Measurement
from bench.model.server_settings import ServerSettings
from bench.runner.context import ScheduledTrial
from bench.runner.processes.launcher import Launcher
from bench.runner.processes.redact import redact_text
from bench.runner.processes.server_process import RunningServer, serving
from bench.system.cpu_affinity import Pinning


class RestartableServer:
    """Whichever server is on duty."""

    def __init__(self, launcher: Launcher, experiment: Experiment, pinning: Pinning) -> None:
        self._launcher = launcher
        self._pinning = pinning
        self._experiment = experiment
        self._on_duty = ExitStack()
        self._relieved = False

    def __enter__(self) -> Self:
        self._server = self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._on_duty.close()

    def measure(
        self,
        work: Callable[[RunningServer], Sequence[Measurement]],
        trials: Sequence[tuple[Case, ScheduledTrial]],
    ) -> Sequence[Measurement]:
        """Run trials; those during which the server died are invalid, whatever the workers said."""
        started_s = time.perf_counter()
        try:
            return work(self._server)
        except ServerDiedError as error:
            reason = ": ".join([error.what, *self._server.child.words.last()[-1:]])
            if self._relieved:
                raise SetupError(f"{reason}, for the second time", hint="look for what ends it") from error
            self._relieved = True
            took_s = time.perf_counter() - started_s
            self._server = self._start()
            return [_spoilt(case, turn, reason, took_s) for case, turn in trials]

    def _start(self) -> RunningServer:
        self._on_duty.close()
        settings = ServerSettings(
            preset("local"), seed=self._experiment.seed, flags_dir=self._experiment.flags_dir
        )
        return self._on_duty.enter_context(serving(self._launcher, settings, self._pinning.server))


def _spoilt(case: Case, turn: ScheduledTrial, reason: str, took_s: float) -> Measurement:
    return Measurement(
        case=case.id,
        block=turn.block,
        position=turn.position,
        attempt=turn.attempt,
        outcome="invalid",
        detail=redact_text(reason, Path.home()),
        took_s=took_s,
        cold_start_s=None,
        imports_s=None,
        warm_up=None,
        rounds=(),
    )
