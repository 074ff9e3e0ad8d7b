"""Lead constants of the user's code to the flag server, in the worker and in the processes that it starts.

A constant is replaced as it is assigned, while its module is executed. Whatever the module derives from it,
such as another constant or a default argument, follows; what a class derives from a constant of its own does
not, since only the finished class is seen. An environment variable tells processes
that are not forked; only those read it that ``multiprocessing`` starts for the worker. They pay for this
module in timed rounds. Hence neither ``pathlib`` nor ``dataclasses``.
"""

import json
import os
import sys
from collections import UserDict
from contextlib import suppress
from importlib.machinery import SourceFileLoader

from bench.worker.module_path import INSTALLED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

VARIABLE = "FLAGBENCH_REDIRECTION"
_CHILD = "bench.worker.child"
_SCHEMES = ("http://", "https://")


class Redirection:
    """The constants that are replaced in modules below some folders.

    Attributes:
        below: folders of the user's modules.
        addresses: names of constants that hold an address.
        address: the address of the flags, ``http://…/flags``, in place of each.
        targets: names of constants that hold the folder for downloads.
        folder: the folder in place of each.
    """

    def __init__(
        self,
        below: "Sequence[str]",
        addresses: "Sequence[str]",
        address: str,
        targets: "Sequence[str]",
        folder: str,
    ) -> None:
        self.below = tuple(below)
        self.addresses = frozenset(addresses)
        self.address = address
        self.targets = frozenset(targets)
        self.folder = folder

    def to_json(self) -> str:
        """Encode the redirection for an environment variable."""
        values = (self.below, [*self.addresses], self.address, [*self.targets], self.folder)
        return json.dumps(values)

    def is_own(self, file: str | None) -> bool:
        """Tell whether a file is one of the user's modules, and no installed package."""
        return (
            file is not None
            and any(file.startswith(os.path.join(folder, "")) for folder in self.below)  # noqa: PTH118
            and not any(f"/{each}/" in file for each in INSTALLED)
        )

    def replace(self, name: str, value: "Any") -> "Any":
        """Return the value that a name gets instead of the assigned one; most keep theirs."""
        if name in self.addresses and type(value) is str and value.startswith(_SCHEMES):
            return value if value.startswith(self.address) else replace_address(value, self.address)
        if name in self.targets and (type(value) is str or isinstance(value, os.PathLike)):
            make: Callable[[str], Any] = type(value)
            return make(self.folder)
        return value

    def replace_attributes(self, owner: type) -> None:
        """Replace the constants among the attributes of a class."""
        for name in (self.addresses | self.targets) & vars(owner).keys():
            value = vars(owner)[name]
            if (replaced := self.replace(name, value)) is not value:
                with suppress(TypeError, AttributeError):  # its metaclass refuses; it keeps its own
                    setattr(owner, name, replaced)


def redirect_modules(redirection: Redirection) -> None:
    """Redirect the modules that are imported from now on, in this process and in those that it starts."""
    os.environ[VARIABLE] = redirection.to_json()
    # multiprocessing imports the main module in a process that is not forked: the worker's own would be
    # left out, as the name of a package's main module ends with __main__.
    spec = sys.modules["__main__"].__spec__
    if spec is not None:
        spec.name = _CHILD
    sys.meta_path.insert(0, _RedirectingFinder(redirection))


def redirect_child() -> None:
    """Redirect the modules of a process that the worker has started without forking."""
    sys.meta_path.insert(0, _RedirectingFinder(Redirection(*json.loads(os.environ[VARIABLE]))))


def replace_address(original: str, address: str) -> str:
    """Return an address in place of another one, with a slash at its end or a template if that had one.

    ``https://example.org/{cc}/{cc}.gif`` keeps ``/{cc}/{cc}.gif``.
    """
    path = original.find("/", original.find("://") + 3)
    marks = [place for mark in ("{", "%") if path >= 0 and (place := original.find(mark, path)) >= 0]
    if marks:
        return address + original[original.rfind("/", 0, min(marks)) :]
    return f"{address}/" if original.endswith("/") else address


def execute_redirected(code: "CodeType | str", module: "ModuleType", redirection: Redirection) -> None:
    """Execute the code of a module, and replace its constants as they are assigned.

    A name that any function declares as ``global`` is assigned without asking the namespace, and is replaced
    at the end.
    """
    namespace = _Namespace(module, redirection)
    exec(code, vars(module), namespace)  # noqa: S102  as importlib does
    for name in (redirection.addresses | redirection.targets) & vars(module).keys():
        namespace[name] = namespace[name]


class _RedirectingFinder:
    """Finds modules as the other finders do, and lets a loader of its own execute the user's."""

    def __init__(self, redirection: Redirection) -> None:
        self._redirection = redirection

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "ModuleSpec | None":
        if name.partition(".")[0] == "bench":
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if type(spec.loader) is SourceFileLoader and self._redirection.is_own(spec.origin):
                    spec.loader = _RedirectingLoader(name, spec.loader.path, self._redirection)
                return spec
        return None


class _RedirectingLoader(SourceFileLoader):
    """Executes a module of the user's in a namespace that replaces its constants."""

    def __init__(self, name: str, path: str, redirection: Redirection) -> None:
        super().__init__(name, path)
        self._redirection = redirection

    def exec_module(self, module: "ModuleType") -> None:
        code = self.get_code(module.__name__)
        if code is not None:
            execute_redirected(code, module, self._redirection)


class _Namespace(UserDict[str, object]):
    """The globals of a module while it is executed; some names get another value than the assigned one."""

    def __init__(self, module: "ModuleType", redirection: Redirection) -> None:
        super().__init__()
        self.data = vars(module)
        self._redirection = redirection

    def __setitem__(self, name: str, value: object) -> None:
        if isinstance(value, type) and value.__module__ == self.data.get("__name__"):
            self._redirection.replace_attributes(value)
        self.data[name] = self._redirection.replace(name, value)
