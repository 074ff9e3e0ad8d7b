"""Describe strategies and clients by the source of their files: nothing is imported, and nothing is run."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, metadata
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from bench.config.declarations import (
    BY_CLIENT,
    declared_abilities,
    declared_cluster,
    declared_deviations,
    declared_environment,
    declared_face,
    declared_keep_alive,
    declared_limits,
    declared_options,
    declared_protocols,
    declared_python,
    declared_workers,
)
from bench.config.opened_clients import Face, opened_clients
from bench.config.redirected_constants import find_redirected_constants
from bench.config.source_code import choose_form, parse_source
from bench.errors import UsageError
from bench.model.cases import Ability, Client, Protocol, Strategy
from bench.model.function_call import ENTRY, FunctionCall
from bench.model.text import join_and, join_or
from bench.system.optional_dependencies import install_command
from bench.system.paths import is_shipped, strategies_folder

_UVLOOP: Final = "uvloop"
"""Option of every strategy that imports asyncio; the worker sets the loop up."""
MODULES_OF_OPTIONS: Final[Mapping[str, str]] = {_UVLOOP: "uvloop", "trio": "trio"}
"""The module that an option needs, beside those that the strategy imports."""
_FACES_OF_CLIENT: Final[Mapping[str, Face]] = {"open_async_client": "async", "open_client": "sync"}
_PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "authority": "tls", "tls_context": "tls", "http2": "http2",
}  # fmt: skip
"""By the settings that a client reads."""
_POOLS: Final = frozenset({"ProcessPoolExecutor", "InterpreterPoolExecutor"})
"""Each member of these has a client of its own."""
_OWN_PACKAGES: Final = frozenset({"bench", "strategies"})


def find_strategies() -> Mapping[str, Strategy]:
    """Return the shipped strategies, by name.

    Raises:
        UsageError: one of their files is not a strategy.
    """
    return {file.stem: read_strategy(file) for file in _modules(strategies_folder())}


def find_clients() -> Mapping[str, Client]:
    """Return the shipped clients, by name, with those whose library is not installed.

    Raises:
        UsageError: one of their files is not a client.
    """
    return {file.stem: read_client(file) for file in _modules(strategies_folder() / "clients")}


def shipped_strategies() -> frozenset[str]:
    """Return the names of the shipped strategies, without reading them."""
    return frozenset(file.stem for file in _modules(strategies_folder()))


def shipped_clients() -> frozenset[str]:
    """Return the names of the shipped clients, without reading them."""
    return frozenset(file.stem for file in _modules(strategies_folder() / "clients"))


def read_strategy(file: Path, function: str = "", module: str = "") -> Strategy:
    """Describe a strategy file that the worker can load under its name.

    Args:
        file: the file.
        function: the function to call; empty: ``download_many``, or else the only one that fits.
        module: its dotted name, if it is to be imported as a module of its package.

    Raises:
        UsageError: as for ``describe_strategy``, or the file would hide a shipped module.
    """
    described = describe_strategy(file, function, module)
    if not module:
        check_file_name(described.file)
    return described


def describe_strategy(file: Path, function: str = "", module: str = "") -> Strategy:
    """Describe a strategy file of any name.

    It takes workers unless it declares ``WORKERS = False``; with ``WORKERS = "client"``, its client limits
    them. Its client is the declared one (``CLIENTS``), or
    the one that it seems to open: asynchronous if it opens ``job.async_client()`` at all. A function that
    takes country codes opens no client of ours.

    Raises:
        UsageError: the file does not exist, is not Python, has no function that can be called with
            one job or with country codes, or declares something unknown.
    """
    tree = parse_source(file)
    form = choose_form(tree, file, function)
    if form.kind not in {"job", "codes"}:
        raise UsageError(
            f"{file}:{form.name} downloads one URL, so it is a client and no strategy",
            hint=f"list it under `clients`, or measure it with `run {file}`",
        )
    workers = declared_workers(tree, file)
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    takes_workers = form.takes_workers if form.kind == "codes" else workers is not False
    face = declared_face(tree, file, _opened_face(tree, form.name)) if form.kind == "job" else None
    starts_processes = not _POOLS.isdisjoint(attributes | names) or (
        "multiprocessing" in _imported(tree) and "ThreadPool" not in names | attributes
    )
    constants = find_redirected_constants(tree, file, module) if form.kind == "codes" else ((), ())
    return Strategy(
        name=own_name(file, form.name),
        file=file.parent.resolve() / file.name,
        summary=_summary(tree),
        face=face,
        takes_workers=takes_workers,
        starts_processes=starts_processes,
        call=FunctionCall(form.name, module, form.arguments, *constants),
        options=tuple(_options(tree, starts_processes=starts_processes)),
        needs=frozenset(_needs(tree, by_client=workers == BY_CLIENT)),
        unavailable=_unavailable(tree, file),
        uses_cluster=declared_cluster(tree),
    )


def choose_option(strategy: Strategy, option: str) -> Strategy:
    """Return a strategy that is run in one of the ways that it offers.

    Raises:
        ValueError: it has no such option.
    """
    if option not in strategy.options:
        has = f"it has {join_or(strategy.options)}" if strategy.options else "it has none"
        raise ValueError(f"{strategy.name} has no option {option!r:.40}; {has}")
    unavailable, needs = strategy.unavailable, strategy.needs
    if (module := MODULES_OF_OPTIONS.get(option)) is not None and find_spec(module) is None:
        unavailable = unavailable or _missing_modules((module,), module)
    if option == "trio":
        needs |= {"trio"}
    name = f"{strategy.name}+{option}"
    return replace(strategy, name=name, option=option, needs=needs, unavailable=unavailable)


def own_name(file: Path, function: str) -> str:
    """Return the name of a strategy or client of the user's, by its file and function."""
    stem = file.parent.name if file.stem == "__init__" else file.stem
    return stem if function == ENTRY else f"{stem}.{function}"


