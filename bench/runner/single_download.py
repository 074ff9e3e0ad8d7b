"""A single download outside any experiment: one round without a warm-up, reported as it happens.

Used by the command ``download``.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.api import LARGEST_BYTES
from bench.api.job import GATHER
from bench.errors import SetupError
from bench.model.cases import Profile, Strategy
from bench.model.flags import served_flags
from bench.model.planned_bodies import bodies_of
from bench.model.scheduler import Scheduler
from bench.model.server_settings import ServerSettings
from bench.runner.context import module_folders, own_variant
from bench.runner.processes.launcher import Launcher, start_supervisor
from bench.runner.processes.server_process import RunningServer, start_server
from bench.runner.processes.worker_exit import WorkerExit
from bench.runner.processes.worker_process import start_worker
from bench.runner.protected_files import write_authority, write_reference
from bench.worker.events import Event, Fetched
from bench.worker.protocol import Task


@dataclass(frozen=True, slots=True)
class SingleDownload:
    """The settings of a single download.

    Attributes:
        client: ``None`` for a strategy that opens no client of ``strategies/clients``.
        destination: folder for the flags; it is made if it is missing, and other files in it stay.
        deadline_s: seconds for the whole download.
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
    download: SingleDownload, on_event: Callable[[Event], None], on_start: Callable[[str], None]
) -> WorkerExit:
    """Download from a flag server of its own, and move the saved flags to their destination.

    Args:
        download: the settings.
        on_event: called with every event as it happens.
        on_start: called with the server's address before the first request.

    Raises:
        SetupError: the destination cannot be made, or the server cannot be started.
    """
    _make_folder(download.destination)
    with (
        start_supervisor() as launcher,
        start_server(launcher, ServerSettings(download.profile, seed=download.seed)) as server,
    ):
        on_start(server.handle.base_url)
        saved: list[str] = []

        def note(event: Event) -> None:
            # only requested flags are moved: the strategy shares the worker's process, and can forge events
            if isinstance(event, Fetched) and event.outcome == "ok" and event.country in download.countries:
                saved.append(f"{event.country.lower()}.gif")
            on_event(event)

        variant = own_variant({download.strategy.name: download.strategy})
        task = _task(download, launcher, server, module_folders(variant, download.strategy.name))
        keep = (server.child.pid,)
        try:
            with start_worker(launcher, task, download.deadline_s, variant=variant) as worker:
                worker.wait_for_event(note)
                return worker.end(keep)
        finally:
            launcher.sweep(keep)
            for flag in dict.fromkeys(task.folder / name for name in saved):
                if flag.is_file() and not flag.is_symlink():
                    shutil.move(flag, download.destination / flag.name)


def _make_folder(destination: Path) -> None:
    try:
        destination.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"cannot save flags in {destination}: {error.strerror}", hint="name a folder with --dest"
        ) from error


def _task(
    download: SingleDownload, launcher: Launcher, server: RunningServer, folders: tuple[str, ...]
) -> Task:
    folder = launcher.workspace / "download"
    folder.mkdir()
    served = bodies_of(download.profile, download.seed, served_flags(None))
    return Task(
        strategy_file=download.strategy.file,
        module_folders=folders,
        client=download.client,
        workers=download.workers,
        keep_alive=True,
        countries=download.countries,
        repeat=1,
        base_url=server.handle.base_url,
        rounds=1,
        folder=folder,
        reference=write_reference(launcher.workspace, served),
        request_timeout_s=download.request_timeout_s,
        authority=write_authority(launcher.workspace, server.handle.authority),
        http2=download.profile.http2,
        live=True,
        largest_bytes=max([LARGEST_BYTES, *map(len, served.values())]),
        call=download.strategy.call,
        option=GATHER if download.strategy.uses_cluster else download.strategy.option,
        cluster=Scheduler() if download.strategy.uses_cluster else None,
    )
