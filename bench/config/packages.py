"""Find the strategies and clients of installed packages by their entry points, without importing any.

The groups are ``flagbench.strategies`` and ``flagbench.clients``. A package that cannot be read, or provides
something unusable, is reported beside the others, so that it breaks no command that does not name it.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoints, distributions
from typing import Final, Generic, TypeVar

from bench.config import catalog
from bench.config.lookup import MODULE_STEM
from bench.config.problems import quote_text
from bench.config.source_code import find_installed_module
from bench.errors import UsageError
from bench.model.cases import Client, Strategy
from bench.model.function_call import FunctionCall
from bench.model.text import join_and, one_line

T = TypeVar("T", Strategy, Client)

STRATEGIES: Final = "flagbench.strategies"
CLIENTS: Final = "flagbench.clients"

_VALUE: Final = re.compile(
    r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?:\s*:\s*(?P<function>[A-Za-z_]\w*))?", re.ASCII
)
_METADATA: Final = re.compile(r"^(Name|Version): *(.+?) *$", re.MULTILINE)
_UNREADABLE: Final = "its entry points cannot be read"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A name that a package declares in a group.

    Attributes:
        package: name and version of the package.
        value: ``package.module`` or ``package.module:function``, as declared; empty if the package's entry
            points cannot be read, and then so is ``name``.
    """

    name: str
    package: str
    value: str


@dataclass(frozen=True, slots=True)
class Provided(Generic[T]):
    """A strategy or client of an installed package.

    Attributes:
        found: its description; None if there is a problem.
        problem: why it cannot be used; None if it can.
    """

    name: str
    package: str
    found: T | None
    problem: str | None


def provided_strategies(installed: Sequence[Distribution] | None = None) -> list[Provided[Strategy]]:
    """Return the strategies of installed packages, in the order of their names."""
    declared = list(_declarations(STRATEGIES, installed))
    return _describe_all(declared, catalog.shipped_strategies(), _read_strategy)


def provided_clients(installed: Sequence[Distribution] | None = None) -> list[Provided[Client]]:
    """Return the clients of installed packages, in the order of their names."""
    return _describe_all(list(_declarations(CLIENTS, installed)), catalog.shipped_clients(), _read_client)


def find_provided(name: str, provided: Sequence[Provided[T]]) -> T | None:
    """Return the strategy or client of a name, or None if no package declares it.

    Raises:
        UsageError: it cannot be used.
    """
    for each in provided:
        if each.name == name:
            if each.found is None:
                raise UsageError(f"{name} of {each.package}: {each.problem}")
            return each.found
    return None


def _declarations(group: str, installed: Sequence[Distribution] | None) -> Iterator[Declaration]:
    """Yield the entries of a group; of a package that is found twice, those of the first place count."""
    seen: set[str] = set()
    for distribution in distributions() if installed is None else installed:
        try:
            name, version = _read_identity(distribution)
            entries = distribution.entry_points.select(group=group)
        except (ValueError, TypeError, AttributeError):  # not UTF-8, a line without "=" or before any section
            name, version, entries = _folder_name(distribution), "", EntryPoints()
            yield Declaration("", name, "")
        if name not in seen:
            seen.add(name)
            package = one_line(f"{name} {version}".strip())
            yield from (Declaration(entry.name, package, entry.value) for entry in entries)


def _read_identity(distribution: Distribution) -> tuple[str, str]:
    """Return the name, as its folder has it if there is no other, and the version of a package."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    found = dict(_METADATA.findall(text.partition("\n\n")[0]))
    return found.get("Name") or _folder_name(distribution), found.get("Version", "")


def _folder_name(distribution: Distribution) -> str:
    """Return the name in that of the folder with the metadata, such as ``acme_flags-1.2.dist-info``."""
    return str(getattr(distribution, "_path", "unknown")).rpartition("/")[2].partition("-")[0]


def _describe_all(
    declared: Sequence[Declaration], shipped: Collection[str], read: Callable[[Declaration], T]
) -> list[Provided[T]]:
    return [
        _describe(each, declared, shipped, read)
        for each in sorted(declared, key=lambda each: (each.name, each.package))
    ]


def _describe(
    entry: Declaration,
    declared: Sequence[Declaration],
    shipped: Collection[str],
    read: Callable[[Declaration], T],
) -> Provided[T]:
    """Describe an entry, or say why it cannot be used."""
    name, problem, found = one_line(entry.name), _find_problem(entry, declared, shipped), None
    if problem is None:
        try:
            found = replace(read(entry), name=entry.name, package=entry.package)
        except (UsageError, OSError) as error:
            problem = one_line(str(error))
    return Provided(name, entry.package, found, problem)


def _find_problem(
    entry: Declaration, declared: Sequence[Declaration], shipped: Collection[str]
) -> str | None:
    if not entry.value:
        return _UNREADABLE
    if not MODULE_STEM.fullmatch(entry.name):
        return f"{quote_text(entry.name)} is not named like a Python module"
    if entry.name in shipped:
        return "ignored: flagbench ships one of this name"
    others = [each.package for each in declared if each.name == entry.name]
    if len(others) > 1:
        return f"ignored: {join_and(sorted(set(others)))} declare this name; uninstall one"
    return None


def _read_strategy(entry: Declaration) -> Strategy:
    module, function = _parse_value(entry.value)
    return catalog.read_strategy(find_installed_module(module), function, module)


def _read_client(entry: Declaration) -> Client:
    """Describe a client module, or a function that downloads one URL."""
    module, function = _parse_value(entry.value)
    file = find_installed_module(module)
    if function:
        return catalog.read_own_client(file, function, module)
    described = catalog.read_client(file)
    return replace(described, call=FunctionCall("", module), distribution="", requirements=())


def _parse_value(value: str) -> tuple[str, str]:
    """Return the module and the function of an entry; the function may be empty.

    Raises:
        UsageError: it is neither a module nor a function of one.
    """
    found = _VALUE.fullmatch(value.strip())
    if found is None:
        raise UsageError(
            f"{quote_text(value)} is neither a module nor module:function", hint="fix the package"
        )
    return found["module"], found["function"] or ""
