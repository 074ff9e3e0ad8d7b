"""Measure the configs of a page, and keep what the page needs of the runs: small enough to be committed."""

import lzma
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from bench.model.results import Measurement, Run
from bench.storage.run_folder import load_run
from bench.storage.run_json import run_from_bytes, run_to_json_text
from docs.pages.page_config import PageConfig

ROOT: Final = Path(__file__).parents[2]
_BASELINES: Final = ROOT / "results" / "baselines"
_START_S: Final = 10.0
_POLL_S: Final = 0.05


def kept_file(config: PageConfig) -> Path:
    """Return where the run of a config is kept."""
    return _BASELINES / config.page / f"{config.name}.json.xz"


def load_kept(config: PageConfig) -> Run:
    """Return the run that is kept of a config.

    Raises:
        FileNotFoundError: it was never measured.
        UnreadableResultError: the file is damaged, or of another version of flagbench.
    """
    return run_from_bytes(lzma.decompress(kept_file(config).read_bytes()))


def measure(config: PageConfig, out: Path) -> None:
    """Run a config in a folder, and keep its run.

    Raises:
        RuntimeError: the run did not end as its page says; what was kept before stays.
    """
    command = [sys.executable, "-m", "bench", "run", str(config.path), "--out", str(out)]
    with _server_of(config):
        ended = subprocess.run(command, check=False, cwd=ROOT)  # noqa: S603  our own program
    expected = config.published.exit_code if config.page == "published" else 0
    if ended.returncode != expected:
        raise RuntimeError(f"{config.name} ended with exit code {ended.returncode}, not {expected}")
    keep(config, load_run(out))


def keep(config: PageConfig, run: Run) -> None:
    """Keep a run without what no page shows, which is most of it."""
    file = kept_file(config)
    file.parent.mkdir(parents=True, exist_ok=True)
    small = replace(run, trials=tuple(map(_without_details, run.trials)))
    file.write_bytes(lzma.compress(run_to_json_text(small).encode(), preset=9))


def _without_details(trial: Measurement) -> Measurement:
    rounds = tuple(replace(each, probes={}) for each in trial.rounds)
    return replace(trial, warm_up=None, rounds=rounds, latency="", spans="")


@contextmanager
def _server_of(config: PageConfig) -> Iterator[None]:
    """Keep the server of a published result running, if the config is measured with one."""
    server = config.published.server if config.page == "published" else None
    if server is None:
        yield
        return
    if _is_answering(server.port):
        raise RuntimeError(f"another server is at port {server.port}, and would be measured")
    program = str(config.path.parent / server.program)
    command = [sys.executable, program, str(server.port), *server.arguments]
    with subprocess.Popen(command) as process:  # noqa: S603  a program of the configs
        try:
            _wait_for(server.port, process)
            yield
        finally:
            process.terminate()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a server accepts connections.

    Raises:
        RuntimeError: it has ended, or takes too long.
    """
    last_s = monotonic() + _START_S
    while process.poll() is None and monotonic() < last_s:
        if _is_answering(port):
            return
        sleep(_POLL_S)
    raise RuntimeError(f"no server accepts connections at port {port}")


def _is_answering(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
