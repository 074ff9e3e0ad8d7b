"""The context of a run: processes, files and settings that all its trials share."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Final, Self

from bench.api import LARGEST_BYTES
from bench.api.pacing import create_schedule
from bench.errors import ServerDiedError, SetupError
from bench.model.body_sizes import BodySizes
from bench.model.cases import NO_CLIENT, Case, Client, Experiment, Strategy
from bench.model.comparison import BuiltVariant
from bench.model.function_call import FunctionCall
from bench.model.planned_bodies import bodies_of, sizes_of
from bench.model.profile_presets import preset
from bench.model.server_settings import ServerSettings
from bench.model.target import Target
from bench.runner.processes.launcher import Launcher, start_supervisor
from bench.runner.processes.server_process import RunningServer, start_server
from bench.runner.protected_files import write_reference
from bench.runner.user_server import UserServer
from bench.runner.work_costs import KnownWork, WorkCosts, know_work
from bench.system.cgroups import throttle_counters
from bench.system.cpu_affinity import Pinning, restrict_to
from bench.system.paths import import_path, package_root, strategy_path

_SCHEDULE: Final = "schedule"
"""File name in the workspace."""


class RestartableServer:
    """Keeps a flag server running while its context lasts.

    Attributes:
        current: the server that runs at the moment.
    """

    current: RunningServer

    def __init__(self, launcher: Launcher, settings: ServerSettings, cores: Sequence[int]) -> None:
        self._launcher = launcher
        self._settings = settings
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


@dataclass(frozen=True, slots=True)
class Reference:
    """The flags of a profile, and the folder that has them as files."""

    folder: Path
    flags: Mapping[str, bytes | memoryview]


@dataclass(frozen=True, slots=True)
class RunContext:
    """The processes, files and settings that all trials of a run share.

    Attributes:
        server: the flag server, or the target in its place.
        flags: every flag as the server serves it, by country.
        flag_sizes: bytes of each flag.
        references: by the sizes of a profile, what it serves, also as files for verification.
        largest_bytes: the largest body that clients read.
        pinning: processors of the server, the workers and the harness.
        own: variant of the cases that name none: this interpreter, and the strategies of the experiment.
        throttling: the files that count how often a CPU quota stopped this container, by file of the quota.
        schedule: the file by which all trials keep to the rate of a target; empty without a rate.
        work_costs: what trials have measured of the CPU work on flags.
    """

    experiment: Experiment
    launcher: Launcher
    server: RestartableServer | UserServer
    flags: Mapping[str, bytes]
    flag_sizes: Mapping[str, int]
    references: Mapping[BodySizes | None, Reference]
    largest_bytes: int
    pinning: Pinning
    own: BuiltVariant
    throttling: Mapping[str, Path] = field(default_factory=dict)
    schedule: str = ""
    work_costs: WorkCosts = field(default_factory=WorkCosts)

    def variant(self, case: Case) -> BuiltVariant:
        """Return the variant of a case, with the environment of its client if that needs one of its own."""
        variant = self.experiment.variants.get(case.variant, self.own)
        if case.client not in self.experiment.separate_clients:
            return variant
        own = variant.environments[case.client]
        return replace(variant, python=own.python, import_path=own.import_path or variant.import_path)

    def function_call(self, case: Case) -> FunctionCall:
        """Return how the function of a case's strategy is called in its variant."""
        return self.variant(case).calls.get(case.strategy, self.experiment.strategies[case.strategy].call)

    def note_work(self, case: Case, measured: Iterable[float | None]) -> None:
        """Take note of the times of CPU work that rounds of a case have measured, for each byte."""
        self.work_costs.note(case, self.variant(case), measured)

    def known_work(self, case: Case, *, has_gil: bool) -> KnownWork | None:
        """Return what is known of the CPU work of a case in an interpreter with or without a lock."""
        variant = self.variant(case)
        strategy = self.experiment.strategies[case.strategy]
        return know_work(
            case,
            replace(strategy, file=variant.strategies.get(case.strategy, strategy.file)),
            self.work_costs.least(case, variant),
            self.pinning.worker_processors,
            has_gil=has_gil,
        )

    def client_module(self, case: Case) -> str | None:
        """Return the client of a case as its worker knows it: without a version; None if it has none."""
        client = self.experiment.separate_clients.get(case.client)
        if client is not None:
            return client.module
        return None if case.client == NO_CLIENT else case.client

    def client_version(self, case: Case) -> str | None:
        """Return the version of its library that a client's own environment has; None without one."""
        client = self.experiment.separate_clients.get(case.client)
        if client is None:
            return None
        variant = self.experiment.variants.get(case.variant, self.own)
        return variant.environments[case.client].libraries[client.distribution]

    def client_file(self, case: Case) -> Path | None:
        """Return the file of a case's client as its variant has it; None without a client."""
        module, own = self.client_module(case), self.own_client(case)
        if module is None or own is not None:
            return None if own is None else own.file
        places = (Path(folder, "strategies", "clients") for folder in self.variant(case).import_path)
        files = (place / f"{module}.py" for place in places)
        return next((file for file in files if file.is_file()), None)

    def own_client(self, case: Case) -> Client | None:
        """Return the client of a case as its variant has it, if it is a function of the user's."""
        client = self.experiment.own_clients.get(case.client)
        if client is None:
            return None
        return replace(client, file=self.variant(case).clients.get(client.name, client.file))


