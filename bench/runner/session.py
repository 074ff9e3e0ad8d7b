"""The block loop: every case once per block, each in a process of its own, and nothing lost."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bench.errors import EnvironmentFault, ServerDiedError
from bench.events import Observer
from bench.machine.pinning import Pinning, kept_to, pinning_of
from bench.measurement import Measurement
from bench.model import Case, Experiment
from bench.profiles import preset
from bench.runner.course import replay, turns
from bench.runner.flagserver import RunningServer, serving
from bench.runner.launch import Launcher, launching
from bench.runner.measure import Site, Turn, measure
from bench.runner.privacy import kept_words
from bench.runner.reference import lay_out_reference
from bench.server.flags import served_flags
from bench.server.settings import ServerSettings
from bench.stats.attempts import PAUSES_S
from bench.store.journal import Journal


def run_blocks(
    experiment: Experiment, journal: Journal, observer: Observer, kept: Sequence[Measurement] = ()
) -> list[Measurement]:
    """Run every case of every block that is due, put each measurement into the journal, and return all.

    Those that are kept from before are not run again.

    Raises:
        UnreadableResultError: what is kept is not of this experiment.
        EnvironmentFault: the harness cannot go on; what was measured is in the journal.
    """
    pinning = pinning_of(experiment)
    with (
        kept_to(pinning.harness),
        launching() as launcher,
        ServerShift(launcher, experiment, pinning) as shift,
    ):
        site = _site(experiment, launcher, pinning)

        def measure_one(case: Case, turn: Turn) -> Measurement:
            measurement = shift.measure(site, case, turn)
            journal.append(measurement)
            return measurement

        return take_turns(experiment, measure_one, observer, time.sleep, kept)


def take_turns(
    experiment: Experiment,
    measure_one: Callable[[Case, Turn], Measurement],
    observer: Observer,
    pause: Callable[[float], None],
    kept: Sequence[Measurement] = (),
) -> list[Measurement]:
    """Run the trials that are due one after the other, until there are none, and return what they yielded.

    Args:
        experiment: what is to be run.
        measure_one: runs a trial, and keeps what it yields for good.
        observer: who looks on.
        pause: waits for so many seconds.
        kept: what the run yielded before it was left, from its first trial on.
    """
    cases = {case.id: case for case in experiment.cases}
    tally = replay(experiment, kept)
    measured = []
    observer.run_started(experiment)
    if kept:
        observer.run_resumed(kept, tally.stops.values())
    for case, turn in turns(experiment, tally):
        if turn.attempt > 0:
            pause(PAUSES_S[turn.attempt - 1])
        observer.trial_started(case, turn.block)
        measurement = measure_one(case, turn)
        measured.append(measurement)
        observer.trial_ended(measurement)
        for case_id, stop in tally.take(measurement).items():
            observer.case_stopped(cases[case_id], stop)
        if tally.blocks > turn.block:
            observer.block_ended(turn.block)
    return measured


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

    def measure(self, site: Site, case: Case, turn: Turn) -> Measurement:
        """Run one trial; one during which the server died is invalid, whatever the worker said."""
        started_s = time.perf_counter()
        try:
            return measure(site, self._server, case, turn)
        except ServerDiedError as error:
            reason = ": ".join([error.what, *self._server.child.words.last()[-1:]])
            if self._relieved:
                raise EnvironmentFault(
                    f"{reason}, for the second time", hint="look for what ends it"
                ) from error
            self._relieved = True
            took_s = time.perf_counter() - started_s
            self._server = self._start()
            return Measurement(
                case=case.id,
                block=turn.block,
                position=turn.position,
                attempt=turn.attempt,
                outcome="invalid",
                detail=kept_words(reason, Path.home()),
                took_s=took_s,
                cold_start_s=None,
                imports_s=None,
                warm_up=None,
                rounds=(),
            )

    def _start(self) -> RunningServer:
        self._on_duty.close()
        settings = ServerSettings(
            preset("local"), seed=self._experiment.seed, flags_dir=self._experiment.flags_dir
        )
        return self._on_duty.enter_context(serving(self._launcher, settings, self._pinning.server))


def _site(experiment: Experiment, launcher: Launcher, pinning: Pinning) -> Site:
    flags = served_flags(experiment.flags_dir)
    return Site(experiment, launcher, flags, lay_out_reference(launcher.workspace, flags), pinning)
