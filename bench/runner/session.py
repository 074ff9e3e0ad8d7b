"""The block loop: every case once per block, each in a process of its own, and nothing lost."""

from collections import Counter
from contextlib import ExitStack
from typing import Final, Self

from bench.design import block_order
from bench.errors import EnvironmentFault, ServerDiedError
from bench.events import Observer
from bench.measurement import Measurement
from bench.model import Case, Experiment
from bench.profiles import preset
from bench.runner.flagserver import RunningServer, serving
from bench.runner.launch import Launcher, launching
from bench.runner.measure import Site, Turn, measure
from bench.runner.pinning import Pinning, kept_to, plan, usable_cores
from bench.runner.reference import lay_out_reference
from bench.server.flags import served_flags
from bench.server.settings import ServerSettings
from bench.store.journal import Journal

_GIVE_UP_AFTER: Final = 3
"""Crashes or time-outs of one case after which it is left out of the remaining blocks."""
_STRIKES: Final = {"crash": 1, "timeout": 1, "escape": _GIVE_UP_AFTER}


def run_blocks(experiment: Experiment, journal: Journal, observer: Observer) -> None:
    """Run every case of every block and put each measurement into the journal.

    Raises:
        EnvironmentFault: the harness cannot go on; what was measured is in the journal.
    """
    cases = {case.id: case for case in experiment.cases}
    strikes: Counter[str] = Counter()
    pinning = plan(usable_cores()) if experiment.pinning else Pinning()
    with (
        kept_to(pinning.harness),
        launching() as launcher,
        ServerShift(launcher, experiment, pinning) as shift,
    ):
        site = _site(experiment, launcher, pinning)
        observer.run_started(experiment)
        for block in range(experiment.blocks):
            for position, case_id in enumerate(block_order(cases, experiment.seed, block)):
                if strikes[case_id] >= _GIVE_UP_AFTER:
                    continue
                observer.trial_started(cases[case_id], block)
                measurement = shift.measure(site, cases[case_id], block, position)
                journal.append(measurement)
                observer.trial_ended(measurement)
                strikes[case_id] += _STRIKES.get(measurement.outcome, 0)
                if strikes[case_id] >= _GIVE_UP_AFTER:
                    observer.case_given_up(cases[case_id], experiment.blocks - block - 1)
            observer.block_ended(block)


class ServerShift:
    """The flag server of a run, relieved once: a second death is the machine's trouble."""

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

    def measure(self, site: Site, case: Case, block: int, position: int) -> Measurement:
        """Run one trial; one during which the server died is invalid, whatever the worker said."""
        try:
            return measure(site, self._server, case, Turn(block, position))
        except ServerDiedError as error:
            reason = ": ".join([error.what, *self._server.child.last_words()[-1:]])
            if self._relieved:
                raise EnvironmentFault(
                    f"{reason}, for the second time", hint="look for what ends it"
                ) from error
            self._relieved = True
            self._server = self._start()
            return Measurement(case.id, block, position, 0, "invalid", reason, 0.0, None, None, None, ())

    def _start(self) -> RunningServer:
        self._on_duty.close()
        settings = ServerSettings(
            preset("local"), seed=self._experiment.seed, flags_dir=self._experiment.flags_dir
        )
        return self._on_duty.enter_context(serving(self._launcher, settings, self._pinning.server))


def _site(experiment: Experiment, launcher: Launcher, pinning: Pinning) -> Site:
    flags = served_flags(experiment.flags_dir)
    return Site(experiment, launcher, flags, lay_out_reference(launcher.workspace, flags), pinning)