def largest_body(experiment: Experiment, flag_sizes: Mapping[str, int]) -> int:
    """Return the largest body that clients read, given the sizes of the flags: the same in all profiles."""
    profiles = dict.fromkeys(case.profile for case in experiment.cases)
    of_profiles = (sizes_of(each, experiment.seed, flag_sizes).values() for each in profiles)
    return max([LARGEST_BYTES, *flag_sizes.values(), *chain.from_iterable(of_profiles)])


@contextmanager
def run_context(experiment: Experiment, pinning: Pinning, flags: Mapping[str, bytes]) -> Iterator[RunContext]:
    """Start the supervisor and the flag server, and keep this process to the harness's processors.

    A target needs no flag server.

    Raises:
        SetupError: there is no room for the workspace, or a process cannot be started.
    """
    with (
        restrict_to(pinning.harness),
        start_supervisor() as launcher,
        _open_server(experiment, launcher, pinning) as server,
    ):
        flag_sizes = {code: len(flag) for code, flag in flags.items()}
        yield RunContext(
            experiment=experiment,
            launcher=launcher,
            server=server,
            flags=flags,
            flag_sizes=flag_sizes,
            references=_write_references(experiment, launcher.workspace, flags),
            largest_bytes=largest_body(experiment, flag_sizes),
            pinning=pinning,
            own=replace(own_variant(experiment.strategies), environments=experiment.environments),
            throttling=throttle_counters(Path("/")),
            schedule=_create_schedule(experiment.target, launcher.workspace),
        )


def _write_references(
    experiment: Experiment, workspace: Path, flags: Mapping[str, bytes]
) -> Mapping[BodySizes | None, Reference]:
    """Write what each profile serves, once for all with the same sizes; of made-up bodies those of the cases.

    Raises:
        SetupError: there is no room.
    """
    codes: dict[BodySizes | None, set[str]] = {None: set(flags)}
    for case in experiment.cases:
        codes.setdefault(case.profile.sizes, set()).update(case.countries.codes)
    profiles = {case.profile.sizes: case.profile for case in experiment.cases}
    references = {}
    for number, (sizes, used) in enumerate(codes.items()):
        served: Mapping[str, bytes | memoryview] = flags
        if sizes is not None:
            bodies = bodies_of(profiles[sizes], experiment.seed, flags)
            served = {code: body for code, body in bodies.items() if code in used}
        try:
            folder = write_reference(workspace, served, f"reference-{number}" if number else "reference")
        except OSError as error:
            raise SetupError(
                f"{workspace}: the flags cannot be written: {error.strerror}",
                hint="free some space, or name another folder with TMPDIR",
            ) from error
        references[sizes] = Reference(folder, served)
    return references


def _open_server(
    experiment: Experiment, launcher: Launcher, pinning: Pinning
) -> AbstractContextManager[RestartableServer | UserServer]:
    if experiment.target is not None:
        return nullcontext(UserServer(experiment.target))
    settings = ServerSettings(
        preset("local"),
        seed=experiment.seed,
        flags_dir=experiment.flags_dir,
        host=experiment.host,
        allow_remote=True,  # of the command, which has been asked by now
    )
    return RestartableServer(launcher, settings, pinning.server)


def _create_schedule(target: Target | None, workspace: Path) -> str:
    """Create the schedule of a target with a rate; its files may have been requested just before."""
    if target is None or target.rate is None:
        return ""
    file = str(workspace / _SCHEDULE)
    create_schedule(file, perf_counter() + 1 / target.rate)
    return file


def own_variant(strategies: Mapping[str, Strategy]) -> BuiltVariant:
    """Return the variant of this interpreter and these strategies."""
    files = {name: strategy.file for name, strategy in strategies.items()}
    return BuiltVariant(sys.executable, import_path(), files)


def module_folders(
    variant: BuiltVariant, strategy: str, module: str = "", client: Client | None = None
) -> tuple[str, ...]:
    """Return the folders that a strategy of a variant may import from, its own one first.

    Args:
        variant: the variant.
        strategy: its name.
        module: dotted name by which it is imported; it needs the folder of its package.
        client: the client of the case, if it is a function of the user's: it has folders, too.
    """
    file = variant.strategies[strategy]
    own = strategy_path(file, variant.import_path, variant.tree)
    clients: tuple[str, ...] = ()
    if client is not None and client.call is not None:
        clients = (
            *_package_folders(client.file, client.call.module),
            *strategy_path(client.file, variant.import_path, variant.tree),
        )
    return tuple(dict.fromkeys((*_package_folders(file, module), *own, *clients, *variant.module_folders)))


def _package_folders(file: Path, module: str) -> tuple[str, ...]:
    return (str(package_root(file, module)),) if module else ()
