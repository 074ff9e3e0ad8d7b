"""Making a trial ready: the server serves it, it has a folder, and its task is written."""

from dataclasses import dataclass
from secrets import token_hex

from bench.api import LARGEST_BYTES
from bench.model.cases import NO_CLIENT, Case
from bench.model.comparison import Side
from bench.runner.authority import lay_out_authority
from bench.runner.flagserver import RunningServer
from bench.runner.site import Site, Turn
from bench.server.trials import Opening
from bench.system.probes import Peaks
from bench.worker.protocol import WORKER_PROBES, Task


@dataclass(frozen=True, slots=True)
class Staged:
    """A trial that can be run.

    Attributes:
        name: under which the server serves it, and of its folder.
        authority: whom its worker trusts, as PEM; empty where nothing is encrypted.
        peaks: takes what it holds on to at the most.
    """

    name: str
    case: Case
    turn: Turn
    side: Side
    task: Task
    authority: str
    peaks: Peaks


def stage(site: Site, server: RunningServer, case: Case, turn: Turn, *, paced: bool = False) -> Staged:
    """Open a trial at the server and make its folder.

    Raises:
        ServerDiedError: the flag server is gone.
    """
    experiment, countries, side = site.experiment, case.countries, site.side(case)
    name = f"b{turn.block}p{turn.position}a{turn.attempt}"
    if paced:  # two trials are open at once, and neither is to guess the other's address
        name = f"{name}-{token_hex(8)}"
    opened = server.handle.open_trial(
        Opening(name, case.profile, turn.block, countries.codes, countries.repeat, 1 if paced else None)
    )
    folder = site.launcher.workspace / name
    folder.mkdir()
    task = Task(
        strategy_file=side.strategies[case.strategy],
        client=None if case.client == NO_CLIENT else case.client,
        workers=case.workers,
        keep_alive=case.keep_alive,
        countries=countries.codes,
        repeat=countries.repeat,
        base_url=opened.url,
        rounds=experiment.rounds,
        folder=folder,
        reference=site.reference,
        request_timeout_s=experiment.request_timeout_s,
        paced=paced,
        authority=lay_out_authority(site.launcher.workspace, opened.authority),
        http2=case.profile.http2,
        probes=tuple(name for name in WORKER_PROBES if name in experiment.probes),
        largest_bytes=max(LARGEST_BYTES, *site.flag_sizes.values()),
        checks_content=any(fault.kind == "wrong_content" for fault in case.profile.faults),
    )
    return Staged(name, case, turn, side, task, opened.authority, Peaks(experiment.probes))