def check_file_name(file: Path) -> None:
    """Refuse a file of the user's that would hide a shipped module.

    Raises:
        UsageError: it has the name of one.
    """
    if not is_shipped(file) and file.stem in _shipped_names():
        raise UsageError(f"{file} has the name of a shipped module of strategies/", hint="rename it")


def read_own_client(file: Path, function: str = "", module: str = "") -> Client:
    """Describe a function of the user's that downloads one URL, as a client.

    Raises:
        UsageError: the file is not Python, or has no such function.
    """
    tree = parse_source(file)
    form = choose_form(tree, file, function)
    if form.kind not in {"url", "async url"}:
        raise UsageError(
            f"{file}:{form.name} does not download one URL, so it is no client",
            hint="write `def get(url: str) -> bytes` or `async def get(url: str) -> bytes`",
        )
    if not module:
        check_file_name(file)
    return Client(
        name=own_name(file, form.name) if form.name != ENTRY else f"{file.stem}.{form.name}",
        file=file.parent.resolve() / file.name,
        summary=_summary(tree),
        faces=frozenset({"async" if form.kind == "async url" else "sync"}),
        call=FunctionCall(form.name, module),
        abilities=frozenset({"greenlets"}),
    )


def read_client(file: Path) -> Client:
    """Describe a client file, with the imports that are not installed.

    Its library is the module of its own name, which is not missing if it declares ``OWN_ENVIRONMENT``. It
    speaks TLS if it reads the authority or the TLS context of its settings, and HTTP/2 if it reads
    ``settings.http2``, or what it declares in ``SPEAKS``.

    Raises:
        UsageError: the file is not Python, has neither ``open_client`` nor ``open_async_client``, its
            ``SPEAKS`` name an unknown protocol, its ``DEVIATIONS`` an unknown fault or outcome, or its
            ``OWN_ENVIRONMENT`` no requirement.
    """
    tree = parse_source(file)
    defined = _functions(tree)
    faces = frozenset(face for name, face in _FACES_OF_CLIENT.items() if name in defined)
    if not faces:
        raise UsageError(f"{file} has neither open_client nor open_async_client", hint="see bench/api/")
    modules, requirements = foreign_modules(tree), declared_environment(tree, file)
    missing = tuple(module for module in modules if not requirements and find_spec(module) is None)
    return Client(
        name=file.stem,
        file=file.resolve(),
        summary=_summary(tree),
        faces=faces,
        missing=missing,
        install=command_for_missing(file.stem, missing, _extras()),
        speaks=declared_protocols(tree, file, _protocols_read(tree)),
        deviations=declared_deviations(tree, file),
        abilities=declared_abilities(tree),
        keeps_alive=declared_keep_alive(tree, file),
        limits=declared_limits(tree, file, faces),
        distribution=file.stem if file.stem in modules else "",
        requirements=requirements,
    )


