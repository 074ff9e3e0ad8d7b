"""Describe strategies and clients by the source of their files: nothing is imported, and nothing is run."""

import ast
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final, Literal, get_args

from bench.api.outcomes import FetchOutcome
from bench.config.opened_clients import Face, opened_clients
from bench.config.redirected_constants import find_redirected_constants
from bench.config.source_code import choose_form, parse_source
from bench.errors import UsageError
from bench.model.cases import Client, Strategy
from bench.model.faults import KINDS
from bench.model.function_call import ENTRY, FunctionCall
from bench.system.paths import is_shipped, strategies_folder

_CLIENTS: Final = "CLIENTS"
_WORKERS: Final = "WORKERS"
_FACES_OF_CLIENT: Final[Mapping[str, Face]] = {"open_async_client": "async", "open_client": "sync"}
_PROTOCOLS: Final[Mapping[str, Literal["tls", "http2"]]] = {
    "authority": "tls", "tls_context": "tls", "http2": "http2",
}  # fmt: skip
"""By the settings that a client reads."""
_OUTCOMES: Final = frozenset(get_args(FetchOutcome))
_PROCESS_POOL: Final = "ProcessPoolExecutor"
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

    It takes workers unless it declares ``WORKERS = False``. Its client is the declared one (``CLIENTS``), or
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
    declared = _declarations(tree, file)
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    takes_workers = form.takes_workers if form.kind == "codes" else declared.get(_WORKERS) is not False
    face = None
    if form.kind == "job":
        is_declared = _CLIENTS in declared
        face = _declared_face(declared[_CLIENTS], file) if is_declared else _opened_face(tree, form.name)
    constants = find_redirected_constants(tree, file, module) if form.kind == "codes" else ((), ())
    return Strategy(
        name=own_name(file, form.name),
        file=file.parent.resolve() / file.name,
        summary=_summary(tree),
        face=face,
        takes_workers=takes_workers,
        starts_processes=_PROCESS_POOL in attributes | names or "multiprocessing" in _imported(tree),
        call=FunctionCall(form.name, module, form.arguments, *constants),
    )


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
    )


def read_client(file: Path) -> Client:
    """Describe a client file, with the imports that are not installed.

    It speaks TLS if it reads the authority or the TLS context of its settings, and HTTP/2 if it reads
    ``settings.http2``.

    Raises:
        UsageError: the file is not Python, has neither ``open_client`` nor ``open_async_client``, or its
            ``DEVIATIONS`` name an unknown fault or outcome.
    """
    tree = parse_source(file)
    defined = _functions(tree)
    faces = frozenset(face for name, face in _FACES_OF_CLIENT.items() if name in defined)
    if not faces:
        raise UsageError(f"{file} has neither open_client nor open_async_client", hint="see bench/api/")
    settings = _settings_read(tree)
    missing = tuple(module for module in foreign_modules(tree) if find_spec(module) is None)
    return Client(
        name=file.stem,
        file=file.resolve(),
        summary=_summary(tree),
        faces=faces,
        missing=missing,
        install=install_command(file.stem, missing, _extras()),
        speaks=frozenset(protocol for name, protocol in _PROTOCOLS.items() if name in settings),
        deviations=_deviations(tree, file),
    )


def install_command(client: str, missing: tuple[str, ...], extras: frozenset[str]) -> str:
    """Return the command that installs a client's missing modules; empty if none is missing."""
    if not missing:
        return ""
    return f"pip install 'flagbench[{client}]'" if client in extras else f"pip install {' '.join(missing)}"


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


def _settings_read(tree: ast.Module) -> frozenset[str]:
    """Return the attributes that a client reads of ``settings``."""
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return frozenset(
        node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "settings"
    )


def _declarations(tree: ast.Module, file: Path) -> dict[str, Any]:
    """Return the literals that a strategy assigns to ``WORKERS`` and ``CLIENTS`` at its top level.

    Raises:
        UsageError: ``WORKERS`` is neither a truth value nor a number of its own.
    """
    declared: dict[str, Any] = {}
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(name)], value=value)
                | ast.AnnAssign(target=ast.Name(name), value=ast.expr() as value)
            ) if name in {_CLIENTS, _WORKERS}:
                with suppress(ValueError):  # not a literal: a name of the strategy's own
                    declared[name] = ast.literal_eval(value)
    workers = declared.get(_WORKERS, True)
    if not (isinstance(workers, bool) or (isinstance(workers, int) and workers > 0)):
        raise UsageError(
            f"{file}: WORKERS is {workers!r:.40}", hint="write False for a strategy that takes no workers"
        )
    return declared


def _declared_face(declared: object, file: Path) -> Face | None:
    """Return the kind of client that a strategy declares.

    Raises:
        UsageError: there is no such kind.
    """
    if declared is None:
        return None
    for face in _FACES_OF_CLIENT.values():
        if declared == face:
            return face
    raise UsageError(
        f"{file}: CLIENTS is {declared!r:.40}",
        hint='write "sync" for job.client(), "async" for job.async_client(), or None for neither; '
        "the config names the libraries",
    )


def _opened_face(tree: ast.Module, entry: str) -> Face | None:
    """Return the kind of client that a strategy seems to open."""
    try:
        opened = opened_clients(tree, entry)
    except RecursionError:  # an expression as deep as no person writes it
        return None
    return "async" if "async" in opened else "sync" if "sync" in opened else None


def _deviations(tree: ast.Module, file: Path) -> Mapping[str, FetchOutcome]:
    """Read ``DEVIATIONS``, a literal that maps kinds of faults to outcomes."""
    written = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["DEVIATIONS"]
    )
    try:
        deviations = dict(ast.literal_eval(next(written, ast.Dict([], []))))
        is_known = deviations.keys() <= KINDS.keys() and _OUTCOMES.issuperset(deviations.values())
    except (ValueError, TypeError):
        is_known = False
    if not is_known:
        raise UsageError(
            f"{file}: DEVIATIONS is not a literal that maps faults to outcomes",
            hint='write, for instance, {"surplus_bytes": "ok"}; `list faults` has them all',
        )
    return deviations


def _summary(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "").partition("\n")[0].replace("``", "")


def _extras() -> frozenset[str]:
    try:
        return frozenset(metadata("flagbench").get_all("Provides-Extra") or ())
    except PackageNotFoundError:  # a checkout that was never installed has none
        return frozenset()
