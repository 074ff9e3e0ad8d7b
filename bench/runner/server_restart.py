"""The flag server of a run, which is restarted once: a second crash ends the run."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

from bench.errors import ServerDiedError, SetupError
from bench.model.cases import Experiment
from bench.model.profile_presets import preset
from bench.model.server_settings import ServerSettings
from bench.runner.processes.launcher import Launcher
from bench.runner.processes.server_process import RunningServer, start_server


class RestartableServer:
    """Keeps a flag server running while its context lasts.

    Attributes:
        current: the server that runs at the moment.
    """

    current: RunningServer

    def __init__(self, launcher: Launcher, experiment: Experiment, cores: Sequence[int]) -> None:
        self._launcher = launcher
        self._settings = ServerSettings(preset("local"), seed=experiment.seed, flags_dir=experiment.flags_dir)
        self._cores = cores
        self._stack = ExitStack()
        self._has_crashed = False

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def restart(self, error: ServerDiedError) -> str:
        """Start another server after the current one died, and return why it died.

        Raises:
            SetupError: it is the second death, or the server cannot be started.
        """
        reason = ": ".join([error.what, *self.current.child.stderr.last_lines()[-1:]])
        if self._has_crashed:
            raise SetupError(
                f"{reason}, for the second time", hint="check what kills it: the OOM killer, or a limit"
            ) from error
        self._has_crashed = True
        self._start()
        return reason

    def _start(self) -> None:
        self._stack.close()
        server = start_server(self._launcher, self._settings, self._cores)
        self.current = self._stack.enter_context(server)