def command_for_missing(name: str, missing: tuple[str, ...], extras: frozenset[str]) -> str:
    """Return the command that installs missing modules; empty if none is missing.

    Args:
        name: the extra that has them, if there is such an extra; otherwise that of a missing module may do.
        missing: the modules.
        extras: those of this project.
    """
    if not missing:
        return ""
    for extra in (name, *missing):
        if extra in extras:
            return install_command(extra)
    return f"pip install {' '.join(missing)}"


def foreign_modules(tree: ast.Module, *, everywhere: bool = False) -> list[str]:
    """Return the modules that a file imports beyond the standard library and this project.

    Args:
        tree: the file.
        everywhere: count imports within functions and conditions, too, which may be optional.
    """
    return sorted(frozenset(_imported(tree, everywhere=everywhere)) - sys.stdlib_module_names - _OWN_PACKAGES)


def _modules(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))


def _shipped_names() -> frozenset[str]:
    """Return the names that the worker imports as ``strategies.<name>``, the clients' package included."""
    return frozenset(module.name for module in iter_modules([str(strategies_folder())]))


def _functions(tree: ast.Module) -> frozenset[str]:
    """Return the names of the functions at the top level of a file."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def _imported(tree: ast.Module, *, everywhere: bool = False) -> Iterator[str]:
    """Yield the packages that a file imports, at its top level or everywhere; some more than once."""
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module.partition(".")[0]


def _protocols_read(tree: ast.Module) -> frozenset[Protocol]:
    """Return the protocols whose settings a client reads."""
    settings = _settings_read(tree)
    return frozenset(protocol for name, protocol in _PROTOCOLS.items() if name in settings)


def _settings_read(tree: ast.Module) -> frozenset[str]:
    """Return the attributes that a client reads of ``settings``."""
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return frozenset(
        node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "settings"
    )


def _options(tree: ast.Module, *, starts_processes: bool) -> Iterator[str]:
    """Yield the options of a strategy: its own, and uvloop for asyncio's loop in this process."""
    yield from declared_options(tree)
    if "asyncio" in _imported(tree) and not starts_processes:
        yield _UVLOOP


def _needs(tree: ast.Module, *, by_client: bool) -> Iterator[Ability]:
    if "gevent" in _imported(tree):
        yield "greenlets"
    if by_client:
        yield "connection_limit"


def _unavailable(tree: ast.Module, file: Path) -> str:
    """Return why a strategy cannot be run here, as the end of a sentence; empty if it can.

    What a file of the user's imports may be in its project, and is not looked for.
    """
    needed = declared_python(tree)
    if needed > sys.version_info[: len(needed)]:
        ours = ".".join(map(str, sys.version_info[:3]))
        return f"needs Python {'.'.join(map(str, needed))} or newer, and this is {ours}"
    missing = tuple(module for module in foreign_modules(tree) if find_spec(module) is None)
    return _missing_modules(missing, file.stem) if missing and is_shipped(file) else ""


def _missing_modules(missing: tuple[str, ...], name: str) -> str:
    verb = "is" if len(missing) == 1 else "are"
    command = command_for_missing(name, missing, _extras())
    return f"needs {join_and(missing)}, which {verb} not installed: {command}"


def _opened_face(tree: ast.Module, entry: str) -> Face | None:
    """Return the kind of client that a strategy seems to open."""
    try:
        opened = opened_clients(tree, entry)
    except RecursionError:  # an expression as deep as no person writes it
        return None
    return "async" if "async" in opened else "sync" if "sync" in opened else None


def _summary(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "").partition("\n")[0].replace("``", "")


def _extras() -> frozenset[str]:
    try:
        return frozenset(metadata("flagbench").get_all("Provides-Extra") or ())
    except PackageNotFoundError:  # a checkout that was never installed has none
        return frozenset()
