"""What strategies and clients there are, read from their files: nothing is imported, nothing is run."""

import ast
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, metadata
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Final, Literal, TypeAlias, get_args

from bench.api.outcomes import FetchOutcome
from bench.config.strategy_source import foreign_modules, functions, imported, parse_source
from bench.errors import UsageError
from bench.model.cases import Client, Strategy
from bench.model.faults import KINDS
from bench.system.paths import is_shipped, strategies_folder

Face: TypeAlias = Literal["sync", "async"]

_JOB_OPENS: Final[Mapping[str, Face]] = {"async_client": "async", "client": "sync"}
_CLIENT_DEFINES: Final[Mapping[str, Face]] = {"open_async_client": "async", "open_client": "sync"}
_CLIENT_READS: Final[Mapping[str, Literal["tls", "http2"]]] = {
    "authority": "tls",
    "tls_context": "tls",
    "http2": "http2",
}
_OUTCOMES: Final = frozenset(get_args(FetchOutcome))
_PROCESS_POOL: Final = "ProcessPoolExecutor"


def find_strategies() -> Mapping[str, Strategy]:
    """Return the strategies that ship with flagbench, by name.

    Raises:
        UsageError: one of their files is no strategy.
    """
    return {file.stem: read_strategy(file) for file in _modules(strategies_folder())}


def find_clients() -> Mapping[str, Client]:
    """Return the clients that ship with flagbench, by name, those that cannot be used here included.

    Raises:
        UsageError: one of their files is no client.
    """
    return {file.stem: read_client(file) for file in _modules(strategies_folder() / "clients")}


def read_strategy(file: Path) -> Strategy:
    """Say what a strategy file is, from its text alone.

    It is taken for asynchronous if it opens ``job.async_client()`` at all, and for one that takes
    workers if it reads ``job.workers``.

    Raises:
        UsageError: there is no such file, it is no Python, it has no ``download_many``, or it would take
            the place of something that ships.
    """
    described = describe_strategy(file)
    if not is_shipped(described.file) and described.name in _shipped_names():
        raise UsageError(f"{file} has the name of something that ships in strategies/", hint="rename it")
    return described


def describe_strategy(file: Path) -> Strategy:
    """Say what a strategy file is as ``read_strategy`` does, whatever its name.

    Raises:
        UsageError: there is no such file, it is no Python, or it has no ``download_many``.
    """
    tree = parse_source(file)
    if "download_many" not in functions(tree):
        raise UsageError(
            f"{file} has no function download_many",
            hint="a strategy is a file with `def download_many(job: Job) -> list[Fetch]`",
        )
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return Strategy(
        name=file.stem,
        file=file.parent.resolve() / file.name,
        summary=_summary(tree),
        face=next((face for name, face in _JOB_OPENS.items() if name in used), None),
        takes_workers="workers" in used,
        starts_processes=_PROCESS_POOL in used | named or "multiprocessing" in imported(tree),
    )


def read_client(file: Path) -> Client:
    """Say what a client file is, from its text alone, and whether what it imports is installed.

    It is taken to speak TLS if it asks the settings whom to trust, and HTTP/2 if it reads ``settings.http2``.

    Raises:
        UsageError: it is no Python, has neither ``open_client`` nor ``open_async_client``, or deviates in a
            way that does not exist.
    """
    tree = parse_source(file)
    defined = functions(tree)
    faces = frozenset(face for name, face in _CLIENT_DEFINES.items() if name in defined)
    if not faces:
        raise UsageError(f"{file} has neither open_client nor open_async_client", hint="see bench/api.py")
    used = _settings_read(tree)
    missing = tuple(module for module in foreign_modules(tree) if find_spec(module) is None)
    return Client(
        name=file.stem,
        file=file.resolve(),
        summary=_summary(tree),
        faces=faces,
        missing=missing,
        install=install_command(file.stem, missing, _extras()),
        speaks=frozenset(spoken for name, spoken in _CLIENT_READS.items() if name in used),
        deviations=_deviations(tree, file),
    )


def install_command(client: str, missing: tuple[str, ...], extras: frozenset[str]) -> str:
    """Return what to type to make a client usable; an empty string if nothing is missing."""
    if not missing:
        return ""
    return f"pip install 'flagbench[{client}]'" if client in extras else f"pip install {' '.join(missing)}"


def _deviations(tree: ast.Module, file: Path) -> Mapping[str, FetchOutcome]:
    """Read what a client's ``DEVIATIONS`` says, a literal of kinds of faults and classes."""
    written = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["DEVIATIONS"]
    )
    try:
        deviations = dict(ast.literal_eval(next(written, ast.Dict([], []))))
        known = deviations.keys() <= KINDS.keys() and _OUTCOMES.issuperset(deviations.values())
    except (ValueError, TypeError):
        known = False
    if not known:
        raise UsageError(
            f"{file}: DEVIATIONS is no literal of faults and classes",
            hint='write, for instance, {"surplus_bytes": "ok"}; `list faults` has them all',
        )
    return deviations


def _modules(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))


def _shipped_names() -> frozenset[str]:
    """Return what the worker imports as ``strategies.<name>``: the strategies and the clients' package."""
    return frozenset(module.name for module in iter_modules([str(strategies_folder())]))


def _settings_read(tree: ast.Module) -> frozenset[str]:
    """Return which settings a client file reads."""
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
    )


def _summary(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "").partition("\n")[0].replace("``", "")


def _extras() -> frozenset[str]:
    try:
        return frozenset(metadata("flagbench").get_all("Provides-Extra") or ())
    except PackageNotFoundError:  # a checkout that was never installed has none
        return frozenset()
