"""A small catalog for the config's tests: known strategies and clients, one client not installed."""

from pathlib import Path
from typing import Final, Literal

from bench.api.outcomes import FetchOutcome
from bench.config.loader import load_config
from bench.errors import ConfigError, UsageError
from bench.model.cases import Client, Experiment, Strategy

STRATEGIES: Final = {
    strategy.name: strategy
    for strategy in (
        Strategy("sequential", Path("sequential.py"), "", "sync", takes_workers=False),
        Strategy("threadpool_map", Path("threadpool_map.py"), "", "sync", takes_workers=True),
        Strategy("threadpool_as_completed", Path("t.py"), "", "sync", takes_workers=True),
        Strategy("processpool_map", Path("processpool_map.py"), "", "sync", takes_workers=True),
        Strategy("asyncio_gather", Path("asyncio_gather.py"), "", "async", takes_workers=True),
        Strategy("asyncio_as_completed", Path("a.py"), "", "async", takes_workers=True),
        Strategy("asyncio_taskgroup", Path("asyncio_taskgroup.py"), "", "async", takes_workers=True),
        Strategy("asyncio_to_thread", Path("asyncio_to_thread.py"), "", "sync", takes_workers=True),
        Strategy(
            "dask", Path("dask.py"), "", "sync", takes_workers=True, options=("gather",), uses_cluster=True
        ),
        Strategy("bare_sockets", Path("bare_sockets.py"), "", None, takes_workers=True),
    )
}
_TLS: Final[frozenset[Literal["tls", "http2"]]] = frozenset({"tls"})
_HTTP2: Final[frozenset[Literal["tls", "http2"]]] = frozenset({"tls", "http2"})
_UNSEEN: Final[dict[str, FetchOutcome]] = {"surplus_bytes": "ok"}
CLIENTS: Final = {
    client.name: client
    for client in (
        Client("requests", Path("requests.py"), "", frozenset({"sync"}), speaks=_TLS),
        Client(
            "httpx",
            Path("httpx.py"),
            "",
            frozenset({"sync", "async"}),
            speaks=_HTTP2,
            deviations=_UNSEEN,
            distribution="httpx",
        ),
        Client("urllib3", Path("urllib3.py"), "", frozenset({"sync"})),
        Client("closing", Path("closing.py"), "", frozenset({"sync"}), speaks=_TLS, keeps_alive=False),
        Client("aiohttp", Path("aiohttp.py"), "", frozenset({"async"}), speaks=_TLS, distribution="aiohttp"),
        Client("pycurl", Path("pycurl.py"), "", frozenset({"sync"}), ("pycurl",), "pip install pycurl"),
    )
}


def read_strategy(file: Path) -> Strategy:
    """Describe a file by its name; ``broken.py`` cannot be described."""
    if file.stem == "broken":
        raise UsageError("broken.py is not Python:\n line 1", hint="fix it")
    return Strategy(file.stem, file, "", "sync", takes_workers=True)


def experiment_of(file: Path | str) -> Experiment:
    """Load a config with this catalog."""
    return load_config(file, strategies=STRATEGIES, clients=CLIENTS, read_strategy=read_strategy)


def problems_of(file: Path) -> list[str]:
    """Return the problems of a config, without its folder's name."""
    try:
        experiment_of(file)
    except ConfigError as error:
        return [problem.removeprefix(f"{file.parent}/") for problem in error.problems]
    return []
