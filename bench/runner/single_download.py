"""One round outside any experiment: nothing is warmed up, and every event is told as it happens."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import SetupError
from bench.model.cases import Profile, Strategy
from bench.model.flags import served_flags
from bench.model.server_settings import ServerSettings
from bench.runner.context import own_variant
from bench.runner.processes.launcher import Launcher, launching
from bench.runner.processes.server_process import RunningServer, serving
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.processes.worker_process import run_worker
from bench.runner.protected_files import lay_out_authority, lay_out_reference
from bench.worker.events import Event, Fetched
from bench.worker.protocol import Task


@dataclass(frozen=True, slots=True)
class SingleDownload:
    """What is to be downloaded once.

    Attributes:
        client: ``None`` for a strategy that opens none of ours.
        destination: folder that takes the flags; made if need be, other files in it stay.
        deadline_s: seconds for all of it.
    """

    strategy: Strategy
    client: str | None
    countries: tuple[str, ...]
    workers: int
    profile: Profile
    destination: Path
    seed: int = 1
    request_timeout_s: float = 30.0
    deadline_s: float = 3600.0


def download_once(
    errand: SingleDownload, heed: Callable[[Event], None], announce: Callable[[str], None]
) -> WorkerExit:
    """Download once against a flag server of its own, and put what was saved where it is wanted.

    Args:
        errand: what to download, and how.
        heed: called with every event as it happens.
        announce: called with the server's address before the first request.

    Raises:
        EnvironmentFault: the destination cannot be had, or the server not be started.
    """
    _make(errand.destination)
    with (
        launching() as launcher,
        serving(launcher, ServerSettings(errand.profile, seed=errand.seed)) as server,
    ):
        announce(server.handle.base_url)
        saved: list[str] = []

        def note(event: Event) -> None:
            # what is moved was asked for: who shares a process with a strategy may be forged
            if isinstance(event, Fetched) and event.outcome == "ok" and event.country in errand.countries:
                saved.append(f"{event.country.lower()}.gif")
            heed(event)

        task = _task(errand, launcher, server)
        side = own_variant({errand.strategy.name: errand.strategy})
        try:
            return run_worker(
                launcher, task, errand.deadline_s, side=side, keep=(server.child.pid,), heed=note
            )
        finally:
            launcher.sweep(keep=(server.child.pid,))
            for flag in dict.fromkeys(task.folder / name for name in saved):
                if flag.is_file() and not flag.is_symlink():
                    shutil.move(flag, errand.destination / flag.name)


def _make(destination: Path) -> None:
    try:
        destination.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"cannot save flags in {destination}: {error.strerror}", hint="name a folder with --dest"
        ) from error


def _task(errand: SingleDownload, launcher: Launcher, server: RunningServer) -> Task:
    folder = launcher.workspace / "errand"
    folder.mkdir()
    return Task(
        strategy_file=errand.strategy.file,
        client=errand.client,
        workers=errand.workers,
        keep_alive=True,
        countries=errand.countries,
        repeat=1,
        base_url=server.handle.base_url,
        rounds=1,
        folder=folder,
        reference=lay_out_reference(launcher.workspace, served_flags(None)),
        request_timeout_s=errand.request_timeout_s,
        authority=lay_out_authority(launcher.workspace, server.handle.authority),
        http2=errand.profile.http2,
        live=True,
    )
