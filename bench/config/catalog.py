"""Describe strategies and clients by the source of their files: nothing is imported, and nothing is run."""

import ast
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final, Literal, get_args

from bench.api.outcomes import FetchOutcome
from bench.config.entry_function import ENTRY, SIGNATURE, find_signature_problem
from bench.config.opened_clients import Face, opened_clients
from bench.errors import UsageError
from bench.model.cases import Client, Strategy
from bench.model.faults import KINDS
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
_MAX_BYTES: Final = 1 << 20


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


def read_strategy(file: Path) -> Strategy:
    """Describe a strategy file that the worker can load under its name.

    Raises:
        UsageError: as for ``describe_strategy``, or the file would hide a shipped module.
    """
    described = describe_strategy(file)
    if not is_shipped(described.file) and described.name in _shipped_names():
        raise UsageError(f"{file} has the name of a shipped module of strategies/", hint="rename it")
    return described


def describe_strategy(file: Path) -> Strategy:
    """Describe a strategy file of any name.

    It takes workers unless it declares ``WORKERS = False``. Its client is the declared one (``CLIENTS``), or
    the one that it seems to open: asynchronous if it opens ``job.async_client()`` at all.

    Raises:
        UsageError: the file does not exist, is not Python, has no ``download_many`` that can be called with
            one job, or declares something unknown.
    """
    tree = parse_source(file)
    if problem := find_signature_problem(tree):
        raise UsageError(f"{file} {problem}", hint=f"a strategy is a file with `{SIGNATURE}`")
    declared = _declarations(tree, file)
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return Strategy(
        name=file.stem,
        file=file.parent.resolve() / file.name,
        summary=_summary(tree),
        face=_declared_face(declared[_CLIENTS], file) if _CLIENTS in declared else _opened_face(tree),
        takes_workers=declared.get(_WORKERS) is not False,
        starts_processes=_PROCESS_POOL in attributes | names or "multiprocessing" in _imported(tree),
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


def parse_source(file: Path) -> ast.Module:
    """Return the syntax tree of a Python file.

    Raises:
        UsageError: the file does not exist, is not Python, or is too large or too deep.
    """
    try:
        return ast.parse(_read_source(file), filename=str(file))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", hint="name a Python file") from error
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{file} is not Python: {error}", hint="fix it, or name another file") from error
    except (MemoryError, RecursionError) as error:
        raise UsageError(f"{file} is nested too deeply to be read", hint="split its expressions") from error


def foreign_modules(tree: ast.Module, *, everywhere: bool = False) -> list[str]:
    """Return the modules that a file imports beyond the standard library and this project.

    Args:
        tree: the file.
        everywhere: count imports within functions and conditions, too, which may be optional.
    """
    return sorted(frozenset(_imported(tree, everywhere=everywhere)) - sys.stdlib_module_names - _OWN_PACKAGES)


def _read_source(file: Path) -> bytes:
    found = file.stat()  # before it is opened: a FIFO would block for ever
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{file} is not a regular file", hint="name a Python file")
    if found.st_size > _MAX_BYTES:
        raise UsageError(f"{file} is larger than {_MAX_BYTES >> 20} MiB", hint="split it")
    return file.read_bytes()


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


def _opened_face(tree: ast.Module) -> Face | None:
    """Return the kind of client that a strategy seems to open."""
    try:
        opened = opened_clients(tree, ENTRY)
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
